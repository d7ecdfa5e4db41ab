// SPDX-License-Identifier: Apache-2.0
#include "app/address.h"
#include "app/commands.h"
#include "app/full_disk.h"
#include "app/private_file.h"
#include "app/setting_flags.h"
#include "app/system.h"
#include "app/tenant_reach.h"
#include "core/broken.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>

namespace aios::app {
namespace {

constexpr auto drain_grace = std::chrono::seconds(10);
constexpr int page_no_address = 310;
constexpr int page_setting = 1461;
constexpr int page_other_region = 537;
constexpr int page_folder = 1463;
constexpr int exit_hung_up = 129;  // as a shell has it: 128 and SIGHUP
constexpr long certificate_period_seconds = 60;
constexpr long room_period_seconds = 2;

enum class HangUp : std::uint8_t { ends, looks };

struct ServeOptions {
  SettingFlags flags;
  bool new_audit_key = false;
  bool change_region = false;
};

/// Before any thread starts: they inherit that these wait for sigwait().
sigset_t take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  struct sigaction inherited{};
  sigaction(SIGHUP, nullptr, &inherited);
  if (inherited.sa_handler != SIG_IGN) {  // `nohup`: goes on without its terminal
    sigaddset(&signals, SIGHUP);          // the terminal is gone, or there never was one
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

bool has_terminal() {
  const int terminal = ::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (terminal >= 0) {
    ::close(terminal);
  }
  return terminal >= 0;
}

/// The address for the command line, and under it the certificate that it may take for ours: of
/// names and authorities in it nothing is known here.
Result<void> write_address(const std::string& file, const std::string& url, const System& system) {
  const std::string certificate = system.certificate();
  return write_passing_file(
      file, certificate.empty() ? url + "\n" : fmt::format("{}\n{}\n", url, certificate));
}

/// Until a signal that ends. Without a terminal none can hang up: SIGHUP asks to look now.
/// @param look  is given the signal that asked, or something below 1: it was time
int wait_for_end(const sigset_t& signals, const std::function<void(int signal)>& look,
                 HangUp hang_up) {
  for (;;) {
    siginfo_t info{};
    const timespec period{.tv_sec = certificate_period_seconds, .tv_nsec = 0};
    const int signal = ::sigtimedwait(&signals, &info, &period);
    if (signal > 0 && (signal != SIGHUP || hang_up == HangUp::ends)) {
      return signal;
    }
    look(signal);
  }
}

/// For others: where the server listens, and that it does.
Result<void> tell_address(const std::string& address_file, const std::string& ready_file,
                          const std::string& url, const System& system) {
  auto told = write_address(address_file, url, system);
  return told.ok() && !ready_file.empty()
             ? write_passing_file(ready_file, fmt::format("{}\n", system.port()))
             : told;
}

/// A full disk is waited out. @return null: a signal ended the wait
Result<std::unique_ptr<System>> open_when_there_is_room(const SystemOptions& options,
                                                        const sigset_t& signals) {
  const auto rest = [&signals] {
    siginfo_t info{};
    const timespec period{.tv_sec = room_period_seconds, .tv_nsec = 0};
    const int signal = ::sigtimedwait(&signals, &info, &period);
    return signal <= 0 || signal == SIGHUP;
  };
  auto system = System::open(options);
  while (!system.ok() && lacks_room(options.data, system.error())) {
    auto room = wait_for_room(options, system.error(), rest);
    if (!room.ok()) {
      return std::move(room).error();
    }
    if (!*room) {
      return std::unique_ptr<System>();
    }
    system = System::open(options);
  }
  return system;
}

/// The folders that are named are there and can be used, before anything is made.
Result<void> check_folders(const Settings& settings) {
  struct Folder {
    std::string_view name;
    int use;
    std::string_view cannot;
  };
  constexpr Folder folders[] = {{"watch_root", R_OK | X_OK, "may not read"},
                                {"backups", W_OK | X_OK, "may not write to"}};
  for (const Folder& one : folders) {
    const Settled& folder = settings.at(one.name);
    std::error_code failed;
    const bool exists = std::filesystem::exists(folder.value, failed);
    const bool is_folder = std::filesystem::is_directory(folder.value, failed);
    if (folder.value.empty() || (is_folder && ::access(folder.value.c_str(), one.use) == 0)) {
      continue;
    }
    const std::string found = !exists      ? std::string("is not there")
                              : !is_folder ? std::string("is no folder")
                                           : fmt::format("the server {}", one.cannot);
    return Error(Code::failed_precondition,
                 fmt::format("{}: '{}' is '{}', which {}, wanted a folder that it can use",
                             folder.origin, one.name, folder.value, found))
        .page(page_folder);
  }
  return {};
}

/// @param settings  already judged one by one; here what goes together.
Result<SystemOptions> options_of(const Settings& settings, const ServeOptions& serve) {
  SystemOptions options;
  options.data = settings.text("data");
  options.shards = settings.number("threads");
  options.region = settings.text("region");
  options.region_change =
      serve.change_region ? govern::RegionChange::take : govern::RegionChange::refuse;
  if (serve.change_region && options.region.empty()) {
    return Error(Code::invalid_argument,
                 "--change-region is given, but no 'region' is set, wanted the new one")
        .page(page_setting);
  }
  options.log_level = observe::parse_level(settings.text("log_level")).value_or(options.log_level);
  options.listen = true;
  options.backups = settings.text("backups");
  options.watch_root = settings.text("watch_root");
  if (auto tenants = read_tenants(settings.text("private_tenants")); tenants.ok()) {
    options.private_tenants = std::move(*tenants);  // judged with the settings
  }
  options.lost_audit_key = serve.new_audit_key ? LostAuditKey::make_new : LostAuditKey::refuse;
  if (auto folders = check_folders(settings); !folders.ok()) {
    return std::move(folders).error();
  }
  for (const KeptClass& one : kept_classes) {
    const std::string& age = settings.text(fmt::format("retention.{}", one.name));
    if (!age.empty()) {
      options.keep.push_back({one, parse_iso_duration(age).value()});
    }
  }
  auto address = listen_address(settings.text("listen"));
  if (!address.ok()) {
    return std::move(address).error();
  }
  options.host = address->host;
  options.port = address->port;
  options.tls = {settings.text("tls_cert"), settings.text("tls_key")};
  if (options.tls.certificate.empty() != options.tls.key.empty()) {
    return Error(Code::invalid_argument,
                 fmt::format("{}: '{}' is set without '{}', wanted both or none",
                             settings.at(options.tls.key.empty() ? "tls_cert" : "tls_key").origin,
                             options.tls.key.empty() ? "tls_cert" : "tls_key",
                             options.tls.key.empty() ? "tls_key" : "tls_cert"))
        .page(page_setting);
  }
  if (!settings.text("tls_ca").empty()) {
    auto authorities = net::read_authorities(settings.text("tls_ca"));
    if (!authorities.ok()) {
      return std::move(authorities).error();
    }
    options.authorities = std::move(*authorities);
  }
  return options;
}

std::string url_of(const SystemOptions& options, std::uint16_t port) {
  const bool ipv6 = options.host.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", options.tls.certificate.empty() ? "http" : "https",
                     ipv6 ? "[" + options.host + "]" : options.host, port);
}

/// With the setting that is to be mended. @return null: a signal ended the wait for room
Result<std::unique_ptr<System>> open_system(const SystemOptions& options, const Settings& settings,
                                            const sigset_t& signals) {
  auto system = open_when_there_is_room(options, signals);
  if (!system.ok() && system.error().page() == page_no_address) {
    return std::move(system).error().with(fmt::format(
        "starting with --listen {}; port 0 takes any free one", settings.text("listen")));
  }
  if (!system.ok() && system.error().page() == page_other_region) {
    return std::move(system).error().with("taking 'region' from " + settings.at("region").origin);
  }
  return system;
}

void tell_start(const System& system, const SystemOptions& options, const std::string& url,
                observe::LineWriter& lines) {
  if (!broken_note().empty()) {
    lines.write(fmt::format("aios:{}", broken_note()));
  }
  if (!system.first_key_file().empty()) {
    lines.write(
        fmt::format("aios: the first key, with every right, is in {}; make others, then revoke it",
                    system.first_key_file()));
  }
  lines.write(fmt::format("aios: listening on {}, data in {}", url, options.data));
}

Result<void> serve(Session& session, const ServeOptions& serve) {
  const auto settings = settle(session, serve.flags);
  if (!settings.ok()) {
    return settings.error();
  }
  sigset_t signals = take_signals();
  auto wanted = options_of(*settings, serve);
  if (!wanted.ok()) {
    return std::move(wanted).error();
  }
  SystemOptions options = std::move(*wanted);
  // Its own words take the way of the log: nobody may read stderr any more.
  const auto lines = std::make_shared<observe::LineWriter>(STDERR_FILENO);
  options.log_lines = lines;
  const HangUp hang_up = has_terminal() ? HangUp::ends : HangUp::looks;
  auto system = open_system(options, *settings, signals);
  if (!system.ok()) {
    return std::move(system).error();
  }
  if (*system == nullptr) {
    lines->write("aios: stopped");
    return {};
  }
  const std::string url = url_of(options, (*system)->port());
  tell_start(**system, options, url, *lines);
  const std::string address_file = options.data + "/server.address";
  const std::string& ready_file = settings->text("ready_file");
  auto written = tell_address(address_file, ready_file, url, **system);
  if (!written.ok() && written.error().code() != Code::resource_exhausted) {
    return written;
  }
  if (!written.ok()) {
    lines->write(fmt::format("aios: {}; it is tried again", written.error().text()));
  }
  const auto look = [&](int signal) {
    if (signal == SIGHUP) {
      lines->write(options.tls.certificate.empty()
                       ? "aios: signal 1: there is no certificate to look at; the server goes on"
                       : "aios: signal 1: looking at the certificate");
    }
    if ((*system)->look_at_certificate() || !written.ok()) {  // of a full disk it is tried again
      written = tell_address(address_file, ready_file, url, **system);
      if (!written.ok()) {
        lines->write(fmt::format("aios: {}", written.error().text()));
      }
    }
  };
  const int signal = wait_for_end(signals, look, hang_up);
  session.exit_code = signal == SIGHUP ? exit_hung_up : 0;
  lines->write(fmt::format("aios: signal {}, draining; a second one ends at once", signal));
  if (hang_up == HangUp::looks) {
    sigdelset(&signals, SIGHUP);  // nor does it end the drain
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // what was answered is durable at any time
  std::remove(address_file.c_str());
  auto stopped = (*system)->stop(drain_grace);
  lines->write("aios: stopped");
  return stopped;
}

}  // namespace

void add_serve(Command& app, Session& session) {
  auto* command = app.add_subcommand("serve", "Run the server on the data directory");
  auto options = std::make_shared<ServeOptions>();
  add_settings(*command, &options->flags);
  command->add_flag("--new-audit-key", options->new_audit_key,
                    "Begin a new audit log when audit-signing.key is lost (AIOS-0528)");
  command->add_flag("--change-region", options->change_region,
                    "Take the region that is set for another one than the data have (AIOS-0537)");
  command->callback([&session, options] {
    session.action = [&session, options] { return serve(session, *options); };
  });
}

}  // namespace aios::app
