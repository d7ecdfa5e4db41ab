// SPDX-License-Identifier: Apache-2.0
// The listener's certificate: read before the port opens, looked at again while it is open.
#include "app/detail/system_impl.h"
#include "core/time.h"
#include "observe/metric_table.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

constexpr auto warned_before = std::chrono::hours(24 * 14);

}  // namespace

Result<void> SystemImpl::load_certificate() {
  if (!options_.listen || options_.tls.certificate.empty()) {
    return {};
  }
  auto loaded = net::TlsIdentity::load(options_.tls);
  if (!loaded.ok()) {
    return std::move(loaded).error();
  }
  tls_ = std::move(*loaded);
  metrics_.gauge(observe::metric("aios_tls_certificate_expiry_seconds"),
                 [tls = tls_] { return static_cast<double>(tls->good_until().ns) / 1e9; });
  warn_of_certificate();
  return {};
}

/// It is served all the same: an outage that everybody sees would be no better.
void SystemImpl::warn_of_certificate() {
  const Time now = runtime::system_clock().now();
  const Time until = tls_->good_until();
  std::string trouble;
  if (now > until) {
    trouble = fmt::format("the listener's certificate has expired at {}", to_rfc3339(until));
  } else if (now < tls_->good_from()) {
    trouble = fmt::format("the listener's certificate is not good before {}",
                          to_rfc3339(tls_->good_from()));
  } else if (until - now < warned_before) {
    trouble = fmt::format("the listener's certificate ends at {}: renew it", to_rfc3339(until));
  }
  if (!trouble.empty() && trouble != certificate_trouble_) {
    log_.write(observe::Level::warn, "app", trouble);
  }
  certificate_trouble_ = trouble;
}

bool SystemImpl::look_at_certificate() {
  if (!tls_) {
    return false;
  }
  auto changed = tls_->reload();
  if (!changed.ok()) {  // once: it is looked at every minute
    const std::string trouble = changed.error().text();
    if (trouble != certificate_trouble_) {
      log_.error("app", std::move(changed).error().with("renewing the listener's certificate"));
    }
    certificate_trouble_ = trouble;
    return false;
  }
  if (*changed) {
    log_.write(observe::Level::info, "app", "the listener shows a renewed certificate",
               {{"until", to_rfc3339(tls_->good_until())}, {"sha256", tls_->fingerprint()}});
  }
  warn_of_certificate();
  return *changed;
}

}  // namespace aios::app
