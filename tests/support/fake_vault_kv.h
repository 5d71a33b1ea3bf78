#pragma once
// FakeKv is one mount of Vault's KV engine, version 1 or 2, in memory (see fake_vault.h).
//
// Threads:  one at a time.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/codec/json_value.h"
#include "src/net/http.h"

namespace tracekeeper::test_support {

/// What the mount is asked: `path` without the mount itself.
struct KvRequest {
  std::string method;
  std::string path;
  std::string version;  // of the query; empty: none
  codec::JsonValue body;
  Instant now;
};

class FakeKv {
 public:
  explicit FakeKv(int version) : version_(version) {}
  net::Response Answer(const KvRequest& request);

 private:
  struct Version {
    std::string data;  // JSON object; empty once destroyed
    Instant created;
    std::string deleted;  // a time, or empty
    bool is_destroyed = false;
  };
  struct Secret {
    std::map<std::uint64_t, Version> versions;
    std::uint64_t newest = 0;
    std::uint64_t max_versions = 0;  // 0: ten
    bool needs_cas = false;
    std::string custom = "null";
    Instant created;
    Instant updated;
  };

  net::Response First(const KvRequest& request);
  net::Response Read(const KvRequest& request, std::string_view path);
  net::Response Write(const KvRequest& request, std::string_view path);
  net::Response Change(const KvRequest& request, std::string_view verb, std::string_view path);
  net::Response Metadata(const KvRequest& request, std::string_view path);
  /// custom_metadata of the request: instead of what was there, or merged into it (PATCH).
  static void TakeCustom(const KvRequest& request, Secret& secret);
  static void WriteVersion(codec::JsonWriter& json, const Secret& secret, std::uint64_t number);

  int version_;
  std::map<std::string, Secret, std::less<>> secrets_;
  std::map<std::string, std::string, std::less<>> first_;  // of version 1: JSON by path
};

/// {"errors":["..."]}; without a sentence an empty list, as Vault answers 404.
net::Response VaultRefusal(int status, std::string_view sentence = {});
/// {"data": ...}
net::Response VaultData(std::string_view data_json);

}  // namespace tracekeeper::test_support
