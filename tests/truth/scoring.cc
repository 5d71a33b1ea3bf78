#include "tests/truth/scoring.h"

#include <array>
#include <cstdio>
#include <string_view>

namespace tracekeeper::truth {
namespace {

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += "0123456789abcdef"[value >> 4U];
    text += "0123456789abcdef"[value & 15U];
  }
  return text;
}

double Share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string CauseOf(std::string_view finding) {
  return std::string(finding.substr(0, finding.find(' ')));
}

/// What of a finding must agree.
std::string KeyOf(const std::string& finding) {
  const std::string cause = CauseOf(finding);
  const std::size_t trace = cause.size() + 1;
  const std::size_t end = finding.find(' ', trace);
  if (end == std::string::npos) {
    return finding;
  }
  if (cause == "fragments") {
    return finding.substr(0, end);
  }
  if (cause == "truncated_id" && end - trace == 32) {
    return cause + " " + finding.substr(trace + 16);
  }
  return finding;
}

std::map<std::string, std::string> Keyed(const std::set<std::string>& findings) {
  std::map<std::string, std::string> keyed;
  for (const std::string& finding : findings) {
    keyed.emplace(KeyOf(finding), finding);
  }
  return keyed;
}

}  // namespace

std::string FindingOf(const SeededBreak& seeded) {
  return seeded.cause + " " + Hex(seeded.trace_id) + " " + Hex(seeded.span_id);
}

double CauseScore::precision() const { return Share(agreed, reported); }
double CauseScore::recall() const { return Share(agreed, seeded); }

Scores Score(const std::vector<SeededBreak>& truth, const std::set<std::string>& findings) {
  std::set<std::string> seeded;
  for (const SeededBreak& one : truth) {
    seeded.insert(FindingOf(one));
  }
  const std::map<std::string, std::string> wanted = Keyed(seeded);
  const std::map<std::string, std::string> found = Keyed(findings);
  Scores scores;
  for (const auto& [key, finding] : wanted) {
    CauseScore& score = scores.causes[CauseOf(finding)];
    ++score.seeded;
    if (found.contains(key)) {
      ++score.agreed;
    } else {
      scores.missed.insert(finding);
    }
  }
  for (const auto& [key, finding] : found) {
    ++scores.causes[CauseOf(finding)].reported;
    if (!wanted.contains(key)) {
      scores.false_alarms.insert(finding);
    }
  }
  return scores;
}

std::string Scores::Table() const {
  std::array<char, 128> line{};
  std::string table = "cause                     seeded reported precision recall\n";
  for (const auto& [cause, score] : causes) {
    std::snprintf(line.data(), line.size(), "%-25s %6zu %8zu %9.3f %6.3f\n", cause.c_str(),
                  score.seeded, score.reported, score.precision(), score.recall());
    table += line.data();
  }
  return table;
}

std::map<std::string, std::size_t> CountByCause(const std::vector<SeededBreak>& truth) {
  std::map<std::string, std::size_t> counts;
  for (const SeededBreak& one : truth) {
    ++counts[one.cause];
  }
  return counts;
}

}  // namespace tracekeeper::truth
