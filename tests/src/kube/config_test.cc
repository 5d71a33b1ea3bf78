#include "src/kube/config.h"

#include <gtest/gtest.h>

#include <string>

#include "src/kube/kubeconfig.h"
#include "tests/src/kube/test_files.h"

namespace tracekeeper::kube {
namespace {

constexpr std::string_view kTwoContexts = R"(
apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: dev-cluster
  cluster: {server: "https://10.0.0.1:6443/", certificate-authority: ca.crt}
- name: prod-cluster
  cluster:
    server: https://prod.example.com/k8s/clusters/c-1/
    certificate-authority-data: Q0E=
    tls-server-name: kubernetes
users:
- name: ada
  user: {token: dev-token}
- name: operator
  user: {client-certificate-data: Q0VSVA==, client-key: keys/operator.key}
contexts:
- name: dev
  context: {cluster: dev-cluster, user: ada}
- name: prod
  context: {cluster: prod-cluster, user: operator, namespace: shop}
)";

class LoadingConfig : public testing::Test {
 protected:
  TestFiles files_;
  ConfigSearch search_{.service_account_folder = files_.Path("account")};

  Result<Config> Load(std::string_view yaml) {
    search_.kubeconfig_flag = files_.Write("config", yaml);
    return LoadConfig(search_);
  }
};

TEST_F(LoadingConfig, TakesTheCurrentContext) {
  const auto config = Load(kTwoContexts);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://10.0.0.1:6443");
  EXPECT_EQ(config->path_prefix, "");
  EXPECT_EQ(config->token.data, "dev-token");
  EXPECT_EQ(config->certificate_authority.file, files_.Path("ca.crt"));
  EXPECT_EQ(config->namespace_name, "default");
  EXPECT_EQ(config->origin, "kubeconfig " + files_.Path("config") + ", context dev");
}

TEST_F(LoadingConfig, TakesTheContextThatIsAskedFor) {
  search_.context_flag = "prod";
  const auto config = Load(kTwoContexts);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://prod.example.com");
  EXPECT_EQ(config->path_prefix, "/k8s/clusters/c-1");
  EXPECT_EQ(config->tls_server_name, "kubernetes");
  EXPECT_EQ(config->certificate_authority.data, "CA");
  EXPECT_EQ(config->client_certificate.data, "CERT");
  EXPECT_EQ(config->client_key.file, files_.Path("keys/operator.key"));
  EXPECT_EQ(config->namespace_name, "shop");
}

TEST_F(LoadingConfig, MergesAListOfFilesAndLetsTheFirstWin) {
  const std::string first = files_.Write("a/config", R"(
current-context: mine
contexts: [{name: mine, context: {cluster: c, user: u}}]
users: [{name: u, user: {tokenFile: token}}]
)");
  const std::string second = files_.Write("b/config", R"(
current-context: other
clusters: [{name: c, cluster: {server: "https://b:1", certificate-authority: ca.crt}}]
users: [{name: u, user: {token: not-this-one}}]
)");
  search_.kubeconfig_environment = ":" + first + ":" + files_.Path("none") + "::" + second;
  const auto config = LoadConfig(search_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://b:1");
  EXPECT_EQ(config->token.file, files_.Path("a/token"));
  EXPECT_EQ(config->certificate_authority.file, files_.Path("b/ca.crt"));
}

TEST_F(LoadingConfig, InAPodIsItsServiceAccount) {
  files_.Write("account/token", "t");
  files_.Write("account/namespace", "tracekeeper\n");
  search_.service_host = "10.96.0.1";
  search_.service_port = "443";
  search_.home = files_.Path("home");
  files_.Write("home/.kube/config", kTwoContexts);
  const auto config = LoadConfig(search_);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://10.96.0.1:443");
  EXPECT_EQ(config->token.file, files_.Path("account/token"));
  EXPECT_EQ(config->certificate_authority.file, files_.Path("account/ca.crt"));
  EXPECT_EQ(config->namespace_name, "tracekeeper");

  search_.service_host = "fd00::1";
  EXPECT_EQ(LoadConfig(search_)->server, "https://[fd00::1]:443");
}

TEST_F(LoadingConfig, GoesFromFlagToEnvironmentToPodToHome) {
  files_.Write("account/token", "t");
  search_.service_host = "10.96.0.1";
  search_.service_port = "443";
  search_.home = files_.Path("home");
  files_.Write("home/.kube/config", kTwoContexts);
  search_.kubeconfig_environment = files_.Write("env", kTwoContexts);
  search_.kubeconfig_flag = files_.Write("flag", kTwoContexts);
  EXPECT_NE(LoadConfig(search_)->origin.find(files_.Path("flag")), std::string::npos);
  search_.kubeconfig_flag.clear();
  EXPECT_NE(LoadConfig(search_)->origin.find(files_.Path("env")), std::string::npos);
  search_.kubeconfig_environment.clear();
  EXPECT_NE(LoadConfig(search_)->origin.find("service account"), std::string::npos);
  files_.Remove("account/token");
  EXPECT_NE(LoadConfig(search_)->origin.find(files_.Path("home")), std::string::npos);
  files_.Remove("home/.kube/config");
  EXPECT_NE(LoadConfig(search_).error().message.find("automountServiceAccountToken"),
            std::string::npos);
  search_.service_host.clear();
  EXPECT_NE(LoadConfig(search_).error().message.find("no cluster is configured"),
            std::string::npos);
}

TEST_F(LoadingConfig, DoesNotPassOverAFileThatWasNamed) {
  search_.home = files_.Path("home");
  files_.Write("home/.kube/config", kTwoContexts);
  search_.kubeconfig_flag = files_.Path("none");
  const std::string refused = LoadConfig(search_).error().message;
  EXPECT_NE(refused.find("No such file"), std::string::npos);
  EXPECT_NE(refused.find("leave the flag out"), std::string::npos) << "what to do";
  search_.kubeconfig_flag.clear();
  search_.kubeconfig_environment = files_.Path("none");
  EXPECT_NE(LoadConfig(search_).error().message.find("correct or unset it"), std::string::npos);
}

TEST_F(LoadingConfig, ReadsOnlyFilesOfABearableSize) {
  EXPECT_FALSE(Load(std::string(kMaxKubeconfigBytes + 1, '#')));
  std::string list;
  for (std::size_t i = 0; i <= kMaxKubeconfigFiles; ++i) list += "/none:";
  search_.kubeconfig_flag.clear();
  search_.kubeconfig_environment = list;
  EXPECT_NE(LoadConfig(search_).error().message.find("at most"), std::string::npos);
}

struct BadCase {
  std::string_view name;
  std::string_view cluster;
  std::string_view user;
  std::string_view sentence;
};

class BadKubeconfig : public testing::TestWithParam<BadCase> {};

TEST_P(BadKubeconfig, IsRefusedWithASentenceThatSaysWhatToDo) {
  const BadCase& test = GetParam();
  const std::string yaml =
      "current-context: x\nclusters: [{name: c, cluster: " + std::string(test.cluster) +
      "}]\nusers: [{name: u, user: " + std::string(test.user) +
      "}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n";
  const auto kubeconfig = ParseKubeconfig(yaml, "/etc/config");
  const auto config = kubeconfig ? Resolve(*kubeconfig, "", "kubeconfig /etc/config")
                                 : Result<Config>(Fail(kubeconfig.error()));
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find(test.sentence), std::string::npos)
      << config.error().message;
  EXPECT_NE(config.error().message.find("/etc/config"), std::string::npos)
      << config.error().message;
  EXPECT_EQ(config.error().message.find("hunter2"), std::string::npos) << "a secret was shown";
}

constexpr std::string_view kGoodCluster = R"({server: "https://a:1"})";

INSTANTIATE_TEST_SUITE_P(
    Table, BadKubeconfig,
    testing::Values(
        BadCase{"ExecPlugIn", kGoodCluster, "{exec: {command: aws}}",
                "\"exec\", which is not supported"},
        BadCase{"AuthProvider", kGoodCluster, "{auth-provider: {name: gcp}}", "auth-provider"},
        BadCase{"Password", kGoodCluster, "{username: ada, password: hunter2}", "username"},
        BadCase{"Impersonation", kGoodCluster, "{token: hunter2, as: root}",
                "use that identity's own"},
        BadCase{"CertificateWithoutKey", kGoodCluster, "{client-certificate: a.crt}",
                "both a client-certificate"},
        BadCase{"DataThatIsNoBase64", kGoodCluster, "{client-key-data: '*hunter2*'}",
                "client-key-data of \"u\" is no base64"},
        BadCase{"SkipVerify", R"({server: "https://a:1", insecure-skip-tls-verify: true})", "{}",
                "certificate-authority-data"},
        BadCase{"Proxy", R"({server: "https://a:1", proxy-url: "http://p"})", "{}", "proxy-url"},
        BadCase{"NoServer", "{}", "{}", "must be https://HOST:PORT"},
        BadCase{"OtherScheme", R"({server: "ftp://a"})", "{}", "must be https://HOST:PORT"},
        BadCase{"NoHost", R"({server: "https:///x"})", "{}", "must be https://HOST:PORT"},
        BadCase{"PasswordInTheAddress", R"({server: "https://ada:hunter2@a"})", "{}",
                "must be https://HOST:PORT"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Kubeconfig, NamesTheContextsThatThereAre) {
  const auto kubeconfig = ParseKubeconfig(kTwoContexts, "/c");
  EXPECT_NE(Resolve(*kubeconfig, "staging", "c").error().message.find("dev, prod"),
            std::string::npos);
  EXPECT_NE(Resolve(Kubeconfig{}, "", "c").error().message.find("no current-context"),
            std::string::npos);
}

TEST(Kubeconfig, SaysWhichPartIsMissing) {
  Kubeconfig kubeconfig{.contexts = {{.name = "x", .cluster = "c", .user = "u"}}};
  EXPECT_NE(Resolve(kubeconfig, "x", "c").error().message.find("cluster \"c\""), std::string::npos);
  kubeconfig.clusters = {{.name = "c", .server = "https://a"}};
  EXPECT_NE(Resolve(kubeconfig, "x", "c").error().message.find("user \"u\""), std::string::npos);
}

TEST(Kubeconfig, OfNothingIsEmptyAndOfOddShapesIsNoCrash) {
  EXPECT_TRUE(ParseKubeconfig("", "/c")->contexts.empty());
  EXPECT_FALSE(ParseKubeconfig("[1, 2]", "/c"));
  EXPECT_FALSE(ParseKubeconfig("a: [", "/c"));
  EXPECT_TRUE(ParseKubeconfig("{clusters: 5, users: {a: b}, contexts: [3, null, [x]]}", "/c"));
}

TEST(Kubeconfig, TakesDataThatWasFolded) {
  const auto kubeconfig = ParseKubeconfig(
      "clusters:\n- name: c\n  cluster:\n    certificate-authority-data: |\n      Q0\n      E=\n",
      "/c");
  ASSERT_TRUE(kubeconfig) << kubeconfig.error().message;
  EXPECT_EQ(kubeconfig->clusters[0].certificate_authority.data, "CA");
}

}  // namespace
}  // namespace tracekeeper::kube
