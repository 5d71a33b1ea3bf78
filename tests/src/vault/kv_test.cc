#include "src/vault/kv.h"

#include <gtest/gtest.h>

#include "tests/src/vault/fixture.h"

namespace tracekeeper::vault {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMountV2 = R"({"data":{"type":"kv","options":{"version":"2"}}})";
constexpr std::string_view kMountV1 = R"({"data":{"type":"kv","options":{"version":"1"}}})";
constexpr std::string_view kMountPlain = R"({"data":{"type":"kv","options":null}})";
constexpr std::string_view kMountPki = R"({"data":{"type":"pki","options":null}})";
constexpr std::string_view kNoErrors = R"({"errors":[]})";
constexpr std::string_view kVersion3 =
    R"({"request_id":"ab-12","data":{"data":{"password":"p\u00e4ss","port":5432,"tls":{"on":[true,null]}},
        "metadata":{"created_time":"2026-01-02T03:04:05.123456789Z","custom_metadata":{"owner":"shop"},
                    "deletion_time":"","destroyed":false,"version":3}}})";
constexpr std::string_view kDeletedTip =
    R"({"data":{"current_version":3,"oldest_version":1,"max_versions":0,
        "updated_time":"2026-01-02T03:04:05Z","custom_metadata":null,"versions":{
        "1":{"created_time":"2026-01-02T03:04:05Z","deletion_time":"","destroyed":true},
        "2":{"created_time":"2026-01-02T03:04:05Z","deletion_time":"","destroyed":false},
        "3":{"created_time":"2026-01-02T03:04:05Z","deletion_time":"2026-01-02T03:05:05Z","destroyed":false}}}})";

struct KvBench : Bench {
  Kv2 kv{"kv", caller};
  Kv1 old{"kv", caller};
};

SecretValues OneValue() {
  SecretValues values;
  values.emplace("password", crypto::SecretString(kCanary));
  return values;
}

TEST(Kv2, ReadsAVersionWithItsMetadata) {
  KvBench bench;
  bench.Reply(200, std::string(kVersion3));
  const auto secret = bench.kv.Read("shop/otlp", 3, bench.stop);
  ASSERT_TRUE(secret) << secret.error().message;
  EXPECT_EQ(bench.transport.requests()[0].target, "/v1/kv/data/shop/otlp?version=3");
  EXPECT_EQ(secret->version, 3U);
  EXPECT_EQ(secret->request_id, "ab-12");
  EXPECT_EQ(secret->created, bench.clock.Now() + 123456789ns);
  EXPECT_EQ(secret->custom_metadata.at("owner"), "shop");
  EXPECT_EQ(secret->values.at("password").Reveal(), "p\u00e4ss");
  EXPECT_EQ(secret->values.at("port").Reveal(), "5432");
  EXPECT_EQ(secret->values.at("tls").Reveal(), R"({"on":[true,null]})");
  EXPECT_EQ(secret->json.Reveal(),
            "{\"password\":\"p\u00e4ss\",\"port\":5432,\"tls\":{\"on\":[true,null]}}");
  EXPECT_EQ((*ValueOf(*secret, "port"))->Reveal(), "5432");
  const auto missing = ValueOf(*secret, "user");
  EXPECT_EQ(LabelOf(missing), "secret_malformed");
  EXPECT_NE(missing.error().message.find("user"), std::string::npos);
  EXPECT_EQ(missing.error().message.find("5432"), std::string::npos);
}

TEST(Kv2, TheBaseOfAWriteIsTheTipEvenWhereItIsDeleted) {
  KvBench bench;
  bench.Reply(200, std::string(kDeletedTip));
  EXPECT_EQ(bench.kv.CasBase("shop", bench.stop).value_or(99), 3U);
  bench.Reply(404, std::string(kNoErrors));
  bench.Reply(200, std::string(kMountV2));
  EXPECT_EQ(bench.kv.CasBase("new", bench.stop).value_or(99), 0U);
  bench.Reply(403, R"({"errors":["permission denied"]})");
  EXPECT_EQ(LabelOf(bench.kv.CasBase("shop", bench.stop)), "permission_denied");
}

