// The real program with TLS on its OTLP ports: certificates of the openssl program, curl and our
// own gRPC client as senders, files that are replaced while it runs.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

#include "src/net/grpc.h"
#include "src/net/http2_client.h"
#include "src/net/transports.h"
#include "src/otlp/signal.h"
#include "tests/analyzer/analyzer_process.h"
#include "tests/src/analysis/broken_trace.h"
#include "tests/src/net/test_certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/folders.h"

namespace tracekeeper::analyzer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::chrono::seconds kLimit{20};

class TlsProcess : public testing::Test {
 protected:
  /// An authority in NAME.crt and NAME.key, by the openssl program.
  void MakeAuthority(const std::string& name) {
    Openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=" + name, "-keyout", Path(name + ".key"), "-out",
             Path(name + ".crt")});
  }
  /// What it signs, for 127.0.0.1 and for clients, in NAME.crt and NAME.key.
  void Issue(const std::string& authority, const std::string& name) {
    std::ofstream(folder_ / "extensions") << "subjectAltName=IP:127.0.0.1\n"
                                             "extendedKeyUsage=serverAuth,clientAuth\n";
    Openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout",
             Path(name + ".key"), "-out", Path(name + ".csr")});
    Openssl({"x509", "-req", "-in", Path(name + ".csr"), "-CA", Path(authority + ".crt"), "-CAkey",
             Path(authority + ".key"), "-CAcreateserial", "-days", "1", "-extfile",
             Path("extensions"), "-out", Path(name + ".crt")});
  }
  [[nodiscard]] std::string Path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Copy(const std::string& from, const std::string& to) const {
    std::filesystem::copy_file(folder_ / from, folder_ / to,
                               std::filesystem::copy_options::overwrite_existing);
  }
  void Openssl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "openssl");
    const auto result = test_support::RunProcess({.argv = std::move(arguments)});
    if (!result || !result->ok()) {
      throw std::runtime_error(result ? result->err : result.error().message);
    }
  }

  [[nodiscard]] std::vector<std::string> Flags(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> flags = {"--tls-certificate=" + Path("server.crt"),
                                      "--tls-key=" + Path("server.key"), "--poll-seconds=0.1"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
  /// The status by HTTP, of curl; "000" where no connection came about.
  std::string Post(const AnalyzerProcess& analyzer, const std::string& authority,
                   const std::string& client = {}) {
    std::ofstream(folder_ / "request", std::ios::binary)
        << truth::TracesRequest(analysis::BrokenTrace(1));
    const std::string& url = analyzer.otlp_http_url();
    std::vector<std::string> argv = {"curl",
                                     "-s",
                                     "-o",
                                     "/dev/null",
                                     "-w",
                                     "%{http_code}",
                                     "--cacert",
                                     Path(authority + ".crt"),
                                     "-H",
                                     "Content-Type: application/x-protobuf",
                                     "--data-binary",
                                     "@" + Path("request"),
                                     "https" + url.substr(url.find(':')) + "/v1/traces"};
    if (!client.empty()) {
      argv.insert(argv.end(), {"--cert", Path(client + ".crt"), "--key", Path(client + ".key")});
    }
    const auto result = test_support::RunProcess({.argv = std::move(argv)});
    return result ? result->out : result.error().message;
  }

  [[nodiscard]] net::TransportOptions Trusting(const std::string& base_url,
                                               const std::string& authority,
                                               const std::string& client = {}) const {
    net::TransportOptions options;
    options.name = "sender";
    options.base_url = base_url;
    options.authorities_pem = [pem = Read(authority + ".crt")] { return pem; };
    if (client.empty()) return options;
    auto pair = crypto::CertificatePair::Parse(Read(client + ".crt"),
                                               crypto::SecretString(Read(client + ".key")));
    options.client_certificate = [shown = std::make_shared<const crypto::CertificatePair>(
                                      *std::move(pair))] { return shown; };
    return options;
  }
  [[nodiscard]] std::unique_ptr<net::Http2Client> GrpcClient(const AnalyzerProcess& analyzer,
                                                             const std::string& authority,
                                                             const std::string& client = {}) const {
    return *net::MakeHttp2Client(
        {.transport = Trusting(fmt::format("https://127.0.0.1:{}", analyzer.grpc_port()), authority,
                               client)});
  }
  static bool Export(net::Http2Client& client) {
    auto answer = client.Send(
        net::WriteGrpcRequest({.method = GrpcMethodOf(otlp::Signal::kTraces),
                               .message = truth::TracesRequest(analysis::BrokenTrace(2)),
                               .encoding = {}},
                              {}),
        {.deadline = kLimit}, {});
    return answer && net::ReadGrpcResponse(*std::move(answer)).status.ok();
  }

  const test_support::TemporaryFolder folder_{"tls_process"};
};

TEST_F(TlsProcess, BothOtlpPortsSpeakTlsAndNoPlainText) {
  MakeAuthority("ca");
  MakeAuthority("stranger");
  Issue("ca", "server");
  AnalyzerProcess analyzer(Flags());
  EXPECT_EQ(Post(analyzer, "ca"), "200");
  EXPECT_EQ(Post(analyzer, "stranger"), "000");
  EXPECT_TRUE(Export(*GrpcClient(analyzer, "ca")));
  EXPECT_FALSE(Export(*GrpcClient(analyzer, "stranger")));
  EXPECT_THROW(analyzer.SendOverGrpc("plain"), std::runtime_error);
  EXPECT_THROW(analyzer.Send("/v1/traces", {}, "plain"), std::runtime_error);
  EXPECT_EQ(analyzer.Metrics().status, 200) << "the other ports are plain";
  EXPECT_EQ(analyzer.Api("/api/v1/health").status, 200);
  EXPECT_THAT(analyzer.process().ReadLog(), HasSubstr("Took a TLS certificate\" subject=\"CN"));
}

TEST_F(TlsProcess, AReplacedCertificateIsShownToNewConnectionsAndCutsNoOpenOne) {
  for (const char* const authority : {"old", "new"}) {
    MakeAuthority(authority);
    Issue(authority, std::string(authority) + "-server");
  }
  const auto use = [this](const std::string& name) {
    Copy(name + "-server.crt", "server.crt");
    Copy(name + "-server.key", "server.key");
  };
  use("old");
  AnalyzerProcess analyzer(Flags());
  const auto grpc = GrpcClient(analyzer, "old");
  const std::string& url = analyzer.otlp_http_url();
  const auto http = *net::MakeBeastTransport(Trusting("https" + url.substr(url.find(':')), "old"));
  const auto send = [&http] {
    const auto answer = http->Send({"POST",
                                    "/v1/traces",
                                    {{"Content-Type", "application/x-protobuf"}},
                                    truth::TracesRequest(analysis::BrokenTrace(3))},
                                   {.deadline = kLimit}, {});
    return answer && answer->status == 200;
  };
  EXPECT_TRUE(Export(*grpc));
  EXPECT_TRUE(send());
  use("new");
  ASSERT_TRUE(analyzer.process().WaitForLog("CN = new-server", kLimit));
  EXPECT_EQ(Post(analyzer, "new"), "200");
  EXPECT_EQ(Post(analyzer, "old"), "000");
  EXPECT_TRUE(Export(*GrpcClient(analyzer, "new")));
  EXPECT_FALSE(Export(*GrpcClient(analyzer, "old")));
  EXPECT_TRUE(Export(*grpc)) << "its connection is open";
  EXPECT_TRUE(send()) << "its connection is open";

  std::ofstream(folder_ / "server.key") << "gone";
  ASSERT_TRUE(analyzer.process().WaitForLog("server.key: is not in PEM format", kLimit));
  EXPECT_THAT(analyzer.process().ReadLog(),
              HasSubstr("Refused changed TLS files, kept those in use"));
  EXPECT_EQ(Post(analyzer, "new"), "200");
  EXPECT_TRUE(Export(*GrpcClient(analyzer, "new")));
}

TEST_F(TlsProcess, AClientWithoutACertificateOfTheAuthorityIsRefused) {
  MakeAuthority("ca");
  MakeAuthority("senders");
  Issue("ca", "server");
  Issue("senders", "sender");
  Issue("ca", "stranger");
  AnalyzerProcess analyzer(Flags({"--tls-client-ca=" + Path("senders.crt")}));
  EXPECT_EQ(Post(analyzer, "ca", "sender"), "200");
  EXPECT_EQ(Post(analyzer, "ca"), "000");
  EXPECT_EQ(Post(analyzer, "ca", "stranger"), "000");
  EXPECT_TRUE(Export(*GrpcClient(analyzer, "ca", "sender")));
  EXPECT_FALSE(Export(*GrpcClient(analyzer, "ca")));
  EXPECT_FALSE(Export(*GrpcClient(analyzer, "ca", "stranger")));
  Copy("ca.crt", "senders.crt");
  analyzer.process().Signal(SIGHUP);
  EXPECT_TRUE(
      test_support::Eventually([&] { return Post(analyzer, "ca", "stranger") == "200"; }, kLimit));
  EXPECT_FALSE(Export(*GrpcClient(analyzer, "ca", "sender")));
}

TEST_F(TlsProcess, FilesThatCannotBeUsedEndTheStartWithASentence) {
  MakeAuthority("ca");
  Issue("ca", "server");
  Issue("ca", "other");
  const auto start = [this](const std::string& certificate, const std::string& key) {
    const auto ended = test_support::RunProcess(
        {.argv = {test_support::Program("tracekeeper-analyzer"), "--address=127.0.0.1",
                  "--tls-certificate=" + Path(certificate), "--tls-key=" + Path(key)}});
    EXPECT_TRUE(ended && ended->exit_code == 1);
    return ended ? ended->err : std::string();
  };
  EXPECT_THAT(start("none.crt", "server.key"),
              AllOf(HasSubstr("none.crt: cannot be read"), HasSubstr("No such file")));
  EXPECT_THAT(start("server.crt", "server.csr"), HasSubstr("server.csr: "));
  EXPECT_THAT(start("server.crt", "other.key"),
              HasSubstr("other.key: the private key does not belong to certificate CN = server"));
}

}  // namespace
}  // namespace tracekeeper::analyzer
