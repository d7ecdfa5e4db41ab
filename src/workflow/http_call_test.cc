// SPDX-License-Identifier: Apache-2.0
// `call: http`: what leaves, what becomes of each answer by the method's effect class, and what a
// document may not say.
#include "core/text.h"
#include "workflow/detail/uri_template.h"
#include "workflow/function.h"
#include "workflow/test/web.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::Web;
using test::WebWorld;

constexpr const char* head =
    "document: {dsl: '1.0.3', namespace: test, name: web, version: '1.0.0'}\n";

/// One step `ask` with these arguments, in flow YAML.
std::string ask(std::string_view with) {
  return fmt::format("{}do:\n  - ask: {{call: http, with: {}}}\n", head, with);
}

RunView run(WebWorld& all, std::string document, Json input = JsonObject()) {
  all.world.add_document(std::move(document));
  all.world.start();
  return all.world.finish(all.world.run_workflow("web", std::move(input)), hours(2));
}

std::string problem(const RunView& view) {
  const auto type = text_or(view.error, "type", "");
  return fmt::format("{} {}", type.substr(type.rfind('/') + 1), int_or(view.error, "status", 0));
}

std::vector<std::string> refusals(const std::string& text) {
  FunctionRegistry functions;
  register_all_functions(functions);
  std::vector<std::string> out;
  for (const Error& error : Engine::check({{"w.yaml", text}}, functions)) {
    out.push_back(error.text());
  }
  return out;
}

/// What the check says of one step with these arguments.
std::string refusal(std::string_view with) { return join(refusals(ask(with)), "\n"); }

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("http: a GET goes to the template's URI with query and headers, and gives its content") {
  WebWorld all;
  all.web.answer = [](const net::ClientRequest&) { return Web::says(200, R"({"id": 7})"); };
  const auto view =
      run(all,
          ask("{method: get, endpoint: 'https://api.example.com/pets/{name}?all={absent}', "
              "query: {tag: '${ .tags }', limit: 2, none: null}, headers: {X-From: '${ .name }'}}"),
          JsonObject{{"name", "a/b c"}, {"tags", JsonArray{"x&y", "z"}}});
  CHECK(view.status == "completed");
  CHECK(view.output == Json(JsonObject{{"id", 7}}));
  REQUIRE(all.web.requests.size() == 1);
  const auto& sent = all.web.requests.front();
  CHECK(sent.method == "GET");
  CHECK(sent.url == "https://api.example.com/pets/a%2Fb%20c?all=&tag=x%26y&tag=z&limit=2");
  CHECK(sent.headers.get("x-from") == "a/b c");
  CHECK_FALSE(sent.headers.has("idempotency-key"));
  CHECK(sent.reach == net::Reach::public_only);
}

TEST_CASE("http: response and raw say what came, without cookies") {
  WebWorld all;
  all.web.answer = [](const net::ClientRequest&) {
    auto response = Web::says(201, "\xff\x01", "image/png");
    response->headers.set("set-cookie", "session=1");
    return response;
  };
  const auto view = run(all, ask("{method: PUT, endpoint: 'https://api.example.com/a', "
                                 "headers: {X-A: b}, output: response}"));
  CHECK(view.output ==
        Json(JsonObject{{"request", JsonObject{{"method", "PUT"},
                                               {"uri", "https://api.example.com/a"},
                                               {"headers", JsonObject{{"x-a", "b"}}}}},
                        {"statusCode", 201},
                        {"headers", JsonObject{{"content-type", "image/png"}}},
                        {"content", "/wE="}}));
  WebWorld again;
  again.web.answer = [](const net::ClientRequest&) { return Web::says(200, "{}"); };
  CHECK(
      run(again, ask("{method: GET, endpoint: 'https://api.example.com/a', output: raw}")).output ==
      Json("e30="));
}

TEST_CASE("http: a status that is no success is a communication error with that status") {
  const std::pair<int, const char*> cases[] = {
      {400, "communication 400"}, {401, "communication 401"}, {404, "communication 404"},
      {409, "communication 409"}, {302, "communication 302"}, {503, "communication 503"}};
  for (const auto& [status, wanted] : cases) {
    CAPTURE(status);
    WebWorld all;
    all.web.answer = [code = status](const net::ClientRequest&) { return Web::says(code, "{}"); };
    const auto view = run(all, ask("{method: GET, endpoint: 'https://api.example.com/a'}"));
    CHECK(view.status == "faulted");
    CHECK(problem(view) == wanted);
    CHECK(all.web.requests.size() == (status == 503 ? 4 : 1));
  }
}

