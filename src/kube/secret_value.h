#pragma once
// Reads values out of a Secret into memory that is wiped, and plain texts out of a ConfigMap.
//
// Threads:  safe from any thread; blocks its caller.
// Owner:    for Secrets `client` must be one whose transport wipes what it carried
//           (UnaryAdapter::kBeast).
// Failure:  kNotFound for an object or key that is not there, kForbidden without the right to get
// it,
//           kDecode for what is not base64; each names object and key, never a value.

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/crypto/secret_string.h"
#include "src/kube/client.h"
#include "src/kube/document.h"
#include "src/kube/meta.h"

namespace tracekeeper::kube {

/// data[key] of a Secret that has been read already.
Result<crypto::SecretString> SecretValueOf(const Document& secret, const ObjectKey& object,
                                           std::string_view key);

Result<crypto::SecretString> ReadSecretValue(Client& client, const ObjectKey& object,
                                             std::string_view key, const StopToken& stop);

/// data[key], or binaryData[key], of a ConfigMap.
Result<std::string> ReadConfigMapValue(Client& client, const ObjectKey& object,
                                       std::string_view key, const StopToken& stop);

}  // namespace tracekeeper::kube
