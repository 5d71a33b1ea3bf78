#include "tests/support/fake_vault.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "src/codec/json_writer.h"
#include "src/kube/timestamp.h"

namespace tracekeeper::test_support {
namespace {

using std::chrono::seconds;

constexpr Duration kUsualLife = std::chrono::hours(1);
constexpr Duration kLongestLife = std::chrono::hours(24);

net::Response NoContent() { return {.status = 204}; }

std::int64_t WholeSeconds(Duration duration) {
  return std::chrono::duration_cast<seconds>(duration).count();
}

/// "60", "60s", "1h": as much of Vault's durations as tests write.
Duration DurationOf(codec::JsonValue value, Duration fallback) {
  if (const auto number = value.Integer()) return seconds(*number);
  const std::string_view text = value.StringOr("");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return fallback;
  const char unit = end == text.data() + text.size() ? 's' : *end;
  return seconds(number * (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1));
}

}  // namespace

Result<net::Response> FakeVault::Send(const net::Request& request,
                                      const net::CallOptions& /*options*/, const StopToken& stop) {
  if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
  const std::scoped_lock lock(mutex_);
  Asked asked;
  asked.method = request.method == "POST" ? "PUT" : request.method;  // Vault takes both as a write
  asked.path = std::string(net::PathOf(request.target));
  if (!asked.path.starts_with("/v1/")) return Stamped(VaultRefusal(404));
  asked.path.erase(0, 4);
  asked.version = net::QueryParameter(request.target, "version");
  asked.token = std::string(request.headers.Get("X-Vault-Token"));
  asked.wrap = std::string(request.headers.Get("X-Vault-Wrap-TTL"));
  log_.push_back(asked.method + " " + asked.path);
  if (!next_.empty()) {
    Result<net::Response> answer = std::move(next_.front());
    next_.erase(next_.begin());
    return answer;
  }
  codec::JsonParser parser;
  if (!request.body.empty()) {
    const auto body = parser.Parse(request.body);
    if (!body) return Stamped(VaultRefusal(400, "error parsing JSON"));
    asked.body = *body;
  }
  EndDueLocked();
  return Stamped(AnswerLocked(asked));
}

Status FakeVault::Stream(const net::Request& request, net::StreamSink& /*sink*/,
                         const net::CallOptions& /*options*/, const StopToken& /*stop*/) {
  return Fail(ErrorKind::kInternal, "the fake Vault streams nothing, and was asked for {}",
              request.target);
}

net::Response FakeVault::Stamped(net::Response answer) {
  answer.headers.Set(
      "Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", std::chrono::floor<seconds>(Now())));
  answer.headers.Set("Content-Type", "application/json");
  if (answer.status == 200 && answer.body.starts_with('{')) {
    answer.body.insert(1, fmt::format(R"("request_id":"request-{}",)", ++counter_));
  }
  return answer;
}

net::Response FakeVault::AnswerLocked(const Asked& asked) {
  if (asked.path == "sys/health") return Health();
  if (state_ == State::kSealed) return VaultRefusal(503, "Vault is sealed");
  if (state_ == State::kNew) return VaultRefusal(501, "Vault is not initialized");
  if (state_ == State::kDisasterRecovery) return VaultRefusal(472);
  for (const std::string& prefix : denied_) {
    if (asked.path.starts_with(prefix)) return VaultRefusal(403, "permission denied");
  }
  if (asked.path.starts_with("auth/") && asked.path.ends_with("/login")) return LogIn(asked);
  if (asked.path == "sys/wrapping/unwrap") return Unwrap(asked);
  if (!IsAlive(asked.token)) return VaultRefusal(403, "permission denied");
  net::Response answer;
  if (asked.path.starts_with("sys/")) {
    answer = System(asked);
  } else if (asked.path.starts_with("auth/")) {
    answer = Auth(asked);
  } else {
    answer = Mounted(asked);
  }
  return asked.wrap.empty() || answer.status != 200 ? answer : Wrap(std::move(answer), asked);
}

