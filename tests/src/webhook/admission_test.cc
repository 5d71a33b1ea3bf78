#include "src/webhook/admission.h"

#include <gtest/gtest.h>

#include "src/codec/base64.h"

namespace tracekeeper::webhook {
namespace {

constexpr std::string_view kReview = R"({
  "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
  "request": {"uid": "u-1", "operation": "CREATE", "namespace": "shop", "name": "web-1",
    "dryRun": true, "resource": {"group": "", "version": "v1", "resource": "pods"},
    "object": {"kind": "Pod"}, "fieldNewerThanUs": {"a": [1]}}})";

TEST(ReadAdmissionReview, TakesWhatADecisionNeedsAndPassesOverTheRest) {
  codec::JsonParser parser;
  const auto request = ReadAdmissionReview(*parser.Parse(kReview));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->uid, "u-1");
  EXPECT_EQ(request->operation, "CREATE");
  EXPECT_EQ(request->namespace_name, "shop");
  EXPECT_EQ(request->name, "web-1");
  EXPECT_EQ(request->resource, "pods");
  EXPECT_TRUE(request->dry_run);
  EXPECT_EQ(request->object["kind"].StringOr(""), "Pod");
}

struct BadReview {
  const char* name;
  const char* json;
  const char* message;
};

class RefusedReview : public testing::TestWithParam<BadReview> {};

TEST_P(RefusedReview, SaysWhatIsWrong) {
  codec::JsonParser parser;
  const auto request = ReadAdmissionReview(*parser.Parse(GetParam().json));
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedReview,
    testing::Values(
        BadReview{"array", "[]", "the body is not a JSON object: send an AdmissionReview"},
        BadReview{"other_kind", R"({"kind": "Pod", "apiVersion": "v1"})",
                  "expected kind AdmissionReview of admission.k8s.io/v1, got kind \"Pod\" of "
                  "\"v1\""},
        BadReview{"old_version",
                  R"({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1beta1"})",
                  "expected kind AdmissionReview of admission.k8s.io/v1, got kind "
                  "\"AdmissionReview\" of \"admission.k8s.io/v1beta1\""},
        BadReview{"no_request",
                  R"({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"})",
                  "the AdmissionReview has no request"},
        BadReview{"no_uid",
                  R"({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
                      "request": {"operation": "CREATE"}})",
                  "the AdmissionReview's request has no uid"},
        BadReview{"uid_of_another_kind",
                  R"({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
                      "request": {"uid": 7}})",
                  "the AdmissionReview's request has no uid"}),
    [](const auto& param) { return param.param.name; });

class WrittenReview : public testing::Test {
 protected:
  codec::JsonValue Write(const AdmissionResponse& response) {
    codec::JsonParser request_parser;
    const auto request = ReadAdmissionReview(*request_parser.Parse(kReview));
    text_ = WriteAdmissionReview(*request, response);
    return *parser_.Parse(text_);
  }

  std::string text_;
  codec::JsonParser parser_;
};

TEST_F(WrittenReview, EchoesVersionAndUid) {
  const codec::JsonValue review = Write({});
  EXPECT_EQ(review["apiVersion"].StringOr(""), "admission.k8s.io/v1");
  EXPECT_EQ(review["response"]["uid"].StringOr(""), "u-1");
  EXPECT_TRUE(review["response"]["allowed"].BoolOr(false));
}

TEST_F(WrittenReview, LeavesPatchFieldsOutWhenThereIsNothingToAdd) {
  const codec::JsonValue response = Write({})["response"];
  EXPECT_FALSE(response["patch"]);
  EXPECT_FALSE(response["patchType"]);
  EXPECT_FALSE(response["warnings"]);
}

TEST_F(WrittenReview, SendsThePatchAsBase64) {
  const codec::JsonValue response = Write({.patch = R"([{"op":"add"}])"})["response"];
  EXPECT_EQ(response["patchType"].StringOr(""), "JSONPatch");
  EXPECT_EQ(*codec::DecodeBase64(response["patch"].StringOr("")), R"([{"op":"add"}])");
}

TEST_F(WrittenReview, RefusesWithASentence) {
  const codec::JsonValue response = Write({.allowed = false, .message = "no"})["response"];
  EXPECT_FALSE(response["allowed"].BoolOr(true));
  EXPECT_EQ(response["status"]["code"].IntegerOr(0), 403);
  EXPECT_EQ(response["status"]["message"].StringOr(""), "no");
}

TEST_F(WrittenReview, CutsLongWarningsAtACharacterAndManyAtTheLimit) {
  AdmissionResponse response;
  std::string umlauts;
  while (umlauts.size() < 2 * kMaxWarningBytes) umlauts += "ü";
  response.warnings.assign(kMaxWarnings + 5, "x" + umlauts);
  const codec::JsonValue warnings = Write(response)["response"]["warnings"];
  EXPECT_EQ(warnings.size(), kMaxWarnings);
  for (const codec::JsonValue warning : warnings.Elements()) {
    const std::string_view text = warning.StringOr("");
    EXPECT_LE(text.size(), kMaxWarningBytes);
    EXPECT_EQ((text.size() - 1) % 2, 0U) << "half a character";
  }
}

}  // namespace
}  // namespace tracekeeper::webhook
