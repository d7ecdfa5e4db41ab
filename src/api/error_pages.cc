// SPDX-License-Identifier: Apache-2.0
#include "api/error_pages.h"

#include "api/detail/operation.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace aios::api {
namespace {

constexpr std::size_t digits_max = 4;

/// The number in "AIOS-1401", with or without what stands around it in a message; -1 in another
/// text.
int number_of(std::string_view code) {
  std::string text = ascii_lower(trim(code));
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
  }
  constexpr std::string_view prefix = "aios-";
  const std::string_view digits =
      std::string_view(text).substr(text.starts_with(prefix) ? prefix.size() : 0);
  int number = -1;
  const char* end = digits.data() + digits.size();
  const auto [at, failed] = std::from_chars(digits.data(), end, number);
  const bool whole = failed == std::errc() && at == end && digits.size() <= digits_max;
  return whole ? number : -1;
}

Task<net::Response> answer(std::string code) {
  auto page = find_error_page(code);
  if (!page.ok()) {
    co_return net::problem(page.error());
  }
  co_return net::text_response(200, std::string(page->text));
}

Task<net::Response> show(Context, net::Request request) {
  return answer(std::string(request.path_value("code")));
}

}  // namespace

std::string error_title(int number) {
  const auto pages = error_pages();
  const auto found = std::find_if(pages.begin(), pages.end(),
                                  [number](const auto& page) { return page.number == number; });
  return found == pages.end() ? "" : std::string(found->title);
}

std::string with_titles(std::string_view text) {
  constexpr std::string_view form = ": AIOS-0000";
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    out += out.empty() ? "" : "\n";
    out += line;
    const std::string_view end =
        line.size() > form.size() ? line.substr(line.size() - form.size()) : "";
    const int number = end.starts_with(": AIOS-") ? number_of(end.substr(2)) : -1;
    if (const std::string title = number < 0 ? "" : error_title(number); !title.empty()) {
      out += fmt::format(" ({}; aios errors {:04})", title, number);
    }
  }
  return out;
}

Result<ErrorPage> find_error_page(std::string_view code) {
  const int number = number_of(code);
  if (number < 0) {
    return Error(Code::not_found, fmt::format("'{}' is no error code, wanted one such as AIOS-1401",
                                              excerpt(code, 40)))
        .page(1304);
  }
  const auto pages = error_pages();
  const auto nearest =
      std::min_element(pages.begin(), pages.end(), [number](const auto& a, const auto& b) {
        return std::abs(a.number - number) < std::abs(b.number - number);
      });
  AIOS_ASSERT(nearest != pages.end());
  if (nearest->number != number) {
    return Error(Code::not_found,
                 fmt::format("no error has the code {}, the nearest is {}: {}", page_text(number),
                             page_text(nearest->number), nearest->title))
        .page(1304);
  }
  return *nearest;
}

void mount_error_pages(net::Router& router) {
  net::Route route;
  route.method = "GET";
  route.pattern = "/docs/errors/{code}";
  route.operation_id = "errorPage";
  route.summary = "The page of an error code (Markdown as plain text): what happened, what to do.";
  route.access = net::Access::anyone;
  route.body_bytes_max = 0;
  route.handler = show;
  router.add(std::move(route));
}

}  // namespace aios::api