net::Response FakeVault::Health() const {
  struct Row {
    State state;
    int status;
  };
  constexpr Row kRows[] = {
      {State::kActive, 200},           {State::kStandby, 429}, {State::kPerformanceStandby, 473},
      {State::kDisasterRecovery, 472}, {State::kSealed, 503},  {State::kNew, 501}};
  const auto* const row =
      std::ranges::find_if(kRows, [this](const Row& each) { return each.state == state_; });
  codec::JsonWriter json;
  json.BeginObject()
      .Key("initialized")
      .Bool(state_ != State::kNew)
      .Key("sealed")
      .Bool(state_ == State::kSealed || state_ == State::kNew)
      .Key("standby")
      .Bool(state_ != State::kActive)
      .Key("server_time_utc")
      .Integer(WholeSeconds(Now().time_since_epoch()))
      .Member("version", "1.14.1")
      .EndObject();
  return {.status = row->status, .body = json.Take()};
}

net::Response FakeVault::System(const Asked& asked) {
  if (asked.path.starts_with("sys/leases/")) return Leases(asked);
  if (asked.path.starts_with("sys/mounts/") && asked.method == "PUT") {
    const std::string mount = asked.path.substr(std::string_view("sys/mounts/").size());
    const std::string_view type = asked.body["type"].StringOr("");
    if (type == "kv") {
      const bool is_second = asked.body["options"]["version"].StringOr("1") == "2";
      kv_.emplace(mount, FakeKv(is_second ? 2 : 1));
      return NoContent();
    }
    if (type == "database") {
      databases_.insert(mount);
      return NoContent();
    }
  }
  if (asked.path == "sys/seal" && asked.method == "PUT") {
    state_ = State::kSealed;
    return NoContent();
  }
  return VaultRefusal(404, "unsupported path");
}

net::Response FakeVault::Auth(const Asked& asked) {
  if (asked.path == "auth/token/create") return MakeToken(asked);
  return OwnToken(asked);
}

std::string FakeVault::Issue(Duration life, Duration longest, bool is_batch) {
  const std::uint64_t number = ++counter_;
  std::string id = fmt::format("{}.fake-{}", is_batch ? "hvb" : "hvs", number);
  Token& token = tokens_[id];
  token.accessor = is_batch ? "" : fmt::format("accessor-{}", number);
  token.life = life;
  token.longest = Now() + longest;
  token.is_batch = is_batch;
  token.ends = std::min(Now() + life, token.longest);
  codec::JsonWriter json;
  json.BeginObject().Key("auth").BeginObject();
  json.Member("client_token", id).Member("accessor", token.accessor);
  json.Key("lease_duration").Integer(WholeSeconds(*token.ends - Now()));
  json.Key("renewable").Bool(!is_batch).Member("token_type", is_batch ? "batch" : "service");
  json.EndObject().EndObject();
  return json.Take();
}

net::Response FakeVault::LogIn(const Asked& asked) {
  const bool is_approle = asked.path == "auth/approle/login";
  const std::string name(asked.body[is_approle ? "role_id" : "role"].StringOr(""));
  const auto role = roles_.find(name);
  if (is_approle) {
    if (role == roles_.end() || asked.body["secret_id"].StringOr("") != role->second.jwt) {
      return VaultRefusal(400, "invalid role or secret ID");
    }
  } else if (role == roles_.end()) {
    return VaultRefusal(400, fmt::format("invalid role name \"{}\"", name));
  } else if (asked.body["jwt"].StringOr("") != role->second.jwt) {
    return VaultRefusal(403, "permission denied");
  }
  return {.status = 200, .body = Issue(role->second.life, role->second.longest, false)};
}

