// A fork may meet the first use of the cache of the process in another thread. Its own program,
// since the process must not have used the cache before.

#include "alloc/page_cache.h"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace tern::alloc {
namespace {

/// The child allocates; a child that hangs is ended by its alarm.
bool child_allocates() {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(5);
        PageCache& cache = PageCache::process();
        cache.deallocate(cache.allocate());
        cache.verify();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Another thread comes to the first use so many spins after this one has begun to fork.
bool survives(int spins) {
    std::atomic<int> ready{0};
    std::thread other([&] {
        ++ready;
        while (ready.load() != 2) {
        }
        for (int i = 0; i < spins; ++i)
            asm volatile("");
        PageCache::process();
    });
    while (ready.load() != 1) {
    }
    ++ready;
    const bool survived = child_allocates();
    other.join();
    return survived;
}

TEST_CASE("a child of a fork in the middle of the first use can allocate") {
    int hung = 0;
    // Each in a process of its own, where the use is the first.
    for (int i = 0; i < 100 && hung == 0; ++i) {
        const pid_t process = ::fork();
        if (process == 0) ::_exit(survives(i * 500) ? 0 : 1);
        int status = 0;
        ::waitpid(process, &status, 0);
        hung += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
    }
    CHECK(hung == 0);
}

}  // namespace
}  // namespace tern::alloc
