#include "src/net/server_peer.h"

#include <exception>

namespace tracekeeper::net {

Response CallHandler(const PeerHost& host, const Request& request) {
  try {
    return host.handler()(request);
  } catch (const std::exception& exception) {
    host.log().Error("Handler threw an exception", {{"method", request.method},
                                                    {"path", PathOf(request.target)},
                                                    {"error", exception.what()}});
  } catch (...) {
    host.log().Error("Handler threw an exception",
                     {{"method", request.method}, {"path", PathOf(request.target)}});
  }
  return {500, {{"Content-Type", "text/plain; charset=utf-8"}}, "The server failed.\n"};
}

}  // namespace tracekeeper::net
