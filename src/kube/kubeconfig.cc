#include "src/kube/kubeconfig.h"

#include <fmt/core.h>

#include <algorithm>

#include "src/codec/base64.h"
#include "src/codec/yaml.h"

namespace tracekeeper::kube {
namespace {

using codec::YamlValue;

/// What a person must do instead, by the field of a user entry that we do not take.
struct RefusedField {
  std::string_view name;
  std::string_view advice;
};
constexpr std::string_view kUseTokenOrCertificate =
    "give the user a token, tokenFile or client-certificate (for a service account: `kubectl "
    "create "
    "token`)";
constexpr RefusedField kRefusedFields[] = {
    {"exec", kUseTokenOrCertificate},
    {"auth-provider", kUseTokenOrCertificate},
    {"username", kUseTokenOrCertificate},
    {"password", kUseTokenOrCertificate},
    {"as", "remove it and use that identity's own credentials"},
    {"as-uid", "remove it and use that identity's own credentials"},
    {"as-groups", "remove it and use that identity's own credentials"},
};

std::string Text(YamlValue value) { return std::string(value.StringOr("")); }

class Reader {
 public:
  explicit Reader(std::string_view path) : path_(path) {}

  Result<Kubeconfig> Read(YamlValue root) const {
    if (root.kind() == YamlValue::Kind::kNull) return Kubeconfig{};
    if (root.kind() != YamlValue::Kind::kObject) {
      return Fail(ErrorKind::kDecode, "{} is no kubeconfig: it holds no mapping", path_);
    }
    Kubeconfig config;
    config.current_context = Text(root["current-context"]);
    for (const YamlValue entry : root["clusters"].Elements()) {
      config.clusters.push_back(TRY(ReadCluster(Text(entry["name"]), entry["cluster"])));
    }
    for (const YamlValue entry : root["users"].Elements()) {
      config.users.push_back(TRY(ReadUser(Text(entry["name"]), entry["user"])));
    }
    for (const YamlValue entry : root["contexts"].Elements()) {
      const YamlValue context = entry["context"];
      config.contexts.push_back({.name = Text(entry["name"]),
                                 .cluster = Text(context["cluster"]),
                                 .user = Text(context["user"]),
                                 .namespace_name = Text(context["namespace"])});
    }
    return config;
  }

 private:
  Result<Kubeconfig::Cluster> ReadCluster(std::string name, YamlValue value) const {
    Kubeconfig::Cluster cluster;
    cluster.server = Text(value["server"]);
    cluster.tls_server_name = Text(value["tls-server-name"]);
    cluster.proxy_url = Text(value["proxy-url"]);
    cluster.insecure_skip_tls_verify = value["insecure-skip-tls-verify"].Bool().value_or(false);
    cluster.certificate_authority = TRY(DataOr(value, "certificate-authority", name));
    cluster.name = std::move(name);
    return cluster;
  }

  Result<Kubeconfig::User> ReadUser(std::string name, YamlValue value) const {
    Kubeconfig::User user;
    user.client_certificate = TRY(DataOr(value, "client-certificate", name));
    user.client_key = TRY(DataOr(value, "client-key", name));
    // As kubectl has it: the file wins, because its content is the newer one.
    user.token.file = Resolved(Text(value["tokenFile"]));
    if (user.token.file.empty()) user.token.data = Text(value["token"]);
    for (const RefusedField& field : kRefusedFields) {
      if (value[field.name] && value[field.name].kind() != YamlValue::Kind::kNull) {
        user.refused_field = field.name;
        break;
      }
    }
    user.name = std::move(name);
    return user;
  }