TEST(Kv2, MetadataTellsTheStateOfEachVersion) {
  KvBench bench;
  bench.Reply(200, std::string(kDeletedTip));
  const auto metadata = bench.kv.ReadMetadata("shop", bench.stop);
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->versions.at(1), VersionState::kDestroyed);
  EXPECT_EQ(metadata->versions.at(2), VersionState::kLive);
  EXPECT_EQ(metadata->versions.at(3), VersionState::kDeleted);
}

TEST(Kv2, WritesOnItsBaseAndAsksForTheMountOnlyOnce) {
  KvBench bench;
  bench.Reply(200, std::string(kMountV2));
  bench.Reply(200, R"({"request_id":"ab-13","data":{"version":4}})");
  const auto written = bench.kv.Write("shop", OneValue(), 3, bench.stop);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->version, 4U);
  EXPECT_EQ(written->request_id, "ab-13");
  EXPECT_EQ(bench.transport.requests()[0].target, "/v1/sys/internal/ui/mounts/kv");
  EXPECT_EQ(bench.transport.requests()[1].body,
            R"({"options":{"cas":3},"data":{"password":")" + std::string(kCanary) + R"("}})");
  bench.Reply(400, R"({"errors":["check-and-set parameter did not match the current version"]})");
  const auto conflict = bench.kv.Write("shop", OneValue(), 3, bench.stop);
  EXPECT_EQ(LabelOf(conflict), "cas_conflict");
  EXPECT_EQ(conflict.error().kind, ErrorKind::kConflict);
}

TEST(Kv2, NothingIsWrittenToAMountOfVersionOne) {
  for (const std::string_view mount : {kMountV1, kMountPlain, kMountPki}) {
    KvBench bench;
    bench.Reply(200, std::string(mount));
    EXPECT_EQ(LabelOf(bench.kv.Write("shop", OneValue(), 0, bench.stop)), "wrong_kv_version");
    EXPECT_EQ(bench.transport.requests().size(), 1U);
  }
  // Where nobody may ask for the mount, the answer tells.
  KvBench bench;
  bench.Reply(403, R"({"errors":["permission denied"]})");
  bench.Reply(204, "");
  EXPECT_EQ(LabelOf(bench.kv.Write("shop", OneValue(), 0, bench.stop)), "wrong_kv_version");
}

TEST(Kv2, AReadOfAMountOfVersionOneSaysSo) {
  KvBench bench;
  bench.Reply(404, std::string(kNoErrors));
  bench.Reply(200, std::string(kMountV1));
  EXPECT_EQ(LabelOf(bench.kv.Read("shop", 0, bench.stop)), "wrong_kv_version");
  bench.Reply(200, R"({"data":{"password":"x"}})");
  EXPECT_EQ(LabelOf(bench.kv.Read("shop", 0, bench.stop)), "wrong_kv_version");
  bench.Reply(404, std::string(kNoErrors));
  bench.Reply(200, std::string(kMountV2));
  EXPECT_EQ(LabelOf(bench.kv.Read("shop", 0, bench.stop)), "not_found");
}

