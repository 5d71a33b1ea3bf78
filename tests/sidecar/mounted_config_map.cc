#include "tests/sidecar/mounted_config_map.h"

#include <fmt/core.h>

#include <fstream>

#include "src/config/sidecar_config.h"
#include "src/crypto/digest.h"
#include "tests/support/free_port.h"

namespace tracekeeper::sidecar {
namespace fs = std::filesystem;
namespace {

/// The same for all configurations of this process, so that only their generation differs.
config::SidecarPorts Ports() {
  static const config::SidecarPorts ports{.otlp_grpc = test_support::FreePort(),
                                          .otlp_http = test_support::FreePort()};
  return ports;
}

std::string Body(std::int64_t generation) {
  config::SidecarConfig config;
  config.ports = Ports();
  config.policy = {"shop", "checkout"};
  config.generation = generation;
  return config::EncodeSidecarConfig(config);
}

}  // namespace

void MountedConfigMap::Publish(const std::optional<std::string>& text) {
  const fs::path data = folder_ / "..data";
  const fs::path previous = fs::is_symlink(data) ? folder_ / fs::read_symlink(data) : fs::path();
  const std::string version = fmt::format("..2026_01_02_03_04_05.{}", ++version_);
  fs::create_directory(folder_ / version);
  if (text) std::ofstream(folder_ / version / "config.yaml", std::ios::binary) << *text;
  fs::create_symlink(version, folder_ / "..data_tmp");
  fs::rename(folder_ / "..data_tmp", data);
  const fs::path key = folder_ / "config.yaml";
  if (text && !fs::is_symlink(key)) fs::create_symlink("..data/config.yaml", key);
  if (!text) fs::remove(key);
  if (!previous.empty()) fs::remove_all(previous);
}

std::string ConfigText(std::int64_t generation) {
  return config::WithDigest(ConfigDigest(generation), Body(generation));
}

std::string ConfigDigest(std::int64_t generation) {
  return "sha256:" + crypto::Sha256Hex(Body(generation));
}

}  // namespace tracekeeper::sidecar
