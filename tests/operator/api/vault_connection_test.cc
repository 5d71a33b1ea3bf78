#include "operator/api/vault_connection.h"

#include <gtest/gtest.h>

#include "src/codec/decode.h"
#include "src/codec/yaml.h"
#include "tests/operator/api/object_table.h"

namespace tracekeeper::api {
namespace {

// A connection in namespace "shop" with this spec, in YAML.
VaultConnection ConnectionOf(std::string_view spec) {
  codec::YamlParser yaml;
  codec::JsonParser parser;
  return DecodeVaultConnection(
             parser
                 .Parse(R"({"metadata":{"name":"vault","namespace":"shop"},"spec":)" +
                        yaml.Parse(spec).value().ToJson() + "}")
                 .value())
      .value();
}

TEST(VaultConnection, SmallestOneHasTheDefaultsOfTheDesign) {
  const VaultConnection connection = ConnectionOf(
      "{address: 'https://vault', ca: {configMapRef: {name: ca, key: ca.crt}}, "
      "auth: {kubernetes: {role: shop, serviceAccount: login}}}");
  EXPECT_EQ(connection.spec.auth.kubernetes->mount, "kubernetes");
  EXPECT_EQ(connection.spec.limits.qps, 20);
  EXPECT_EQ(connection.spec.limits.burst, 40);
  EXPECT_EQ(connection.spec.vault_namespace, "");
}

TEST(VaultConnection, AllowsItsOwnNamespaceUnlessItSaysOtherwise) {
  VaultConnection connection;
  connection.metadata.key = {"shop", "vault"};
  EXPECT_TRUE(connection.Allows("shop"));
  EXPECT_FALSE(connection.Allows("payments"));
  connection.spec.allowed_namespaces = {"payments"};
  EXPECT_TRUE(connection.Allows("payments"));
  EXPECT_FALSE(connection.Allows("shop")) << "the list says it all";
  EXPECT_FALSE(connection.Allows("payment"));
  connection.spec.allowed_namespaces = {"*"};
  EXPECT_TRUE(connection.Allows("anything"));
}

TEST(VaultConnection, EveryGoodOneComesBackFromItsEncoding) {
  const auto table = ReadObjectTable(kVaultConnectionKind, "good_connections.yaml");
  ASSERT_TRUE(table) << table.error().message;
  for (const ObjectCase& object : *table) {
    codec::JsonParser parser;
    const auto decoded = DecodeVaultConnection(parser.Parse(object.document).value());
    ASSERT_TRUE(decoded) << object.name << ": " << decoded.error().message;
    const std::string encoded = EncodeSpec(decoded->spec);
    codec::JsonParser again_parser;
    const auto again =
        codec::Decode<VaultConnectionSpec>(again_parser.Parse(encoded).value(), "spec");
    ASSERT_TRUE(again) << object.name << ": " << again.error().message;
    EXPECT_EQ(*again, decoded->spec) << object.name;
  }
}

TEST(VaultConnection, AnotherKindIsRefused) {
  codec::JsonParser parser;
  const auto connection = DecodeVaultConnection(
      parser.Parse(R"({"kind":"TracingPolicy","metadata":{"name":"a","namespace":"b"}})").value());
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().message, "b/a is a TracingPolicy, not a VaultConnection");
}

}  // namespace
}  // namespace tracekeeper::api