TEST_CASE("http: what the other system says can be caught by its status") {
  WebWorld all;
  all.web.answer = [](const net::ClientRequest&) { return Web::says(404, "{}"); };
  const auto view = run(all, fmt::format(R"({}do:
  - look:
      try:
        - ask: {{call: http, with: {{method: GET, endpoint: 'https://api.example.com/a'}}}}
      catch:
        errors:
          with:
            type: https://open-workflow-specification.org/spec/1.0.0/errors/communication
            status: 404
        do:
          - none: {{set: {{found: false}}}}
)",
                                         head));
  CHECK(view.status == "completed");
  CHECK(view.output == Json(JsonObject{{"found", false}}));
}

TEST_CASE("http: a redirection is never followed; with redirect it is the answer") {
  WebWorld all;
  all.web.answer = [](const net::ClientRequest&) {
    auto response = Web::says(302, "");
    response->headers.set("location", "http://169.254.169.254/latest");
    return response;
  };
  const auto view = run(all, ask("{method: GET, endpoint: 'https://api.example.com/a', "
                                 "redirect: true, output: response}"));
  CHECK(int_or(view.output, "statusCode", 0) == 302);
  CHECK(all.web.requests.size() == 1);
}

TEST_CASE("http: a POST whose answer is lost waits for a person and is not sent again") {
  WebWorld all;
  all.web.answer = [](const net::ClientRequest&) { return Web::lost(); };
  const auto view = run(all, ask("{method: POST, endpoint: 'https://api.example.com/a', "
                                 "body: {a: 1}}"));
  CHECK(view.status == "waiting");
  CHECK(view.waiting_for.starts_with("incident inc_"));
  REQUIRE(all.web.requests.size() == 1);
  CHECK(all.web.requests.front().body == R"({"a":1})");
  CHECK(all.web.requests.front().headers.get("content-type") == "application/json");
  CHECK_FALSE(all.web.requests.front().headers.has("idempotency-key"));
}

TEST_CASE("http: with a key of the document's a POST is sent again with that key") {
  WebWorld all;
  all.web.answer = [&all](const net::ClientRequest&) {
    return all.web.requests.size() < 3 ? Web::lost() : Web::says(201, R"({"id": 1})");
  };
  const auto view = run(all,
                        ask("{method: POST, endpoint: 'https://api.example.com/a', "
                            "headers: {Idempotency-Key: '${ .order }'}}"),
                        JsonObject{{"order", "o-1"}});
  CHECK(view.status == "completed");
  REQUIRE(all.web.requests.size() == 3);
  for (const auto& request : all.web.requests) {
    CHECK(request.headers.get("idempotency-key") == "o-1");
  }
}

TEST_CASE("http: an incident names the key that was sent, the document's or the engine's") {
  for (const std::string_view headers : {"{Idempotency-Key: '${ .order }'}", "{X-A: b}"}) {
    CAPTURE(headers);
    WebWorld all;
    all.web.answer = [](const net::ClientRequest&) { return Web::lost(); };
    all.world.add_document(ask(fmt::format(
        "{{method: PUT, endpoint: 'https://api.example.com/a', headers: {}}}", headers)));
    all.world.start();
    const auto id = all.world.run_workflow("web", JsonObject{{"order", "o-1"}});
    all.world.executor.advance(hours(30));
    REQUIRE(all.world.view(id).waiting_for.starts_with("incident inc_"));
    const auto told = [&](Shown shown) {
      return *all.world.executor.run(all.world.engine->explain(all.world.ctx(), id, shown));
    };
    const bool own = headers.find("order") != std::string_view::npos;
    CHECK(has(told(Shown::all), "look in the other system for Idempotency-Key 'o-1'") == own);
    CHECK(has(told(Shown::all), fmt::format("effect {}-1", id)) != own);
    CHECK_FALSE(has(told(Shown::clear), "o-1"));
    CHECK(has(told(Shown::clear), "the Idempotency-Key that the document gave it") == own);
  }
}

