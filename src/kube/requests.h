#pragma once
// Requests builds what Client sends: pure functions from what is wanted to an HTTP request, with
// the rules of the API server's parameters in one place.
//
// Threads:  pure functions.

#include <string>
#include <string_view>

#include "src/kube/client.h"
#include "src/net/http.h"

namespace tracekeeper::kube {

/// One request with what errors call it and how it may be repeated.
struct ApiCall {
  net::Request request;
  std::string what;  // "apply configmaps shop/web"
  Repeat repeat = Repeat::kNever;
};

ApiCall GetCall(const Resource& resource, const ObjectKey& key);
ApiCall ListCall(const Resource& resource, const ListOptions& options,
                 std::string_view continue_token);
ApiCall WatchCall(const Resource& resource, const WatchOptions& options);
ApiCall ApplyCall(const Resource& resource, const ObjectKey& key, std::string_view json,
                  const ApplyOptions& options);
ApiCall JsonPatchCall(const Resource& resource, const ObjectKey& key, std::string_view json,
                      const WriteOptions& options);
ApiCall MergePatchCall(const Resource& resource, const ObjectKey& key, std::string_view json,
                       const WriteOptions& options);
ApiCall CreateCall(const Resource& resource, std::string_view namespace_name, std::string_view json,
                   const WriteOptions& options);
ApiCall DeleteCall(const Resource& resource, const ObjectKey& key, const DeleteOptions& options);
ApiCall FromRaw(const RawCall& call);

}  // namespace tracekeeper::kube
