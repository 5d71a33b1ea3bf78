#include "src/vault/pki.h"

#include <fmt/format.h>

#include "src/vault/path.h"

namespace tracekeeper::vault {
namespace {

constexpr std::string_view kBeginCertificate = "-----BEGIN CERTIFICATE-----";
constexpr std::size_t kMostChain = 16;

void AppendPem(std::string& out, std::string_view pem) {
  if (!out.empty() && out.back() != '\n') out += '\n';
  out += pem;
}

Result<std::string_view> ReadPem(codec::JsonValue data, std::string_view key,
                                 std::string_view tried) {
  const std::string_view pem = TRY(ReadText(data, key, tried));
  if (!pem.starts_with(kBeginCertificate)) {
    return Fail(MakeError(Failure::kMalformedSecret, tried,
                          fmt::format("the answer's {} is no certificate in PEM", key)));
  }
  return pem;
}

/// Vault wants lists of names as one text with commas.
Result<std::string> Joined(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) {
    if (name.empty() || name.find_first_of(", \t\r\n") != std::string::npos) {
      return Fail(ErrorKind::kInvalid, "a name of a certificate has no commas and no blanks");
    }
    if (!joined.empty()) joined += ',';
    joined += name;
  }
  return joined;
}

Status CheckSerial(std::string_view serial) {
  constexpr std::size_t kLongestSerial = 128;
  if (serial.empty() || serial.size() > kLongestSerial ||
      serial.find_first_not_of("0123456789abcdefABCDEF:-") != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "a serial is hexadecimal digits with colons");
  }
  return {};
}

}  // namespace

Result<IssuedCertificate> ReadIssuedCertificate(const Answer& answer, std::string_view tried) {
  const codec::JsonValue data = answer.data();
  IssuedCertificate issued;
  issued.certificate_pem = TRY(ReadPem(data, "certificate", tried));
  issued.private_key_pem = crypto::SecretString(TRY(ReadText(data, "private_key", tried)));
  issued.serial = TRY(ReadText(data, "serial_number", tried));
  TRY(CheckSerial(issued.serial));
  issued.not_after = Instant(TRY(ReadSeconds(data, "expiration", tried)));
  issued.request_id = answer.request_id();
  if (data["ca_chain"].size() > kMostChain) {
    return Fail(MakeError(Failure::kMalformedSecret, tried, "the chain is too long"));
  }
  for (const codec::JsonValue link : data["ca_chain"].Elements()) {
    const auto pem = link.String();
    if (!pem || !pem->starts_with(kBeginCertificate)) {
      return Fail(MakeError(Failure::kMalformedSecret, tried, "the chain is no PEM"));
    }
    AppendPem(issued.chain_pem, *pem);
  }
  if (issued.chain_pem.empty()) issued.chain_pem = TRY(ReadPem(data, "issuing_ca", tried));
  return issued;
}

Result<IssuedCertificate> Pki::Issue(std::string_view role, const IssueRequest& request,
                                     const StopToken& stop) {
  TRY(CheckName(role));
  const std::string what = fmt::format("issue a certificate for \"{}\" by {}/{}",
                                       Scrub(request.common_name), mount_, role);
  Call call{.operation = Operation::kPkiIssue,
            .method = "POST",
            .path = TRY(JoinPath(mount_, "issue", role)),
            .what = what};
  call.body.Begin().Text("common_name", request.common_name);
  if (!request.dns_names.empty()) call.body.Text("alt_names", TRY(Joined(request.dns_names)));
  if (!request.ip_addresses.empty()) call.body.Text("ip_sans", TRY(Joined(request.ip_addresses)));
  if (request.lifetime > Duration::zero()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(request.lifetime);
    call.body.Text("ttl", fmt::format("{}s", seconds.count()));
  }
  call.body.End();
  const Answer answer = TRY(caller_.Send(std::move(call), stop));
  return ReadIssuedCertificate(answer, what);
}

Status Pki::Revoke(std::string_view serial, const StopToken& stop) {
  TRY(CheckSerial(serial));
  Call call{.operation = Operation::kPkiRevoke,
            .method = "POST",
            .path = fmt::format("{}/revoke", TRY(EncodePath(mount_))),
            .what = fmt::format("revoke certificate {} of {}", serial, mount_)};
  call.body.Begin().Text("serial_number", serial).End();
  TRY(caller_.Send(std::move(call), stop));
  return {};
}

Result<std::string> Pki::ReadCertificate(std::string_view name, const StopToken& stop) {
  const std::string what = fmt::format("read the authority of {}", mount_);
  const Answer answer = TRY(caller_.Send({.operation = Operation::kPkiAuthority,
                                          .path = TRY(JoinPath(mount_, "cert", name)),
                                          .what = what},
                                         stop));
  const bool has_chain = !answer.data()["ca_chain"].StringOr("").empty();
  return std::string(TRY(ReadPem(answer.data(), has_chain ? "ca_chain" : "certificate", what)));
}

Result<std::string> Pki::Authorities(const StopToken& stop) {
  auto chain = ReadCertificate("ca_chain", stop);
  if (chain) return chain;
  const auto failure = FailureOf(chain.error());
  if (failure != Failure::kNotFound && failure != Failure::kMalformedSecret) return chain;
  return ReadCertificate("ca", stop);
}

}  // namespace tracekeeper::vault
