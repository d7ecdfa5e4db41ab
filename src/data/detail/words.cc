// SPDX-License-Identifier: Apache-2.0
#include "data/detail/words.h"

#include "core/text.h"

#include <fmt/format.h>
#include <libstemmer.h>
#include <utf8proc.h>

#include <cstdlib>

namespace aios::data::detail {
namespace {

constexpr std::size_t text_bytes_max = 8'192;
constexpr std::size_t word_bytes_max = 64;

/// Letters, marks and digits. @param length  of the code point, at least 1.
bool in_word(std::string_view text, std::size_t at, std::size_t* length) {
  utf8proc_int32_t point = -1;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  const auto size =
      utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  *length = size > 0 ? static_cast<std::size_t>(size) : 1;
  if (size <= 0) {
    return false;
  }
  const auto category = utf8proc_category(point);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

std::string fold(std::string_view word) {
  constexpr auto options = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  utf8proc_uint8_t* folded = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(word.data()),
                                 static_cast<utf8proc_ssize_t>(word.size()), &folded, options);
  std::string out;
  if (size > 0) {
    out.assign(reinterpret_cast<const char*>(folded), static_cast<std::size_t>(size));
  }
  std::free(folded);  // the library's own allocation
  return out;
}

}  // namespace

struct Stemmer::Impl {
  sb_stemmer* stemmer = nullptr;
  ~Impl() {
    if (stemmer != nullptr) {
      sb_stemmer_delete(stemmer);
    }
  }
  std::string stem(std::string word) const {
    if (stemmer == nullptr) {
      return word;
    }
    const auto* out = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(word.data()),
                                      static_cast<int>(word.size()));
    if (out == nullptr) {
      return word;
    }
    return {reinterpret_cast<const char*>(out),
            static_cast<std::size_t>(sb_stemmer_length(stemmer))};
  }
};

Stemmer::Stemmer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stemmer::Stemmer(Stemmer&&) noexcept = default;
Stemmer::~Stemmer() = default;

Result<Stemmer> Stemmer::open(const std::string& language) {
  auto impl = std::make_unique<Impl>();
  if (language != "none") {
    impl->stemmer = sb_stemmer_new(language.c_str(), "UTF_8");
    if (impl->stemmer == nullptr) {
      return Error(Code::invalid_argument,
                   fmt::format("found the language '{}', wanted 'none' or a name such as english, "
                               "german, french, spanish",
                               excerpt(language, 40)))
          .page(1603);
    }
  }
  return Stemmer(std::move(impl));
}

std::vector<std::string> Stemmer::words(std::string_view text) const {
  text = text.substr(0, text_bytes_max);
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t length = 1;
    if (at < text.size() && in_word(text, at, &length)) {
      at += length;
      continue;
    }
    if (at > begin && at - begin <= word_bytes_max) {
      std::string word = fold(text.substr(begin, at - begin));
      if (!word.empty()) {
        out.push_back(impl_->stem(std::move(word)));
      }
    }
    at += length;
    begin = at;
  }
  return out;
}

}  // namespace aios::data::detail
