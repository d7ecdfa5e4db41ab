// SPDX-License-Identifier: Apache-2.0
#include "app/settings.h"

#include <doctest/doctest.h>

namespace aios::app {
namespace {

/// Two levels, as retention is.
std::vector<Setting> rows() {
  std::vector<Setting> out = server_settings();
  out.push_back({"keep.runs", "How long finished runs are kept", "P90D", nullptr});
  return out;
}

Given file(const std::string& text) {
  Given given;
  given.file = "server.yaml";
  given.text = text;
  return given;
}

std::string refused(const Given& given) {
  const auto settings = Settings::settle(rows(), given);
  return settings.ok() ? "" : settings.error().text();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("settings: a flag wins over the environment, that over the file, that over the default") {
  Given given = file("log_level: warn\nthreads: 4\nregion: us\nkeep:\n  runs: P7D\n");
  given.environment = [](const char* name) -> const char* {
    const std::string_view asked = name;
    return asked == "AIOS_LOG_LEVEL" ? "error" : asked == "AIOS_THREADS" ? "8" : nullptr;
  };
  given.flags["log_level"] = "debug";
  const auto settings = Settings::settle(rows(), given);
  REQUIRE(settings.ok());
  CHECK(settings->text("log_level") == "debug");
  CHECK(settings->at("log_level").origin == "--log-level");
  CHECK(settings->number("threads") == 8);
  CHECK(settings->at("threads").origin == "AIOS_THREADS");
  CHECK(settings->text("region") == "us");
  CHECK(settings->at("region").origin == "server.yaml:3:9");
  CHECK(settings->text("keep.runs") == "P7D");
  CHECK(settings->at("keep.runs").origin == "server.yaml:5:9");
  CHECK(settings->text("listen") == "127.0.0.1:8787");
  CHECK(settings->at("listen").origin == "default");
}

TEST_CASE("settings: a name has one spelling for each place") {
  const Setting row{"keep.dead_letters", "", "", nullptr};
  CHECK(row.flag() == "--keep-dead-letters");
  CHECK(row.environment() == "AIOS_KEEP_DEAD_LETTERS");
}

TEST_CASE("settings: every name that is none is told of, with its place and the nearest") {
  const std::string text = refused(file("log_levle: warn\nkeep:\n  rums: P7D\nthreads: 0\n"));
  CHECK(has(text, "[AIOS-1460]"));
  CHECK(has(text, "server.yaml:1:1: 'log_levle' is no setting; did you mean 'log_level'?"));
  CHECK(has(text, "server.yaml:3:3: 'keep.rums' is no setting; did you mean 'keep.runs'?"));
  CHECK(has(text, "server.yaml:4:10: 'threads' is '0'"));  // all at once
}

TEST_CASE("settings: every value that does not fit is told of, with where it was given") {
  Given given = file("threads: 0\n");
  given.flags["log_level"] = "loud";
  const std::string text = refused(given);
  CHECK(has(text, "[AIOS-1461]"));
  CHECK(has(text, "server.yaml:1:10: 'threads' is '0', wanted a number from 1 to 64"));
  CHECK(has(text, "--log-level: 'log_level' is 'loud', wanted one of debug, info, warn, error"));
}

TEST_CASE("settings: a file that is no object, or a list where a value belongs, is told of") {
  CHECK(has(refused(file("- a\n")), "the document is array, wanted an object of settings"));
  CHECK(has(refused(file("region: 'a b'\n")), "wanted 1 to 32 of a-z"));
  CHECK(has(refused(file("region: [eu]\n")), "'region' is array, wanted a text or a number"));
  CHECK(has(refused(file("keep: P7D\n")), "'keep' is no setting"));
  CHECK(has(refused(file("a: [\n")), "[AIOS-0100]"));
  CHECK(refused(file("")).empty());
}

}  // namespace aios::app