  /// `FIELD-data` (base64) goes before the file that `FIELD` names.
  Result<DataOrFile> DataOr(YamlValue value, std::string_view field, std::string_view owner) const {
    const std::string data_field = fmt::format("{}-data", field);
    std::string data = Text(value[data_field]);
    std::erase_if(data, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
    if (data.empty()) return DataOrFile{.data = "", .file = Resolved(Text(value[field]))};
    Result<std::string> decoded = codec::DecodeBase64(data);
    if (!decoded) {
      return Fail(ErrorKind::kDecode, "{}: {} of \"{}\" is no base64", path_, data_field, owner);
    }
    return DataOrFile{.data = std::move(*decoded), .file = ""};
  }

  /// File names are relative to the kubeconfig's folder.
  [[nodiscard]] std::string Resolved(std::string file) const {
    if (file.empty() || file.front() == '/') return file;
    const std::size_t slash = path_.rfind('/');
    if (slash == std::string_view::npos) return file;
    return fmt::format("{}/{}", path_.substr(0, slash), file);
  }

  std::string_view path_;
};

template <typename Entry>
const Entry* Find(const std::vector<Entry>& entries, std::string_view name) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

template <typename Entry>
std::string NamesOf(const std::vector<Entry>& entries) {
  std::string names;
  for (const Entry& entry : entries) {
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names.empty() ? "none" : names;
}

template <typename Entry>
void AddMissing(std::vector<Entry>& to, std::vector<Entry> from) {
  for (Entry& entry : from) {
    if (Find(to, entry.name) == nullptr) to.push_back(std::move(entry));
  }
}

struct Server {
  std::string origin;
  std::string path;
};

/// Splits "https://host:port/path/" and checks what can be checked without connecting.
Result<Server> ReadServer(const Kubeconfig::Cluster& cluster, std::string_view origin) {
  std::string_view url = cluster.server;
  const bool is_http = url.starts_with("http://");
  if (!is_http && !url.starts_with("https://")) {
    return Fail(ErrorKind::kInvalid,
                "{}: server \"{}\" of cluster \"{}\" must be https://HOST:PORT", origin, url,
                cluster.name);
  }
  const std::size_t host = is_http ? 7 : 8;
  const std::size_t slash = url.find('/', host);
  const std::string_view server = url.substr(0, slash);
  if (server.size() == host || server.find('@') != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "{}: server of cluster \"{}\" must be https://HOST:PORT",
                origin, cluster.name);
  }
  std::string_view path = slash == std::string_view::npos ? "" : url.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  return Server{std::string(server), std::string(path)};
}

Status CheckUser(const Kubeconfig::User& user, std::string_view origin) {
  if (!user.refused_field.empty()) {
    const auto field =
        std::find_if(std::begin(kRefusedFields), std::end(kRefusedFields),
                     [&](const RefusedField& f) { return f.name == user.refused_field; });
    return Fail(ErrorKind::kInvalid, "{}: user \"{}\" has \"{}\", which is not supported: {}",
                origin, user.name, user.refused_field, field->advice);
  }
  if (user.client_certificate.empty() != user.client_key.empty()) {
    return Fail(ErrorKind::kInvalid,
                "{}: user \"{}\" needs both a client-certificate and a client-key, or neither",
                origin, user.name);
  }
  return {};
}

Status CheckCluster(const Kubeconfig::Cluster& cluster, std::string_view origin) {
  if (cluster.insecure_skip_tls_verify) {
    return Fail(ErrorKind::kInvalid,
                "{}: cluster \"{}\" has insecure-skip-tls-verify, which is not supported: put the "
                "server's CA into certificate-authority-data",
                origin, cluster.name);
  }
  if (!cluster.proxy_url.empty()) {
    return Fail(ErrorKind::kInvalid,
                "{}: cluster \"{}\" has proxy-url, which is not supported: name a server that can "
                "be reached directly",
                origin, cluster.name);
  }
  return {};
}

}  // namespace

Result<Kubeconfig> ParseKubeconfig(std::string_view yaml, std::string_view path) {
  if (yaml.size() > kMaxKubeconfigBytes) {
    return Fail(ErrorKind::kDecode, "{} is no kubeconfig: it has more than {} bytes", path,
                kMaxKubeconfigBytes);
  }
  codec::YamlParser parser;
  Result<YamlValue> root = parser.Parse(yaml);
  if (!root) return Fail(std::move(root.error()).Within(path));
  return Reader(path).Read(*root);
}

Kubeconfig Merge(Kubeconfig first, Kubeconfig second) {
  AddMissing(first.clusters, std::move(second.clusters));
  AddMissing(first.users, std::move(second.users));
  AddMissing(first.contexts, std::move(second.contexts));
  if (first.current_context.empty()) first.current_context = std::move(second.current_context);
  return first;
}

Result<Config> Resolve(const Kubeconfig& kubeconfig, std::string_view context_name,
                       std::string_view origin) {
  const std::string_view wanted =
      context_name.empty() ? std::string_view(kubeconfig.current_context) : context_name;
  if (wanted.empty()) {
    return Fail(ErrorKind::kInvalid,
                "{}: no current-context; name one with --context (there are: {})", origin,
                NamesOf(kubeconfig.contexts));
  }
  const Kubeconfig::Context* context = Find(kubeconfig.contexts, wanted);
  if (context == nullptr) {
    return Fail(ErrorKind::kInvalid, "{}: there is no context \"{}\" (there are: {})", origin,
                wanted, NamesOf(kubeconfig.contexts));
  }
  const Kubeconfig::Cluster* cluster = Find(kubeconfig.clusters, context->cluster);
  if (cluster == nullptr) {
    return Fail(ErrorKind::kInvalid, "{}: context \"{}\" names cluster \"{}\", which is not there",
                origin, wanted, context->cluster);
  }
  const Kubeconfig::User* user = Find(kubeconfig.users, context->user);
  if (user == nullptr && !context->user.empty()) {
    return Fail(ErrorKind::kInvalid, "{}: context \"{}\" names user \"{}\", which is not there",
                origin, wanted, context->user);
  }
  const Kubeconfig::User nobody;
  if (user == nullptr) user = &nobody;
  TRY(CheckCluster(*cluster, origin));
  TRY(CheckUser(*user, origin));
  Server server = TRY(ReadServer(*cluster, origin));

  Config config;
  config.server = std::move(server.origin);
  config.path_prefix = std::move(server.path);
  config.tls_server_name = cluster->tls_server_name;
  config.certificate_authority = cluster->certificate_authority;
  config.client_certificate = user->client_certificate;
  config.client_key = user->client_key;
  config.token = user->token;
  if (!context->namespace_name.empty()) config.namespace_name = context->namespace_name;
  config.origin = fmt::format("{}, context {}", origin, wanted);
  return config;
}

}  // namespace tracekeeper::kube
