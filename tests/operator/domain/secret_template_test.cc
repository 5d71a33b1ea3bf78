#include "operator/domain/secret_template.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "operator/domain/rotation_failure.h"
#include "src/codec/base64.h"
#include "src/codec/json_value.h"
#include "tests/support/folders.h"

namespace tracekeeper::domain {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Values by "slot.key"; the current ones are of slot "".
using Values = std::map<std::string, std::string, std::less<>>;

class Lookup {
 public:
  explicit Lookup(const Values& values) {
    for (const auto& [name, text] : values) secrets_.emplace(name, crypto::SecretString(text));
  }

  [[nodiscard]] SlotValues AsSlotValues() const {
    return [this](SecretSlot slot, std::string_view key) -> const crypto::SecretString* {
      const auto found = secrets_.find(fmt::format("{}.{}", NameOf(slot), key));
      return found == secrets_.end() ? nullptr : &found->second;
    };
  }

 private:
  std::map<std::string, crypto::SecretString, std::less<>> secrets_;
};

Result<std::string> Rendered(std::string_view text, const Values& values) {
  const SecretTemplate parsed = TRY(SecretTemplate::Parse(text));
  const Lookup lookup(values);
  const crypto::SecretString secret = TRY(parsed.Render(lookup.AsSlotValues()));
  return std::string(secret.Reveal());
}

const Values& Sample() {
  static const Values values = {
      {".username", "shop"},
      {".password", "p@ss/w\"rd"},
      {".tls.key", "K"},
      {".previous", "odd"},
      {".previous.x", "odder"},
      {".padded", " \tAb \n"},
      {"previous.password", "old"},
      {"next.password", "new"},
      {"next.tls.key", "NK"},
      {".empty", ""},
      {".bytes", "\xff\xfe"},
      {".next-key", "nk"},
      {".lines", "a\nb\t\\\x01"},
      {".umlaut", "\xc3\xa4"},
  };
  return values;
}

struct RenderCase {
  std::string_view name, text, want;
};

class RendersTemplate : public ::testing::TestWithParam<RenderCase> {};

TEST_P(RendersTemplate, AsTheTableSays) {
  const auto rendered = Rendered(GetParam().text, Sample());
  ASSERT_TRUE(rendered) << rendered.error().message;
  EXPECT_EQ(*rendered, GetParam().want);
}

constexpr RenderCase kRenderCases[] = {
    {"nothing", "", ""},
    {"literal", "no value } }} {", "no value } }} {"},
    {"value", "{{ username }}", "shop"},
    {"withoutSpace", "{{username}}", "shop"},
    {"overLines", "{{\n  username\n}}", "shop"},
    {"twice", "{{username}}{{username}}", "shopshop"},
    {"between", "a{{ username }}b{{ empty }}c", "ashopbc"},
    {"url", "postgres://{{ username }}:{{ password | urlencode }}@db/shop",
     "postgres://shop:p%40ss%2Fw%22rd@db/shop"},
    {"previous", "{{ previous.password }}", "old"},
    {"next", "{{ next.password }}", "new"},
    {"dotInKey", "{{ tls.key }}", "K"},
    {"dotInKeyOfNext", "{{ next.tls.key }}", "NK"},
    {"quoted", "{{ \"tls.key\" }}", "K"},
    {"quotedInSlot", "{{ next.\"tls.key\" }}", "NK"},
    {"keyThatReadsAsASlot", "{{ \"previous.x\" }}", "odder"},
    {"keyNamedAsASlot", "{{ previous }}", "odd"},
    {"keyThatBeginsAsASlot", "{{ next-key }}", "nk"},
    {"base64", "{{ username | base64 }}", "c2hvcA=="},
    {"base64url", "{{ bytes | base64url }}", "__4"},
    {"hex", "{{ bytes | hex }}", "fffe"},
    {"json", "{{ password | json }}", "\"p@ss/w\\\"rd\""},
    {"jsonOfControls", "{{ lines | json }}", "\"a\\nb\\u0009\\\\\\u0001\""},
    {"jsonOfUtf8", "{{ umlaut | json }}", "\"\xc3\xa4\""},
    {"trim", "[{{ padded | trim }}]", "[Ab]"},
    {"trimOfSpaceAlone", "[{{ empty | trim }}]", "[]"},
    {"upper", "{{ username | upper }}", "SHOP"},
    {"lower", "{{ padded | trim | lower }}", "ab"},
    {"inOrder", "{{ username | upper | base64 | urlencode }}", "U0hPUA%3D%3D"},
    {"pipeWithoutSpace", "{{username|upper|lower}}", "shop"},
    {"eightFunctions", "{{ username|upper|lower|upper|lower|upper|lower|upper|lower }}", "shop"},
    {"jsonDocument", "{\"a\":{\"b\":{{ username | json }}}}", "{\"a\":{\"b\":\"shop\"}}"},
};

INSTANTIATE_TEST_SUITE_P(Templates, RendersTemplate, ::testing::ValuesIn(kRenderCases),
                         [](const auto& row) { return std::string(row.param.name); });

class RefusesTemplate : public ::testing::TestWithParam<RenderCase> {};

TEST_P(RefusesTemplate, WithKeyAndPosition) {
  const auto rendered = Rendered(GetParam().text, Sample());
  ASSERT_FALSE(rendered) << *rendered;
  EXPECT_EQ(rendered.error().message, "template, " + std::string(GetParam().want));
  EXPECT_EQ(rendered.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(rendered.error().reason, failure::kTemplateFailed);
}

constexpr RenderCase kRefusals[] = {
    {"notClosed", "ab{{ username", "byte 3: {{ has no }} after it"},
    {"closedByOne", "{{ username }", "byte 1: {{ has no }} after it"},
    {"noKey", "{{ }}",
     "byte 4: a key must stand here, such as {{ password }}; it is letters, digits, - _ and ."},
    {"functionAlone", "{{ | base64 }}",
     "byte 4: a key must stand here, such as {{ password }}; it is letters, digits, - _ and ."},
    {"slotAlone", "{{ previous. }}",
     "byte 13: a key must stand here, such as {{ password }}; it is letters, digits, - _ and ."},
    {"threeBraces", "{{{ username }}}",
     "byte 3: a key must stand here, such as {{ password }}; it is letters, digits, - _ and ."},
    {"twoKeys", "{{ user name }}", "byte 9: what follows \"user\" must be | and a function, or }}"},
    {"call", "{{ username | base64() }}",
     "byte 21: what follows \"username\" must be | and a function, or }}"},
    {"quoteNotClosed", "{{ \"tls.key }}",
     "byte 12: a quoted key is letters, digits, - _ and . between two \""},
    {"unknownFunction", "{{ username | env }}",
     "byte 15: there is no function \"env\": there are base64, base64url, hex, urlencode, json, "
     "trim, upper, lower"},
    {"functionMissing", "{{ username | }}",
     "byte 15: there is no function \"\": there are base64, base64url, hex, urlencode, json, trim, "
     "upper, lower"},
    {"nineFunctions", "{{ username|hex|hex|hex|hex|hex|hex|hex|hex|hex }}",
     "byte 45: more than 8 functions for one value"},
    {"unknownKey", "x{{ passwrd }}",
     "byte 2: there is no key \"passwrd\": correct it, or write it to the source"},
    {"noPrevious", "{{ username }}{{ previous.username }}",
     "byte 15: key \"username\" has no previous value at present"},
    {"noNext", "{{ next.username | base64 }}",
     "byte 1: key \"username\" has no next value at present"},
    {"bytesAsText", "{{ bytes | json }}",
     "byte 1: key \"bytes\": its value is no UTF-8 text, as json needs it"},
};

INSTANTIATE_TEST_SUITE_P(Templates, RefusesTemplate, ::testing::ValuesIn(kRefusals),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(SecretTemplate, SaysWhatItTakes) {
  const auto parsed = SecretTemplate::Parse("{{ user }}{{ next.password | base64 }}");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->values().size(), 2U);
  EXPECT_EQ(parsed->values()[0], (TemplateValue{SecretSlot::kCurrent, "user", {}, 1}));
  EXPECT_EQ(parsed->values()[1],
            (TemplateValue{SecretSlot::kNext, "password", {FindTemplateFunction("base64")}, 11}));
  EXPECT_TRUE(parsed->Takes(SecretSlot::kNext));
  EXPECT_FALSE(parsed->Takes(SecretSlot::kPrevious));
}

TEST(SecretTemplate, HasBounds) {
  EXPECT_TRUE(SecretTemplate::Parse(std::string(kMostTemplate, 'x')));
  EXPECT_THAT(SecretTemplate::Parse(std::string(kMostTemplate + 1, 'x')).error().message,
              HasSubstr("a template is at most 4096 bytes"));
  std::string many;
  for (std::size_t i = 0; i < kMostTemplateValues; ++i) many += "{{k}}";
  EXPECT_TRUE(SecretTemplate::Parse(many));
  EXPECT_THAT(SecretTemplate::Parse(many + "{{k}}").error().message,
              HasSubstr("more than 64 values"));
  EXPECT_THAT(SecretTemplate::Parse("{{ " + std::string(254, 'k') + " }}").error().message,
              HasSubstr("longer than 253 bytes"));

  const Values large = {{".k", std::string(kMostRendered, 'v')},
                        {".quotes", std::string(kMostRendered / 2, '"')}};
  EXPECT_TRUE(Rendered("{{ k }}", large));
  EXPECT_THAT(Rendered("{{ k }}+", large).error().message, HasSubstr("more than 1048576 bytes"));
  EXPECT_THAT(Rendered("{{ k | hex }}", large).error().message,
              HasSubstr("hex makes more than 1048576 bytes"));
  EXPECT_THAT(Rendered("{{ quotes | json | trim }}", large).error().message,
              HasSubstr("json makes more than"));
}

std::string RandomBytes(std::mt19937& random, std::size_t most) {
  std::string text(random() % (most + 1), '\0');
  for (char& c : text) c = static_cast<char>(random() & 0xFF);
  return text;
}

std::string FromHex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string FromUrl(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bytes += text[i] == '%' ? FromHex(text.substr(i + 1, 2)) : std::string(1, text[i]);
    if (text[i] == '%') i += 2;
  }
  return bytes;
}

TEST(SecretTemplate, EncodingsReadBackAsTheValue) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = RandomBytes(random, 40);
    const Values values = {{".k", bytes}};
    EXPECT_EQ(codec::DecodeBase64(*Rendered("{{ k | base64 }}", values)).value(), bytes);
    EXPECT_EQ(FromHex(*Rendered("{{ k | hex }}", values)), bytes);
    EXPECT_EQ(FromUrl(*Rendered("{{ k | urlencode }}", values)), bytes);
    std::string url = *Rendered("{{ k | base64url }}", values);
    for (char& c : url) c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (url.size() % 4 != 0) url.push_back('=');
    EXPECT_EQ(codec::DecodeBase64(url).value(), bytes);
    for (char& c : bytes) c = static_cast<char>(c & 0x7F);
    codec::JsonParser parser;
    const auto json = parser.Parse("[" + *Rendered("{{ k | json }}", {{".k", bytes}}) + "]");
    ASSERT_TRUE(json);
    for (const codec::JsonValue& element : json->Elements()) EXPECT_EQ(element.StringOr(""), bytes);
  }
}

