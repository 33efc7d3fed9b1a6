#pragma once

/// What tests of things in a pool share: a root pool over a cache of their own.
/// Its domain is held from the start to the end, in the thread of the test, and its cache is
/// verified at the end. Included by tests only; each test owns what it makes.

#include "alloc/page_source_test.h"
#include "alloc/pool.h"
#include "locking/test_levels.h"

namespace tern::alloc {

struct PoolFixture {
    PoolFixture() = default;

    ~PoolFixture() {
        pool.clear();
        cache.verify();
    }

    TestSource source;
    PageCache cache{source, PageCacheConfig{}};
    locking::Domain<locking::testing::Outer> domain{"d"};
    locking::Guard<locking::testing::Outer> guard = domain.lock_dynamic();
    Pool pool{domain, "root", cache};
};

}  // namespace tern::alloc
