#include "src/codec/protobuf_wire.h"

#include <gmock/gmock.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <variant>
#include <vector>

namespace tracekeeper::codec {
namespace {

using testing::HasSubstr;

std::string Bytes(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

struct DamageCase {
  std::string name, message, want;
};

const DamageCase kDamageCases[] = {
    {"tagCutOff", Bytes({0x80}), "tag is cut off"},
    {"tagTooLong", Bytes({0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01}), "tag is cut off or too long"},
    {"fieldZero", Bytes({0x00, 0x01}), "number is out of range"},
    {"fieldBeyondTheLast", Bytes({0x80, 0x80, 0x80, 0x80, 0x10, 0x01}), "number is out of range"},
    {"varintCutOff", Bytes({0x08, 0xFF}), "varint is cut off"},
    {"varintMissing", Bytes({0x08}), "varint is cut off"},
    {"varintTooLong",
     Bytes({0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}),
     "varint is cut off or too long"},
    {"fixed64CutOff", Bytes({0x09, 1, 2, 3, 4, 5, 6, 7}), "8 bytes are cut off"},
    {"fixed32CutOff", Bytes({0x0D, 1, 2, 3}), "4 bytes are cut off"},
    {"lengthMissing", Bytes({0x0A}), "length is cut off"},
    {"lengthBeyondTheEnd", Bytes({0x0A, 0x02, 'x'}), "beyond the message's end"},
    {"lengthOf4Gigabytes", Bytes({0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}), "beyond the message's end"},
    {"lengthTooLong", Bytes({0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}),
     "length is cut off or too long"},
    {"groupStart", Bytes({0x0B, 0x0C}), "group or unknown"},
    {"groupEnd", Bytes({0x0C}), "group or unknown"},
    {"wireType6", Bytes({0x0E, 0x00}), "group or unknown"},
    {"wireType7", Bytes({0x0F, 0x00}), "group or unknown"},
};

class RefusesDamage : public testing::TestWithParam<DamageCase> {};

TEST_P(RefusesDamage, BehindGoodFieldsToo) {
  const std::string good = Bytes({0x10, 0x2A});
  const std::string message = good + GetParam().message;
  WireReader reader(message);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.number(), 42U);
  EXPECT_FALSE(reader.Next());
  EXPECT_FALSE(reader.Next()) << "there is no way past the damage";
  ASSERT_FALSE(reader.Finish());
  EXPECT_EQ(reader.Finish().error().kind, ErrorKind::kDecode);
  EXPECT_THAT(reader.Finish().error().message, HasSubstr(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(Wire, RefusesDamage, testing::ValuesIn(kDamageCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(WireReader, ReadsNothingFromNothing) {
  WireReader reader({});
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.Finish());
}

TEST(WireReader, CopiesNothing) {
  std::string message;
  WireWriter(message).Bytes(1, "content");
  WireReader reader(message);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.bytes().data(), message.data() + 2);
  EXPECT_EQ(reader.raw(), message);
}

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;
  std::string bytes;
  bool operator==(const Field&) const = default;
};

/// The fields up to the damage, and whether there was none.
std::pair<std::vector<Field>, bool> ReadAll(std::string_view message) {
  std::vector<Field> fields;
  WireReader reader(message);
  std::size_t size = 0;
  while (reader.Next()) {
    fields.push_back({reader.field(), reader.type(), reader.number(), std::string(reader.bytes())});
    size += reader.raw().size();
  }
  const bool is_whole = reader.Finish().has_value();
  EXPECT_TRUE(!is_whole || size == message.size()) << "raw() leaves nothing out";
  return {fields, is_whole};
}

std::uint64_t RandomNumber(std::mt19937_64& random) { return random() >> (random() % 64); }

std::vector<Field> RandomFields(std::mt19937_64& random) {
  constexpr WireType kTypes[] = {WireType::kVarint, WireType::kFixed64, WireType::kBytes,
                                 WireType::kFixed32};
  std::vector<Field> fields(random() % 12);
  for (Field& field : fields) {
    field.number = static_cast<std::uint32_t>(1 + random() % ((1U << (1 + random() % 29)) - 1));
    field.type = kTypes[random() % 4];
    if (field.type == WireType::kBytes) {
      field.bytes.assign(random() % 300, static_cast<char>(random()));
    } else {
      field.value = RandomNumber(random);
      if (field.type == WireType::kFixed32) field.value &= 0xFFFFFFFFU;
    }
  }
  return fields;
}

std::string Write(const std::vector<Field>& fields) {
  std::string message;
  WireWriter writer(message);
  for (const Field& field : fields) {
    switch (field.type) {
      case WireType::kVarint:
        writer.Varint(field.number, field.value);
        break;
      case WireType::kFixed64:
        writer.Fixed64(field.number, field.value);
        break;
      case WireType::kFixed32:
        writer.Fixed32(field.number, static_cast<std::uint32_t>(field.value));
        break;
      case WireType::kBytes:
        writer.Bytes(field.number, field.bytes);
        break;
    }
  }
  return message;
}

TEST(WireWriter, WritesWhatTheReaderReads) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2'000; ++round) {
    const std::vector<Field> fields = RandomFields(random);
    const auto [read, is_whole] = ReadAll(Write(fields));
    ASSERT_TRUE(is_whole);
    ASSERT_EQ(read, fields);
  }
}

TEST(WireWriter, NestsMessagesOfUnknownSizeAsIfTheirSizeWereKnown) {
  for (const std::size_t size : {0, 1, 100, 127, 128, 129, 16'383, 16'384, 100'000}) {
    const std::string content(size, 'c');
    std::string known;
    {
      WireWriter writer(known);
      writer.MessageHead(1, BytesFieldSize(200, size));
      writer.Bytes(200, content);
      writer.Varint(3, 1);
    }
    std::string unknown;
    {
      WireWriter writer(unknown);
      const auto outer = writer.Begin(1);
      const auto inner = writer.Begin(200);
      unknown += content;
      writer.End(inner);
      writer.End(outer);
      writer.Varint(3, 1);
    }
    EXPECT_EQ(unknown, known) << "content of " << size;
  }
}

TEST(WireWriter, KnowsTheSizeOfWhatItWrites) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 1'000; ++round) {
    std::string message;
    const std::uint64_t number = RandomNumber(random);
    WireWriter(message).Varint(1, number);
    EXPECT_EQ(message.size(), 1 + VarintSize(number)) << number;
  }
}

/// What libprotobuf makes of a message whose fields it does not know; nothing when it refuses it.
std::optional<std::vector<Field>> ReadByLibprotobuf(const std::string& message) {
  google::protobuf::Empty parsed;
  if (!parsed.ParseFromString(message)) return std::nullopt;
  std::vector<Field> fields;
  const auto& unknown = parsed.GetReflection()->GetUnknownFields(parsed);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const auto& field = unknown.field(i);
    Field& mine = fields.emplace_back();
    mine.number = static_cast<std::uint32_t>(field.number());
    using google::protobuf::UnknownField;
    if (field.type() == UnknownField::TYPE_VARINT) {
      mine.value = field.varint();
    } else if (field.type() == UnknownField::TYPE_FIXED32) {
      mine.type = WireType::kFixed32;
      mine.value = field.fixed32();
    } else if (field.type() == UnknownField::TYPE_FIXED64) {
      mine.type = WireType::kFixed64;
      mine.value = field.fixed64();
    } else if (field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      mine.type = WireType::kBytes;
      mine.bytes = field.length_delimited();
    } else {
      return std::nullopt;  // a group
    }
  }
  return fields;
}