TEST(SecretTemplate, WhatIsNoValueStaysAsItStands) {
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    std::string text;
    std::string want;
    for (std::size_t parts = random() % 9; parts > 0; --parts) {
      std::string literal = RandomBytes(random, 12);
      std::erase(literal, '{');
      text += literal;
      want += literal;
      const std::string value = random() % 2 == 0 ? "a" : "b";
      text += "{{ " + value + " }}";
      want += value == "a" ? "alpha" : "{{ b }}";  // what a value holds is not looked at again
    }
    EXPECT_EQ(Rendered(text, {{".a", "alpha"}, {".b", "{{ b }}"}}).value(), want) << text;
  }
}

TEST(SecretTemplate, ErrorsNeverShowAValue) {
  const Values values = {{".k", "CANARY\xff"}, {"next.k", "CANARY\xff"}};
  for (const std::string_view text :
       {"{{ k }}{{ k | json }}", "{{ k }}{{ previous.k }}", "{{ k | hex }}{{ next.k | json }}"}) {
    const auto rendered = Rendered(text, values);
    ASSERT_FALSE(rendered) << text;
    EXPECT_THAT(rendered.error().message, Not(HasSubstr("CANARY")));
  }
}

TEST(SecretTemplate, EveryFunctionStandsInTheGuide) {
  std::ifstream file(test_support::SourceFolder() / "docs/credentials.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const TemplateFunction& function : TemplateFunctions()) {
    EXPECT_THAT(text, HasSubstr(fmt::format("| `{}` | {} |\n", function.name, function.doc)));
  }
}

}  // namespace
}  // namespace tracekeeper::domain
