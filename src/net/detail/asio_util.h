// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/asio_util: what the kinds of sockets share: results, names and connecting.
// Included by the .cc files of sockets only.

#include "net/detail/address.h"
#include "net/detail/names.h"
#include "net/detail/socket.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::net::detail {

using Tcp = boost::asio::ip::tcp;

/// In the generic category, which no system call of a socket answers with.
inline boost::system::error_code beyond_reach() {
  return boost::system::errc::make_error_code(boost::system::errc::operation_not_permitted);
}

inline IoResult to_result(const boost::system::error_code& error, std::size_t bytes) {
  if (!error) {
    return {.status = IoStatus::ok, .bytes = bytes, .text = ""};
  }
  if (error == boost::asio::error::operation_aborted) {
    return {.status = IoStatus::aborted, .bytes = bytes, .text = "closed by this side"};
  }
  if (error == boost::asio::error::eof) {
    return {.status = IoStatus::end, .bytes = bytes, .text = "closed by the peer"};
  }
  if (error == beyond_reach() && error.category() == boost::system::generic_category()) {
    return {.status = IoStatus::beyond, .bytes = bytes, .text = "every address is a private one"};
  }
  const char* text = "the connection failed";
  if (error == boost::asio::error::connection_refused) {
    text = "connection refused";
  } else if (error == boost::asio::error::connection_reset ||
             error == boost::asio::error::broken_pipe) {
    text = "connection reset by the peer";
  } else if (error == boost::asio::error::host_unreachable ||
             error == boost::asio::error::network_unreachable) {
    text = "host not reachable";
  } else if (error == boost::asio::error::timed_out) {
    text = "connection timed out";
  } else if (error == boost::asio::error::host_not_found ||
             error == boost::asio::error::host_not_found_try_again ||
             error == boost::asio::error::no_data) {
    text = "host name not found";
  }
  return {.status = IoStatus::failed, .bytes = bytes, .text = text};
}

/// "127.0.0.1:5123"; empty when the peer is gone.
inline std::string peer_name(const Tcp::socket& socket) {
  boost::system::error_code error;
  const Tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) {
    return {};
  }
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

/// The addresses that a target may be reached at.
inline std::vector<Tcp::endpoint> within_reach(const Names::Addresses& found,
                                               const Target& target) {
  std::vector<Tcp::endpoint> out;
  for (const std::string& text : found) {
    boost::system::error_code no_address;
    const auto address = boost::asio::ip::make_address(text, no_address);
    if (!no_address && (!target.public_only || !is_private(address))) {
      out.emplace_back(address, target.port);
    }
  }
  return out;
}

/// One name, asked for by one socket, which can leave before there is an answer. One shard.
class Asking {
 public:
  using Done =
      std::function<void(const boost::system::error_code& error, const Names::Addresses& found)>;
  explicit Asking(boost::asio::io_context& context) : context_(context) {}

  /// @param done  called once, from the loop: with an error where there are no addresses
  void begin(const Target& target, Done done) {
    state_ = std::make_shared<Done>(std::move(done));
    target.names->ask(target.host, [&context = context_, state = state_](const auto& found) {
      boost::asio::post(context, [state, found] {
        boost::system::error_code error;
        if (found.empty()) {
          error = boost::asio::error::host_not_found;
        }
        if (const Done now = std::exchange(*state, {})) {
          now(error, found);
        }
      });
    });
  }
  void cancel() {
    if (state_ == nullptr || !*state_) {
      return;
    }
    boost::asio::post(context_, [left = std::exchange(*state_, {})] {
      left(boost::asio::error::operation_aborted, {});
    });
  }

 private:
  boost::asio::io_context& context_;
  std::shared_ptr<Done> state_;
};

/// Connects to the first address that answers, then calls done(error). What is connected to is what
/// was looked at: a name that stands for another address a moment later changes nothing.
template <class Finish>
void connect_to(Tcp::socket& socket, Asking& asking, const Target& target, Finish done) {
  boost::system::error_code not_literal;
  const auto address = boost::asio::ip::make_address(target.host, not_literal);
  auto finish = [&socket, done](const boost::system::error_code& error) {
    boost::system::error_code ignored;
    if (!error) {
      // Without it every kept-alive answer may wait 40 ms for an acknowledgement.
      socket.set_option(Tcp::no_delay(true), ignored);
      socket.non_blocking(true, ignored);
    }
    done(error);
  };
  if (!not_literal && target.public_only && is_private(address)) {
    boost::asio::post(socket.get_executor(), [finish] { finish(beyond_reach()); });
    return;
  }
  if (!not_literal) {
    socket.async_connect({address, target.port}, finish);
    return;
  }
  asking.begin(target, [&socket, &target, finish](const boost::system::error_code& error,
                                                  const Names::Addresses& found) {
    const auto allowed = within_reach(found, target);
    if (error || allowed.empty()) {
      finish(error ? error : beyond_reach());
      return;
    }
    boost::asio::async_connect(
        socket, allowed, [finish](const boost::system::error_code& failed, const Tcp::endpoint&) {
          finish(failed);
        });
  });
}

}  // namespace aios::net::detail
