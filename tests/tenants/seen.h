// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/tenants/seen: what a caller is shown, with all that is random named by its first
// appearance, so that two worlds can be compared word by word; and the ids that it learned on the
// way.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace aios::tenants {

class Seen {
 public:
  /// An id keeps its kind and its time and becomes run_01k5tv...#3; digests, secrets and signatures
  /// (32 hex digits, 40 of base64 and more) keep their length. An id that is another's becomes
  /// "another's run".
  std::string plain(std::string_view text);
  /// Of a body that is JSON without what is signed or salted, which no two installations have
  /// alike.
  std::string plain_body(const std::string& body);
  void is_anothers(const std::string& id) { anothers_.insert(id); }
  /// Its own, in the order of their first appearance.
  const std::vector<std::string>& ids(std::string_view prefix) const;
  /// All of them.
  const std::map<std::string, std::vector<std::string>, std::less<>>& all() const { return ids_; }

 private:
  std::string plain_id(std::string_view kind, std::string_view shown, std::string_view word);
  std::string number_of(const std::string& word);

  std::map<std::string, std::size_t, std::less<>> numbers_;
  std::map<std::string, std::vector<std::string>, std::less<>> ids_;
  std::set<std::string, std::less<>> anothers_;
};

}  // namespace aios::tenants