net::Response FakeVault::MakeToken(const Asked& asked) {
  const Duration life = DurationOf(asked.body["ttl"], kUsualLife);
  const Duration longest = DurationOf(asked.body["explicit_max_ttl"], kLongestLife);
  const bool is_batch = asked.body["type"].StringOr("") == "batch";
  return {.status = 200, .body = Issue(life, longest, is_batch)};
}

net::Response FakeVault::OwnToken(const Asked& asked) {
  const auto found = tokens_.find(asked.token);
  const bool is_root = found == tokens_.end();
  if (asked.path == "auth/token/lookup-self") {
    const Duration left =
        is_root || !found->second.ends ? Duration::zero() : *found->second.ends - Now();
    codec::JsonWriter json;
    json.BeginObject()
        .Key("ttl")
        .Integer(WholeSeconds(left))
        .Key("renewable")
        .Bool(!is_root && !found->second.is_batch)
        .Member("type", !is_root && found->second.is_batch ? "batch" : "service")
        .EndObject();
    return VaultData(json.text());
  }
  if (asked.path == "auth/token/revoke-self") {
    if (!is_root && found->second.is_batch) {
      return VaultRefusal(400, "batch tokens cannot be revoked");
    }
    std::erase_if(leases_, [&](const auto& entry) { return entry.second.token == asked.token; });
    tokens_.erase(asked.token);
    return NoContent();
  }
  if (asked.path == "auth/token/renew-self") {
    if (is_root || found->second.is_batch) return VaultRefusal(400, "lease is not renewable");
    Token& token = found->second;
    token.ends = std::min(Now() + DurationOf(asked.body["increment"], token.life), token.longest);
    codec::JsonWriter json;
    json.BeginObject().Key("auth").BeginObject();
    json.Member("client_token", asked.token).Member("accessor", token.accessor);
    json.Key("lease_duration").Integer(WholeSeconds(*token.ends - Now()));
    json.Key("renewable").Bool(true).Member("token_type", "service").EndObject().EndObject();
    return {.status = 200, .body = json.Take()};
  }
  return VaultRefusal(404, "unsupported path");
}

net::Response FakeVault::Mounted(const Asked& asked) {
  const std::size_t slash = asked.path.find('/');
  const std::string mount = asked.path.substr(0, slash);
  const std::string rest = slash == std::string::npos ? "" : asked.path.substr(slash + 1);
  if (const auto kv = kv_.find(mount); kv != kv_.end()) {
    return kv->second.Answer({.method = asked.method,
                              .path = rest,
                              .version = asked.version,
                              .body = asked.body,
                              .now = Now()});
  }
  if (databases_.contains(mount) && rest.starts_with("creds/")) {
    return Credentials(asked, std::string_view(rest).substr(6));
  }
  return VaultRefusal(
      404, fmt::format("no handler for route \"{}\". route entry not found.", asked.path));
}

net::Response FakeVault::Credentials(const Asked& asked, std::string_view role) {
  const std::uint64_t number = ++counter_;
  const std::string id = fmt::format("{}/fake-{}", asked.path, number);
  Lease lease{asked.token, Now() + kUsualLife, Now() + kLongestLife, kUsualLife};
  leases_.emplace(id, lease);
  codec::JsonWriter json;
  json.BeginObject()
      .Member("lease_id", id)
      .Key("lease_duration")
      .Integer(WholeSeconds(kUsualLife))
      .Key("renewable")
      .Bool(true)
      .Key("data")
      .BeginObject()
      .Member("username", fmt::format("v-{}-{}", role, number))
      .Member("password", fmt::format("password-{}", number))
      .EndObject()
      .EndObject();
  return {.status = 200, .body = json.Take()};
}

