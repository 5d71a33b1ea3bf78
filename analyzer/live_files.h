#pragma once
// LiveFiles keeps log level, rules and certificates equal to files that others replace: the kubelet
// by its symlink swap, a person by an editor. It looks every poll interval, and when it is told to.
// Where the rules are not those of files (Options::kubernetes), it leaves them alone.
//
// Threads:  Start from the owner's thread, ReadNow from any. What is applied is applied from the
//           thread of its own.
// Owner:    Wiring. The destructor stops and joins. Certificates, clock, log and analysis outlive
//           it.
// Failure:  none that ends it: files that cannot be used leave what is in use as it is, and are
//           logged once.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "analyzer/options.h"
#include "analyzer/policies.h"
#include "src/analysis/analysis_server.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/crypto/server_tls_files.h"

namespace tracekeeper::analyzer {

class LiveFiles {
 public:
  /// `in_use` is what the program was started with.
  /// `tls`: null where no port speaks it.
  LiveFiles(CommandLine command_line, ReadPolicies in_use, crypto::ServerTlsFiles* tls,
            const Clock& clock, Log& log, analysis::AnalysisServer& analysis);
  ~LiveFiles();
  LiveFiles(const LiveFiles&) = delete;
  LiveFiles& operator=(const LiveFiles&) = delete;

  void Start();
  void ReadNow();

 private:
  void Run(const StopToken& stop);
  void Look();
  void TakeOptions(const Options& options);
  void TakePolicies(const ReadPolicies& policies);
  void LookAtCertificates();
  void TellCertificate() const;

  const CommandLine command_line_;
  crypto::ServerTlsFiles* const tls_;
  const Clock& clock_;
  Log& log_;
  const Logger logger_;
  analysis::AnalysisServer& analysis_;

  // The thread of its own only.
  Options last_;
  std::string policies_in_use_;
  std::string last_problem_;
  std::string last_tls_problem_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool is_wanted_ = false;
  std::jthread thread_;
};

}  // namespace tracekeeper::analyzer
