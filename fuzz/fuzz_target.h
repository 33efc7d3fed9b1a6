#pragma once
/// One fuzz target per file: TERN_FUZZ(name, data, size) { ... }.
/// With libFuzzer (preset fuzz, clang) the body is the fuzzer's entry. Otherwise smoke.cc gives the
/// program a main of its own, which replays the corpus and then runs seeded random mutations for
/// about a second, so that every build of the tests, with any compiler, runs each target. A body
/// keeps no state between calls and reports a finding by an assertion.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#ifdef TERN_FUZZ_ENGINE
#define TERN_FUZZ_ENTRY LLVMFuzzerTestOneInput
#else
#define TERN_FUZZ_ENTRY tern_fuzz_one_input
#endif

extern "C" int TERN_FUZZ_ENTRY(const std::uint8_t* data, std::size_t size);

/// `data` and `size` are the names the body uses. The input is copied to memory of exactly its
/// size, so that reading past it is seen by a sanitizer.
#define TERN_FUZZ(name, data, size)                                                         \
    static void name(const std::uint8_t* data, std::size_t size);                           \
    extern "C" int TERN_FUZZ_ENTRY(const std::uint8_t* fuzz_input, std::size_t fuzz_size) { \
        const auto copy = std::make_unique<std::uint8_t[]>(fuzz_size);                      \
        if (fuzz_size != 0) std::memcpy(copy.get(), fuzz_input, fuzz_size);                 \
        name(copy.get(), fuzz_size);                                                        \
        return 0;                                                                           \
    }                                                                                       \
    static void name(const std::uint8_t* data, std::size_t size)
