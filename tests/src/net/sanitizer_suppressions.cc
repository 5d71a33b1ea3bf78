// Debian's libcpprest.so and libstdc++.so are not built for ThreadSanitizer, which therefore cannot
// see how cpprest hands tasks and exceptions from thread to thread and takes that for a race.

extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "race:libcpprest.so\n"
         "race:pplx::\n"
         "race:Concurrency::\n"
         "race:std::__exception_ptr::exception_ptr::_M_release\n";
}

// What cpprest's thread pool still holds when a process ends, since its threads live as long:
// OpenSSL's state of each thread, and continuations that were waiting for one. Stacks through its
// code are found by the slow unwinder alone, as Debian's libraries keep no frame pointers.
extern "C" const char* __lsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:libcpprest.so\n";
}
extern "C" const char* __lsan_default_options();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __lsan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "fast_unwind_on_malloc=0";
}
