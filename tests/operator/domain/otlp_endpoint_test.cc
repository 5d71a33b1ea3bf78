#include "operator/domain/otlp_endpoint.h"

#include <gtest/gtest.h>

namespace tracekeeper::domain {
namespace {

const OtlpEndpoint kEndpoint{.service = "tk-otlp",
                             .namespace_name = "tracekeeper-system",
                             .pod = "operator-0",
                             .address = "10.0.0.7"};

class EndpointSlice : public testing::Test {
 protected:
  codec::JsonValue Parse(const std::string& json) { return *parser_.Parse(json); }
  codec::JsonParser parser_;
};

TEST_F(EndpointSlice, IsOfTheServiceAndLeavesOtherManagersOut) {
  const auto slice = Parse(EndpointSliceJson(kEndpoint, std::nullopt));
  EXPECT_EQ(slice["apiVersion"].StringOr(""), "discovery.k8s.io/v1");
  const auto metadata = slice["metadata"];
  EXPECT_EQ(metadata["name"].StringOr(""), kOtlpEndpointSlice);
  EXPECT_EQ(metadata["labels"]["kubernetes.io/service-name"].StringOr(""), "tk-otlp");
  EXPECT_EQ(metadata["labels"]["endpointslice.kubernetes.io/managed-by"].StringOr(""),
            "tracekeeper.dev");
  EXPECT_FALSE(metadata["ownerReferences"]);
}

TEST_F(EndpointSlice, NamesTheOnePodAndItsPorts) {
  const auto slice = Parse(EndpointSliceJson(kEndpoint, std::nullopt));
  int endpoints = 0;
  for (const auto one : slice["endpoints"].Elements()) {
    ++endpoints;
    for (const auto address : one["addresses"].Elements()) {
      EXPECT_EQ(address.StringOr(""), "10.0.0.7");
    }
    EXPECT_EQ(one["targetRef"]["name"].StringOr(""), "operator-0");
  }
  EXPECT_EQ(endpoints, 1);
  std::string ports;
  for (const auto port : slice["ports"].Elements()) {
    ports += std::string(port["name"].StringOr("")) + "=" +
             std::to_string(port["port"].IntegerOr(0)) + " ";
  }
  EXPECT_EQ(ports, "otlp-grpc=4317 otlp-http=4318 api=8085 ");
}

TEST_F(EndpointSlice, SaysWhichFamilyItsAddressIsOf) {
  OtlpEndpoint endpoint = kEndpoint;
  EXPECT_EQ(Parse(EndpointSliceJson(endpoint, std::nullopt))["addressType"].StringOr(""), "IPv4");
  endpoint.address = "fd00::7";
  EXPECT_EQ(Parse(EndpointSliceJson(endpoint, std::nullopt))["addressType"].StringOr(""), "IPv6");
}

TEST_F(EndpointSlice, GoesWithItsOwner) {
  const kube::OwnerReference owner{.api_version = "rbac.authorization.k8s.io/v1",
                                   .kind = "ClusterRole",
                                   .name = "tk",
                                   .uid = "42"};
  const auto slice = Parse(EndpointSliceJson(kEndpoint, owner));
  for (const auto one : slice["metadata"]["ownerReferences"].Elements()) {
    EXPECT_EQ(one["uid"].StringOr(""), "42");
    return;
  }
  FAIL() << "no owner";
}

TEST_F(EndpointSlice, IsOfAReplicaWhileNobodyElseWroteIt) {
  const std::string json = EndpointSliceJson(kEndpoint, std::nullopt);
  EXPECT_TRUE(IsEndpointOf(Parse(json), kEndpoint));
  OtlpEndpoint other = kEndpoint;
  other.pod = "operator-1";
  EXPECT_FALSE(IsEndpointOf(Parse(json), other));
  other = kEndpoint;
  other.address = "10.0.0.8";  // the same name in another life
  EXPECT_FALSE(IsEndpointOf(Parse(json), other));
  EXPECT_FALSE(IsEndpointOf(Parse("{}"), kEndpoint));
}

}  // namespace
}  // namespace tracekeeper::domain
