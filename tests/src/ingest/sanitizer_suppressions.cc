// Debian's libraries of gRPC are not built for ThreadSanitizer, which therefore cannot see how they
// hand work from thread to thread and takes that for a race.

extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:libgrpc.so\n"
         "race:libgrpc++.so\n"
         "race:libgpr.so\n"
         "race:libabsl_\n"
         "called_from_lib:libabsl_graphcycles_internal.so\n";
}