TEST(Kv2, ChangesVersionsAndCustomMetadata) {
  KvBench bench;
  bench.Reply(200, std::string(kMountV2));
  for (int call = 0; call < 4; ++call) bench.Reply(204, "");
  EXPECT_TRUE(bench.kv.Delete("shop", {1, 2}, bench.stop));
  EXPECT_TRUE(bench.kv.Undelete("shop", {2}, bench.stop));
  EXPECT_TRUE(bench.kv.Destroy("shop", {1}, bench.stop));
  EXPECT_TRUE(bench.kv.PatchCustomMetadata("shop", {{"a", "1"}, {"b", std::nullopt}}, bench.stop));
  const auto requests = bench.transport.requests();
  EXPECT_EQ(requests[1].target, "/v1/kv/delete/shop");
  EXPECT_EQ(requests[1].body, R"({"versions":[1,2]})");
  EXPECT_EQ(requests[2].target, "/v1/kv/undelete/shop");
  EXPECT_EQ(requests[3].target, "/v1/kv/destroy/shop");
  EXPECT_EQ(requests[4].method, "PATCH");
  EXPECT_EQ(requests[4].headers.Get("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(requests[4].body, R"({"custom_metadata":{"a":"1","b":null}})");
}

TEST(Kv2, RefusesPathsBeforeItAsks) {
  KvBench bench;
  EXPECT_EQ(bench.kv.Read("../sys/seal", 0, bench.stop).error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(bench.kv.Write("/shop", OneValue(), 0, bench.stop));
  EXPECT_FALSE(bench.kv.Destroy("shop//x", {1}, bench.stop));
  EXPECT_FALSE(bench.old.Read("..", bench.stop));
  EXPECT_TRUE(bench.transport.requests().empty());
}

TEST(Kv2, WhatIsNoSecretIsRefusedWithoutItsBytes) {
  const std::string canary(kCanary);
  const std::string bodies[] = {
      R"({"data":{"data":")" + canary +
          R"(","metadata":{"version":1,"created_time":"2026-01-02T03:04:05Z"}}})",
      R"({"data":{"data":{"a":")" + canary + R"("},"metadata":{"version":"1"}}})",
      R"({"data":{"data":{"a":")" + canary +
          R"("},"metadata":{"version":1,"created_time":"yesterday"}}})",
      R"({"data":{"data":{"a":")" + canary +
          R"("},"metadata":{"version":1,"created_time":"2026-13-02T03:04:05Z"}}})",
      R"({"data":{"data":{"a":")" + canary +
          R"("},"metadata":{"version":-1,"created_time":"2026-01-02T03:04:05Z"}}})",
      R"({"data":{"data":{"a":")" + canary +
          R"("},"metadata":{"version":1,"created_time":"2026-01-02T03:04:05Z","custom_metadata":{"x":[]}}}})",
  };
  for (const std::string& body : bodies) {
    KvBench bench;
    bench.Reply(200, body);
    const auto secret = bench.kv.Read("shop", 0, bench.stop);
    EXPECT_EQ(LabelOf(secret), "secret_malformed") << body;
    EXPECT_EQ(secret.error().message.find("CANARY"), std::string::npos);
  }
  KvBench bench;
  std::string many;
  for (std::size_t key = 0; key <= kMostKeys; ++key)
    many += ",\"" + std::to_string(key) + "\":\"\"";
  bench.Reply(200, R"({"data":{"data":{)" + many.substr(1) +
                       R"(},"metadata":{"version":1,"created_time":"2026-01-02T03:04:05Z"}}})");
  EXPECT_EQ(LabelOf(bench.kv.Read("shop", 0, bench.stop)), "secret_malformed");
}

TEST(Kv1, ReadsWritesAndDeletes) {
  KvBench bench;
  bench.Reply(200, R"({"data":{"password":"x","n":1}})");
  const auto secret = bench.old.Read("shop", bench.stop);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->values.at("password").Reveal(), "x");
  EXPECT_EQ(secret->json.Reveal(), R"({"password":"x","n":1})");
  bench.Reply(204, "");
  EXPECT_TRUE(bench.old.Write("shop", OneValue(), bench.stop));
  bench.Reply(204, "");
  EXPECT_TRUE(bench.old.Delete("shop", bench.stop));
  EXPECT_EQ(bench.transport.requests()[2].method, "DELETE");
  EXPECT_EQ(bench.transport.requests()[2].target, "/v1/kv/shop");
}

}  // namespace
}  // namespace tracekeeper::vault