net::Response FakeVault::Leases(const Asked& asked) {
  const std::string id(asked.body["lease_id"].StringOr(""));
  const auto found = leases_.find(id);
  if (asked.path == "sys/leases/revoke") {
    leases_.erase(id);
    return NoContent();
  }
  if (found == leases_.end()) {
    return VaultRefusal(400,
                        asked.path == "sys/leases/lookup" ? "invalid lease" : "lease not found");
  }
  Lease& lease = found->second;
  if (asked.path == "sys/leases/lookup") {
    codec::JsonWriter json;
    json.BeginObject()
        .Member("id", id)
        .Member("expire_time", kube::FormatMicroTimestamp(lease.ends))
        .Key("renewable")
        .Bool(true)
        .Key("ttl")
        .Integer(WholeSeconds(lease.ends - Now()))
        .EndObject();
    return VaultData(json.text());
  }
  lease.ends = std::min(Now() + DurationOf(asked.body["increment"], lease.life), lease.longest);
  codec::JsonWriter json;
  json.BeginObject().Member("lease_id", id).Key("renewable").Bool(true).Key("lease_duration");
  json.Integer(WholeSeconds(lease.ends - Now())).EndObject();
  return {.status = 200, .body = json.Take()};
}

net::Response FakeVault::Wrap(net::Response answer, const Asked& asked) {
  const std::string token = fmt::format("hvs.wrapping-{}", ++counter_);
  std::int64_t life = 0;
  std::from_chars(asked.wrap.data(), asked.wrap.data() + asked.wrap.size(), life);
  wrapped_.emplace(token, Wrapped{std::move(answer.body), Now() + seconds(life)});
  codec::JsonWriter json;
  json.BeginObject().Key("wrap_info").BeginObject().Member("token", token).Key("ttl");
  json.Integer(life).Member("creation_path", asked.path).EndObject().EndObject();
  return {.status = 200, .body = json.Take()};
}

net::Response FakeVault::Unwrap(const Asked& asked) {
  const std::string token(asked.body["token"].StringOr(asked.token));
  const auto found = wrapped_.find(token);
  if (found == wrapped_.end() || found->second.ends <= Now()) {
    return VaultRefusal(400, "wrapping token is not valid or does not exist");
  }
  net::Response answer{.status = 200, .body = std::move(found->second.answer)};
  wrapped_.erase(found);
  return answer;
}

bool FakeVault::IsAlive(const std::string& token) const {
  return token == root_token() || tokens_.contains(token);
}

void FakeVault::EndDueLocked() {
  const Instant now = Now();
  std::erase_if(
      tokens_, [now](const auto& entry) { return entry.second.ends && *entry.second.ends <= now; });
  std::erase_if(leases_, [&](const auto& entry) {
    return entry.second.ends <= now || !IsAlive(entry.second.token);
  });
}

void FakeVault::SetState(State state) {
  const std::scoped_lock lock(mutex_);
  state_ = state;
}

void FakeVault::Deny(std::string path_prefix) {
  const std::scoped_lock lock(mutex_);
  denied_.insert(std::move(path_prefix));
}

void FakeVault::Allow(std::string_view path_prefix) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = denied_.find(path_prefix); found != denied_.end()) denied_.erase(found);
}

void FakeVault::AnswerNext(Result<net::Response> answer) {
  const std::scoped_lock lock(mutex_);
  next_.push_back(std::move(answer));
}

void FakeVault::SkewClock(Duration by) {
  const std::scoped_lock lock(mutex_);
  skew_ = by;
}

void FakeVault::AddRole(std::string role, std::string jwt, Duration token_life,
                        Duration longest_life) {
  const std::scoped_lock lock(mutex_);
  const Duration longest = longest_life == Duration::zero() ? kLongestLife : longest_life;
  roles_[std::move(role)] = {std::move(jwt), token_life, longest};
}

std::vector<std::string> FakeVault::log() const {
  const std::scoped_lock lock(mutex_);
  return log_;
}

std::size_t FakeVault::CountOf(std::string_view logged) const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(log_, logged));
}

std::size_t FakeVault::live_leases() const {
  const std::scoped_lock lock(mutex_);
  return leases_.size();
}

}  // namespace tracekeeper::test_support
