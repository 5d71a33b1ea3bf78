// Debian's libraries of gRPC are not built for ThreadSanitizer, which therefore cannot see how they
// hand work from thread to thread and takes that for a race, also in what they call. It does not
// see through their frames either, which leaves OpenSSL's at the top.

extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:libgrpc.so\n"
         "race:libgrpc++.so\n"
         "race:libgpr.so\n"
         "race:libabsl_\n"
         "race:libupb.so\n"
         "race:libssl.so\n"
         "race:libcrypto.so\n"
         "called_from_lib:libabsl_graphcycles_internal.so\n";
}
