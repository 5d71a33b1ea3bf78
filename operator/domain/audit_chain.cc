#include "operator/domain/audit_chain.h"

#include <fmt/format.h>

#include <map>

#include "src/codec/decode.h"
#include "src/codec/encode.h"
#include "src/crypto/digest.h"

namespace tracekeeper::domain {
namespace {

constexpr std::size_t kMostLineBytes = 16384;

std::string HashOf(AuditRecord record) {
  record.hash.clear();
  return crypto::Sha256Hex(codec::EncodeJson(record));
}

std::string ChainKey(std::string_view object, std::string_view uid, std::string_view credential) {
  return fmt::format("{}\n{}\n{}", object, uid, credential);
}

class Verifier {
 public:
  AuditVerdict Run(std::string_view text, std::span<const KnownAuditHead> heads) {
    std::size_t line = 0;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const Status whole = ReadLine(text.substr(0, end));
      ++line;
      if (!whole) {
        verdict_.fault = {line, whole.error().message};
        return std::move(verdict_);
      }
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    for (const KnownAuditHead& known : heads) CheckHead(known);
    return std::move(verdict_);
  }

 private:
  struct Chain {
    std::size_t summary = 0;
    std::vector<std::string> hashes;  // by number - 1
  };

  Result<AuditRecord> Parse(std::string_view text) {
    if (text.empty()) return Fail(ErrorKind::kDecode, "the line is empty");
    if (text.size() > kMostLineBytes) {
      return Fail(ErrorKind::kDecode, "the line has {} bytes, a record has at most {}", text.size(),
                  kMostLineBytes);
    }
    const auto root = parser_.Parse(text);
    if (!root || !root->is_object()) {
      return Fail(ErrorKind::kDecode, "the line is no audit record{}{}", root ? "" : ": ",
                  root ? "" : root.error().message);
    }
    return codec::Decode<AuditRecord>(*root);
  }

  Chain& ChainOf(const AuditRecord& record) {
    const auto [found, is_new] =
        chains_.try_emplace(ChainKey(record.object, record.uid, record.credential));
    if (is_new) {
      found->second.summary = verdict_.chains.size();
      verdict_.chains.push_back({record.object, record.uid, record.credential, {}});
    }
    return found->second;
  }

  Status ReadLine(std::string_view text) {
    const AuditRecord record = TRY(Parse(text));
    if (record.format != 1) {
      return Fail(ErrorKind::kDecode,
                  "the record has format {}: this program reads format 1; use a newer one",
                  record.format);
    }
    if (record.hash != HashOf(record) || codec::EncodeJson(record) != text) {
      return Fail(ErrorKind::kInvalid,
                  "record {} of {}/{} was changed: it does not give the hash that it holds",
                  record.number, record.object, record.credential);
    }
    return Link(record);
  }

  Status Link(const AuditRecord& record) {
    Chain& chain = ChainOf(record);
    const auto count = static_cast<std::int64_t>(chain.hashes.size());
    if (record.number < 1 || record.number > count + 1) {
      return Fail(ErrorKind::kInvalid,
                  "record {} of {}/{} does not follow record {}: what stood between them was "
                  "removed, or the lines were put in another order",
                  record.number, record.object, record.credential, count);
    }
    if (record.number <= count) {
      if (chain.hashes[static_cast<std::size_t>(record.number - 1)] == record.hash) {
        ++verdict_.repeats;
        return {};
      }
      return Fail(ErrorKind::kInvalid, "record {} of {}/{} is there twice with different content",
                  record.number, record.object, record.credential);
    }
    const std::string_view last = count == 0 ? std::string_view() : chain.hashes.back();
    if (record.previous != last) {
      return Fail(ErrorKind::kInvalid,
                  "record {} of {}/{} does not hold the hash of the one before it: one of them was "
                  "replaced",
                  record.number, record.object, record.credential);
    }
    chain.hashes.push_back(record.hash);
    verdict_.chains[chain.summary].head = {record.number, record.hash};
    ++verdict_.records;
    return {};
  }

  void CheckHead(const KnownAuditHead& known) {
    if (verdict_.fault || known.head.count == 0) return;
    const auto found = chains_.find(ChainKey(known.object, known.uid, known.credential));
    const std::size_t count = found == chains_.end() ? 0 : found->second.hashes.size();
    const auto wanted = static_cast<std::size_t>(known.head.count);
    if (count < wanted) {
      verdict_.fault = {0,
                        fmt::format("{}/{} ends after record {}: its journal knows of {}, so the "
                                    "end was cut off",
                                    known.object, known.credential, count, known.head.count)};
    } else if (found->second.hashes[wanted - 1] != known.head.hash) {
      verdict_.fault = {0, fmt::format("record {} of {}/{} is not the one that its journal knows: "
                                       "the chain was written anew",
                                       known.head.count, known.object, known.credential)};
    }
  }

  codec::JsonParser parser_;
  std::map<std::string, Chain, std::less<>> chains_;
  AuditVerdict verdict_;
};

}  // namespace

AuditLine NextAuditLine(AuditRecord record, const AuditHead& head) {
  record.number = head.count + 1;
  record.previous = head.hash;
  record.hash = HashOf(record);
  return {codec::EncodeJson(record), {record.number, record.hash}};
}

AuditVerdict VerifyAudit(std::string_view text, std::span<const KnownAuditHead> heads) {
  return Verifier().Run(text, heads);
}

}  // namespace tracekeeper::domain