/// Random messages, whole or with some bytes changed, inserted or cut off.
std::string RandomMessage(std::mt19937_64& random) {
  std::string message = Write(RandomFields(random));
  const int changes = static_cast<int>(random() % 4);
  for (int i = 0; i < changes && !message.empty(); ++i) {
    const std::size_t at = random() % message.size();
    switch (random() % 3) {
      case 0:
        message[at] = static_cast<char>(random());
        break;
      case 1:
        message.resize(at);
        break;
      default:
        message.insert(at, 1, static_cast<char>(random()));
    }
  }
  return message;
}

TEST(WireReader, TakesAndRefusesWhatLibprotobufDoes) {
  std::mt19937_64 random(3);
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < 50'000; ++round) {
    const std::string message = RandomMessage(random);
    const auto theirs = ReadByLibprotobuf(message);
    const auto [ours, is_whole] = ReadAll(message);
    if (!is_whole) {
      ++refused;
      // libprotobuf takes field numbers above 2^29 - 1 by dropping their upper bits.
      if (theirs) {
        WireReader reader(message);
        while (reader.Next()) continue;
        ASSERT_THAT(reader.Finish().error().message, HasSubstr("out of range"));
      }
      continue;
    }
    ++taken;
    ASSERT_TRUE(theirs) << "round " << round;
    ASSERT_EQ(ours, *theirs) << "round " << round;
  }
  EXPECT_GT(taken, 10'000);
  EXPECT_GT(refused, 10'000);
}

}  // namespace
}  // namespace tracekeeper::codec