TEST_CASE("http: PUT and DELETE are sent again with one key of the engine's") {
  for (const char* method : {"PUT", "DELETE"}) {
    CAPTURE(method);
    WebWorld all;
    all.web.answer = [&all](const net::ClientRequest&) {
      return all.web.requests.size() < 2 ? Web::lost() : Web::says(200, "{}");
    };
    const auto view =
        run(all, ask(fmt::format("{{method: {}, endpoint: 'https://api.example.com/a'}}", method)));
    CHECK(view.status == "completed");
    REQUIRE(all.web.requests.size() == 2);
    const auto key = all.web.requests.front().headers.get("idempotency-key");
    CHECK_FALSE(key.empty());
    CHECK(all.web.requests.back().headers.get("idempotency-key") == key);
  }
}

TEST_CASE("http: a power cut while a POST is under way leaves it to a person") {
  WebWorld all;
  bool cut = false;
  all.web.answer = [&](const net::ClientRequest&) {
    cut = true;
    return Web::says(200, "{}");
  };
  all.world.commit_takes = std::chrono::seconds(1);
  all.world.add_document(ask("{method: POST, endpoint: 'https://api.example.com/a'}"));
  all.world.start();
  const auto id = all.world.run_workflow("web", JsonObject());
  for (int i = 0; i < 100 && !cut; ++i) {
    all.world.executor.advance(std::chrono::milliseconds(100));
  }
  REQUIRE(cut);
  all.world.crash();  // the answer is there, what it said is not durable
  all.world.start();
  all.world.executor.advance(minutes(1));
  CHECK(all.world.view(id).waiting_for.starts_with("incident inc_"));
  CHECK(all.web.requests.size() == 1);
}

TEST_CASE("http: an origin that nobody declared is refused with a leaf, and nothing is sent") {
  WebWorld all;
  const auto view = run(all, ask("{method: GET, endpoint: '${ .where }'}"),
                        JsonObject{{"where", "https://api.example.org/a"}});
  CHECK(problem(view) == "authorization 403");
  CHECK(has(to_text(view.error), "did you mean 'https://api.example.com'"));
  CHECK(all.web.requests.empty());
  const auto leaves = all.world.executor.run(all.world.store->leaves(all.world.ctx(), 0, 100));
  REQUIRE(leaves.ok());
  CHECK(has(join(*leaves, "\n"), "refused"));
}

TEST_CASE("http: policy sees method, host, path and data, and its refusal ends the call") {
  constexpr std::string_view policy = R"(package aios.connector_egress
import rego.v1
default allow := false
allow if {
  input.connector.name == "https://api.example.com"
  input.connector.region == "eu"
  input.connector.effect == "read"
  input.http == {"method": "GET", "host": "api.example.com", "path": "/p q"}
  input.arguments.query.a == "1"
  not contains(sprintf("%v", [input]), "s3cret")
  not contains(sprintf("%v", [input]), "t0ken")
}
)";
  const std::string with =
      "{method: GET, query: {a: 1}, endpoint: {uri: 'https://api.example.com/{name}', "
      "authentication: {bearer: {token: '${ .token }'}}}}";
  const JsonObject input{{"name", "p q"}, {"token", "t0ken"}};
  WebWorld all({"https://api.example.com"}, policy);
  CHECK(run(all, ask(with), input).status == "completed");
  REQUIRE(all.web.requests.size() == 1);
  CHECK(all.web.requests.front().headers.get("authorization") == "Bearer t0ken");
  WebWorld other({"https://api.example.com"}, policy);
  CHECK(problem(run(other, ask(with), JsonObject{{"name", "r"}, {"token", "t"}})) ==
        "authorization 403");
  CHECK(other.web.requests.empty());
}

TEST_CASE("http: a secret is taken by its name, through an authentication that is reused") {
  WebWorld all;
  const std::string document = fmt::format(R"({}use:
  secrets: [login]
  authentications: {{desk: {{basic: {{use: login}}}}}}
  functions:
    look: {{call: http, with: {{method: GET, endpoint: {{uri: 'https://api.example.com/{{id}}',
           authentication: {{use: desk}}}}}}}}
do:
  - ask: {{call: look, with: {{id: 7}}}}
)",
                                           head);
  const auto view = run(all, document);
  CHECK(view.status == "completed");
  REQUIRE(all.web.requests.size() == 1);
  CHECK(all.web.requests.front().url == "https://api.example.com/7");
  CHECK(all.web.requests.front().headers.get("authorization") == "Basic YW5uOnMzY3JldA==");
}

