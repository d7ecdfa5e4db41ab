// SPDX-License-Identifier: Apache-2.0
#include "app/address.h"
#include "app/commands.h"
#include "app/private_file.h"
#include "app/system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>

namespace aios::app {
namespace {

constexpr auto drain_grace = std::chrono::seconds(10);
constexpr int page_no_address = 310;
constexpr long certificate_period_seconds = 60;

enum class HangUp : std::uint8_t { ends, looks };

struct ServeOptions {
  std::string listen = "127.0.0.1:8787";
  std::string ready_file;
  std::string backups;
  std::string region = "eu";
  std::string log_level = "info";
  net::TlsFiles tls;
  std::size_t threads = 2;
  bool new_audit_key = false;
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
  return write_private_file(
      file, certificate.empty() ? url + "\n" : fmt::format("{}\n{}\n", url, certificate));
}

/// Until a signal that ends. A daemon's SIGHUP asks to look at the certificate now.
int wait_for_end(const sigset_t& signals, const std::function<void()>& look, HangUp hang_up) {
  for (;;) {
    siginfo_t info{};
    const timespec period{.tv_sec = certificate_period_seconds, .tv_nsec = 0};
    const int signal = ::sigtimedwait(&signals, &info, &period);
    if (signal > 0 && (signal != SIGHUP || hang_up == HangUp::ends)) {
      return signal;
    }
    look();
  }
}

Result<SystemOptions> options_of(const Session& session, const ServeOptions& serve) {
  SystemOptions options;
  options.data = session.target.data;
  options.shards = serve.threads;
  options.region = serve.region;
  options.log_level = observe::parse_level(serve.log_level).value_or(options.log_level);
  options.listen = true;
  options.backups = serve.backups;
  options.lost_audit_key = serve.new_audit_key ? LostAuditKey::make_new : LostAuditKey::refuse;
  auto address = listen_address(serve.listen);
  if (!address.ok()) {
    return std::move(address).error();
  }
  options.host = address->host;
  options.port = address->port;
  options.tls = serve.tls;
  if (!session.target.tls_ca.empty()) {
    auto authorities = net::read_authorities(session.target.tls_ca);
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

Result<void> serve(const Session& session, const ServeOptions& serve) {
  const sigset_t signals = take_signals();
  auto wanted = options_of(session, serve);
  if (!wanted.ok()) {
    return std::move(wanted).error();
  }
  SystemOptions options = std::move(*wanted);
  // Its own words take the way of the log: nobody may read stderr any more.
  const auto lines = std::make_shared<observe::LineWriter>(STDERR_FILENO);
  options.log_lines = lines;
  const HangUp hang_up =
      !options.tls.certificate.empty() && !has_terminal() ? HangUp::looks : HangUp::ends;
  auto system = System::open(options);
  if (!system.ok() && system.error().page() == page_no_address) {
    return std::move(system).error().with(
        fmt::format("starting with --listen {}; port 0 takes any free one", serve.listen));
  }
  if (!system.ok()) {
    return std::move(system).error();
  }
  const std::string url = url_of(options, (*system)->port());
  if (!(*system)->first_key_file().empty()) {
    lines->write(
        fmt::format("aios: the first key, with every right, is in {}; make others, then revoke it",
                    (*system)->first_key_file()));
  }
  lines->write(fmt::format("aios: listening on {}, data in {}", url, options.data));
  const std::string address_file = options.data + "/server.address";
  auto written = write_address(address_file, url, **system);
  if (written.ok() && !serve.ready_file.empty()) {
    written = write_private_file(serve.ready_file, fmt::format("{}\n", (*system)->port()));
  }
  if (!written.ok()) {
    return written;
  }
  const auto look = [&] {
    if ((*system)->look_at_certificate()) {
      written = write_address(address_file, url, **system);
      if (!written.ok()) {
        lines->write(fmt::format("aios: {}", written.error().text()));
      }
    }
  };
  const int signal = wait_for_end(signals, look, hang_up);
  lines->write(fmt::format("aios: signal {}, draining; a second one ends at once", signal));
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // what was answered is durable at any time
  std::remove(address_file.c_str());
  auto stopped = (*system)->stop(drain_grace);
  lines->write("aios: stopped");
  return stopped;
}

}  // namespace

void add_serve(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("serve", "Run the server on the data directory");
  auto options = std::make_shared<ServeOptions>();
  command->add_option("--listen", options->listen, "HOST:PORT; port 0 takes any free one")
      ->envname("AIOS_LISTEN")
      ->capture_default_str();
  auto* certificate =
      command
          ->add_option("--tls-cert", options->tls.certificate,
                       "Certificate chain (PEM): speak https; looked at again every minute")
          ->envname("AIOS_TLS_CERT");
  auto* key = command->add_option("--tls-key", options->tls.key, "Its key (PEM, unencrypted)")
                  ->envname("AIOS_TLS_KEY");
  certificate->needs(key);
  key->needs(certificate);
  command->add_option("--ready-file", options->ready_file,
                      "Written with the port once requests are answered");
  command->add_option("--backups", options->backups,
                      "Folder outside which no backup is written that the server is asked for");
  command->add_option("--region", options->region, "Region of the default tenant's data")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Shards, one thread each; 1 to 64")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option("--log-level", options->log_level,
                   "The least important lines to write: debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  command->add_flag("--new-audit-key", options->new_audit_key,
                    "Begin a new audit log when audit-signing.key is lost (AIOS-0528)");
  command->callback([&session, options] {
    session.action = [&session, options] { return serve(session, *options); };
  });
}

}  // namespace aios::app
