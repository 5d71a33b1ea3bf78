// The program for whose flags precompiled.h is compiled: an executable's, as the tests are. CMake
// gives a precompiled header to targets of the same kind only.

int main() { return 0; }