TEST_CASE("http: what makes no request is a validation error and sends nothing") {
  const std::pair<const char*, JsonObject> cases[] = {
      {"{method: GET, endpoint: 'https://api.example.com/a/{x}/b'}", {{"x", ".."}}},
      {"{method: '${ .x }', endpoint: 'https://api.example.com/a'}", {{"x", "TRACE"}}},
      {"{method: GET, endpoint: '${ .x }'}", {{"x", "https://u:p@api.example.com/"}}},
      {"{method: GET, endpoint: 'https://api.example.com/', headers: '${ .x }'}",
       {{"x", JsonObject{{"host", "other"}}}}},
      {"{method: GET, endpoint: 'https://api.example.com/', headers: {X-A: '${ .x }'}}",
       {{"x", "a\r\nX-B: c"}}}};
  for (const auto& [with, input] : cases) {
    CAPTURE(with);
    WebWorld all;
    CHECK(problem(run(all, ask(with), input)) == "validation 400");
    CHECK(all.web.requests.empty());
  }
  WebWorld all;
  CHECK(problem(run(all, ask("{method: GET, endpoint: 'https://api.example.com/{x}'}"),
                    JsonObject{{"x", JsonArray()}})) == "expression 400");
}

TEST_CASE("http: a document's mistakes are told with their places") {
  CHECK(refusal("{method: GET, endpoint: 'https://a.example/{x}'}").empty());
  CHECK(has(refusal("{method: FETCH, endpoint: 'https://a.example/'}"), "AIOS-1061"));
  CHECK(has(refusal("{method: GET, endpoint: 'ftp://a.example/'}"), "AIOS-1061"));
  CHECK(has(refusal("{method: GET, endpoint: 'https://a.example/{+x}'}"), "AIOS-1061"));
  CHECK(has(refusal("{method: GET, endpoint: 'https://a.example/', body: {}}"), "AIOS-1061"));
  CHECK(has(refusal("{method: GET, endpoint: 'https://a.example/', headers: {Host: b}}"),
            "w.yaml:3:"));
  CHECK(has(refusal("{method: GET, endpoint: 'https://a.example/', headers: {Cookie: b}}"),
            "endpoint.authentication"));
  CHECK(has(refusal("{method: GET, endpoint: 'https://a.example/', outputs: raw}"), "outputs"));
  CHECK(has(refusal("{method: GET, endpoint: {url: 'https://a.example/'}}"), "'uri' is missing"));
  CHECK(has(refusal("{method: POST, endpoint: 'https://a.example/', "
                    "headers: {idempotency-key: one}}"),
            "AIOS-1063"));
  const auto authenticated = [](std::string_view policy) {
    return refusal(fmt::format(
        "{{method: GET, endpoint: {{uri: 'https://a.example/', authentication: {}}}}}", policy));
  };
  CHECK(has(authenticated("{bearer: {token: abc}}"), "AIOS-1067"));
  CHECK(has(authenticated("{basic: {username: a, password: b}}"), "AIOS-1067"));
  CHECK(has(authenticated("{oauth2: {use: a}}"), "AIOS-1002"));
  CHECK(has(authenticated("{bearer: {use: absent}}"), "'use.secrets' does not list"));
  CHECK(has(authenticated("{use: absent}"), "AIOS-1004"));
}

TEST_CASE("http: templates replace plain names alone, percent-encoded") {
  const Json input = JsonObject{{"a", "x y/ü"}, {"n", 3}, {"b.c", true}, {"z", nullptr}};
  const auto expand = [&](std::string_view text) {
    const auto parsed = UriTemplate::parse(text);
    REQUIRE(parsed.ok());
    auto made = parsed->expand(input);
    REQUIRE(made.ok());
    return *made;
  };
  CHECK(expand("/{a}/{n}{z}{absent}?{b.c}") == "/x%20y%2F%C3%BC/3?true");
  for (const char* bad : {"/{", "/}", "/{}", "/{+a}", "/{a,b}", "/{a:3}", "/{a*}", "/{{a}}"}) {
    CAPTURE(bad);
    CHECK_FALSE(UriTemplate::parse(bad).ok());
  }
}

}  // namespace aios::workflow
