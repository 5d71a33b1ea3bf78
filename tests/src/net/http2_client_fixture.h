#pragma once
// What tests of the HTTP/2 client begin with: a client, a call, a server that echoes.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "src/net/http2_client.h"
#include "tests/src/net/test_server.h"

namespace tracekeeper::net {

inline std::unique_ptr<Http2Client> MakeClient(Http2ClientOptions options) {
  options.transport.name = "peer";
  auto client = MakeHttp2Client(std::move(options));
  if (!client) throw std::runtime_error(client.error().message);
  return *std::move(client);
}

inline std::unique_ptr<Http2Client> ClientOf(const std::string& url) {
  return MakeClient({.transport = {.base_url = url}});
}

inline Request Post(std::string body) {
  return {"POST", "/a.B/C", {{"X-Echo", "e"}}, std::move(body)};
}

inline TestServer Http2Echo(ServerOptions options = {}) {
  return TestServer(Echo, std::move(options), &MakeHttp2Server);
}

}  // namespace tracekeeper::net
