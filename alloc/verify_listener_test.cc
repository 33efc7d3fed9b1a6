// After each test case of alloc the cache of the process is verified: what a case breaks there is
// found where it happened, and not by the next one that looks.

#include "alloc/page_cache.h"
#include "locking/death_test.h"

#include <array>

#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

struct VerifyProcessCache final : Catch::TestEventListenerBase {
    using TestEventListenerBase::TestEventListenerBase;

    void testCaseEnded(const Catch::TestCaseStats&) override { PageCache::process().verify(); }
};

CATCH_REGISTER_LISTENER(VerifyProcessCache)

TEST_CASE("a case that loses pages of the process", "[.loses_pages]") {
    PageCache& cache = PageCache::process();
    cache.test_fault(PageCache::TestFault::lose_on_flush);
    std::array<void*, 300> pages;
    for (void*& page : pages)
        page = cache.allocate();
    for (void* page : pages)
        cache.deallocate(page);
}

TEST_CASE("what a test case breaks in the cache of the process is found when it ends") {
    const locking::Death death = locking::death_of([] {
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        ::execl("/proc/self/exe", "test_alloc", "[.loses_pages]", nullptr);
    });
    INFO(death.report);
    CHECK(death.says("pages lost: mapped "));
}

}  // namespace
}  // namespace tern::alloc
