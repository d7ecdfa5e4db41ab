// SPDX-License-Identifier: Apache-2.0
#include "app/address.h"
#include "app/commands.h"
#include "app/system.h"
#include "app/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>

namespace aios::app {
namespace {

constexpr auto drain_grace = std::chrono::seconds(10);

struct ServeOptions {
  std::string listen = "127.0.0.1:8787";
  std::string ready_file;
  std::string region = "eu";
  std::string log_level = "info";
  std::size_t threads = 2;
  bool new_audit_key = false;
};

/// Complete or absent: others wait for this file.
Result<void> write_whole(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  {
    std::ofstream file(part);
    file << text;
    if (!file.flush()) {
      return Error(Code::permission_denied, fmt::format("cannot write {}", part)).page(1403);
    }
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    return Error(Code::permission_denied, fmt::format("cannot rename {} to {}", part, path))
        .page(1403);
  }
  return {};
}

Result<void> serve(const Session& session, const ServeOptions& serve) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);                    // the terminal is gone
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread starts: they inherit it

  SystemOptions options;
  options.data = session.target.data;
  options.shards = serve.threads;
  options.region = serve.region;
  options.log_level = observe::parse_level(serve.log_level).value_or(options.log_level);
  options.listen = true;
  options.lost_audit_key = serve.new_audit_key ? LostAuditKey::make_new : LostAuditKey::refuse;
  auto address = listen_address(serve.listen);
  if (!address.ok()) {
    return std::move(address).error();
  }
  options.host = address->host;
  options.port = address->port;
  auto system = System::open(options);
  if (!system.ok()) {
    return std::move(system).error();
  }
  const bool ipv6 = options.host.find(':') != std::string::npos;
  const std::string url = fmt::format(
      "http://{}:{}", ipv6 ? "[" + options.host + "]" : options.host, (*system)->port());
  if (!(*system)->first_key_file().empty()) {
    tell("aios: the first key, with every right, is in {}; make others, then revoke it\n",
         (*system)->first_key_file());
  }
  tell("aios: listening on {}, data in {}\n", url, options.data);
  const std::string address_file = options.data + "/server.address";
  auto written = write_whole(address_file, url + "\n");
  if (written.ok() && !serve.ready_file.empty()) {
    written = write_whole(serve.ready_file, fmt::format("{}\n", (*system)->port()));
  }
  if (!written.ok()) {
    return written;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  tell("aios: signal {}, draining; a second one ends at once\n", signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // what was answered is durable at any time
  std::remove(address_file.c_str());
  auto stopped = (*system)->stop(drain_grace);
  tell("aios: stopped\n");
  return stopped;
}

}  // namespace

void add_serve(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("serve", "Run the server on the data directory");
  auto options = std::make_shared<ServeOptions>();
  command->add_option("--listen", options->listen, "HOST:PORT; port 0 takes any free one")
      ->envname("AIOS_LISTEN")
      ->capture_default_str();
  command->add_option("--ready-file", options->ready_file,
                      "Written with the port once requests are answered");
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
