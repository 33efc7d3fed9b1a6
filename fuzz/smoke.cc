// The main of a fuzz target built without libFuzzer: corpus replay, then seeded random mutations.
//   target [-seed=N] [-ms=N] [file or folder]...
// All runs in a child process. If that dies, the parent prints the seed, leaves the input in
// <target>.crash, makes it small with more children, prints that and leaves it in <target>.small.

#include "fuzz/fuzz_target.h"
#include "fuzz/shrink.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using tern::fuzz::Input;

/// The input that runs, where the parent finds it however the child has died.
struct Running {
    static constexpr std::size_t bytes_max = 1 << 20;

    std::size_t size;
    std::uint8_t bytes[bytes_max];
};

/// SplitMix64: small, seeded, good enough to mutate bytes.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    std::size_t below(std::size_t bound) {
        return bound == 0 ? 0 : static_cast<std::size_t>(next() % bound);
    }

    std::uint8_t byte() { return static_cast<std::uint8_t>(next()); }

  private:
    std::uint64_t state_;
};

struct Options {
    std::uint64_t seed = 1;
    std::uint64_t milliseconds = 700;
    std::vector<std::string> paths;
};

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word.starts_with("-seed=")) {
            options.seed = number_of(word.substr(6));
        } else if (word.starts_with("-ms=")) {
            options.milliseconds = number_of(word.substr(4));
        } else if (!word.starts_with("-")) {
            options.paths.emplace_back(word);
        }
    }
    return options;
}

Input load(const std::filesystem::path& path) {
    Input bytes;
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return bytes;
    std::array<std::uint8_t, 4096> block = {};
    for (std::size_t n = 0; (n = std::fread(block.data(), 1, block.size(), file)) != 0;) {
        bytes.insert(bytes.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(n));
    }
    std::fclose(file);
    return bytes;
}

std::vector<Input> load_corpus(const std::vector<std::string>& paths) {
    std::vector<Input> corpus;
    std::error_code error;
    for (const std::string& path : paths) {
        if (!std::filesystem::is_directory(path, error)) {
            if (std::filesystem::exists(path, error)) corpus.push_back(load(path));
            continue;
        }
        for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
            if (entry.is_regular_file()) corpus.push_back(load(entry.path()));
        }
    }
    return corpus;
}

void mutate(Input& input, Random& random) {
    static constexpr std::array<std::uint8_t, 8> edges = {0, 1, 0x7f, 0x80, 0xff, 4, 16, 32};
    switch (random.below(7)) {
        case 0:  // flip a bit
            if (!input.empty()) {
                input[random.below(input.size())] ^=
                    static_cast<std::uint8_t>(1U << random.below(8));
            }
            break;
        case 1:  // an edge value
            if (!input.empty()) input[random.below(input.size())] = edges[random.below(8)];
            break;
        case 2:  // a random byte
            if (!input.empty()) input[random.below(input.size())] = random.byte();
            break;
        case 3:  // cut
            input.resize(random.below(input.size() + 1));
            break;
        case 4:  // grow
            for (std::size_t n = random.below(32); n > 0; --n)
                input.push_back(random.byte());
            break;
        case 5:  // repeat a piece
            if (!input.empty() && input.size() < 65536) {
                const std::size_t from = random.below(input.size());
                const std::size_t count = random.below(input.size() - from + 1);
                const Input piece(input.begin() + static_cast<std::ptrdiff_t>(from),
                                  input.begin() + static_cast<std::ptrdiff_t>(from + count));
                input.insert(input.end(), piece.begin(), piece.end());
            }
            break;
        default:  // erase a byte
            if (!input.empty()) {
                input.erase(input.begin() +
                            static_cast<std::ptrdiff_t>(random.below(input.size())));
            }
            break;
    }
}

void run(const Input& input, Running& running) {
    running.size = std::min(input.size(), Running::bytes_max);
    if (running.size != 0) std::memcpy(running.bytes, input.data(), running.size);
    TERN_FUZZ_ENTRY(running.bytes, running.size);
}

/// The child: the corpus, and mutations of it.
void run_all(const Options& options, Running& running) {
    std::vector<Input> corpus = load_corpus(options.paths);
    for (const Input& input : corpus)
        run(input, running);
    corpus.emplace_back();
    Random random(options.seed);
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(options.milliseconds);
    std::uint64_t runs = 0;
    while (std::chrono::steady_clock::now() < end) {
        for (int i = 0; i < 64; ++i, ++runs) {
            Input input = corpus[random.below(corpus.size())];
            for (std::size_t n = 1 + random.below(6); n > 0; --n)
                mutate(input, random);
            run(input, running);
        }
    }
    std::printf("%zu corpus inputs, %llu mutations, seed %llu\n", corpus.size() - 1,
                static_cast<unsigned long long>(runs),
                static_cast<unsigned long long>(options.seed));
}

/// Runs it in a child; whether that has come to its end.
template <class Action>
bool survives(Action&& action) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        action();
        std::exit(0);  // looks for leaks, if the sanitizer is there
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// One of many: says nothing, leaves no core, and does not run for ever.
void be_quiet() {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDERR_FILENO);
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
    ::alarm(10);
}

void save(const std::string& path, const Input& input) {
    std::FILE* const file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return;
    std::fwrite(input.data(), 1, input.size(), file);
    std::fclose(file);
}

/// What the child has died of.
void tell(const Options& options, const std::string& program, Running& running) {
    constexpr unsigned runs_max = 5000;
    const Input found(running.bytes, running.bytes + running.size);
    save(program + ".crash", found);
    const Input small = tern::fuzz::shrink(found, runs_max, [&](const Input& input) {
        return !survives([&] {
            be_quiet();
            run(input, running);
        });
    });
    save(program + ".small", small);
    std::printf("FAILED with seed %llu, %zu bytes in %s.crash, shrunk to %zu in %s.small:\n",
                static_cast<unsigned long long>(options.seed), found.size(), program.c_str(),
                small.size(), program.c_str());
    for (const std::uint8_t byte : small)
        std::printf("%02x ", static_cast<unsigned>(byte));
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    void* const shared =
        ::mmap(nullptr, sizeof(Running), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 2;
    auto& running = *::new (shared) Running;
    if (survives([&] { run_all(options, running); })) return 0;
    tell(options, argv[0], running);
    return 1;
}
