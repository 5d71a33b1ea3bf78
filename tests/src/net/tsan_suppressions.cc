// Debian's libcpprest.so and libstdc++.so are not built for ThreadSanitizer, which therefore cannot
// see how cpprest hands tasks and exceptions from thread to thread and takes that for a race.

extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:libcpprest.so\n"
         "race:pplx::\n"
         "race:Concurrency::\n"
         "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
