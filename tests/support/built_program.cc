#include "tests/support/built_program.h"

#include "tests/support/folders.h"
#include "tests/support/process.h"

namespace tracekeeper::test_support {

Result<std::filesystem::path> BuiltProgram(const std::string& name, const std::string& file) {
  const std::string setup = SourceFolder() / "tools/setup.sh";
  const CommandResult answer = TRY(RunProcess({.argv = {setup, "path", name}}));
  const std::size_t end = answer.out.find('\n');
  std::filesystem::path program = answer.out.substr(0, end);
  if (!file.empty()) program /= file;
  if (answer.ok() && std::filesystem::exists(program)) return program;
  return Fail(ErrorKind::kNotFound, "{} is not built: run tools/setup.sh {}", program.string(),
              name);
}

}  // namespace tracekeeper::test_support
