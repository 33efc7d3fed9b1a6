#pragma once

/// Where a load gets its memory: from alloc, or from the malloc that is in force, for comparison.
/// Both are asked for the same things in the same order. Owned by a Workload; any thread may use
/// the Heap, each thread its own Hand. It decides nothing about the load.

#include "stress/oom_regression/run.h"

#include <cstddef>
#include <memory>

namespace tern::oom {

/// Memory of one thread; what is not given back before goes with it.
class Hand {
  public:
    virtual ~Hand() = default;
    /// For as long as the hand lives.
    virtual void make_object() = 0;
    virtual void make_text() = 0;
};

class Heap {
  public:
    static constexpr std::size_t object_bytes = 64;

    virtual ~Heap() = default;
    virtual void* page() = 0;
    virtual void give_page(void* page) = 0;
    /// May go in another thread than it was made in.
    virtual void* shared_object() = 0;
    virtual void give_shared_object(void* object) = 0;
    virtual std::unique_ptr<Hand> hand() = 0;
    /// What a daemon does between its tasks.
    virtual void upkeep() = 0;
    /// After a cycle, when no other thread is inside; aborts when the books are wrong.
    virtual Memory sample() = 0;
};

std::unique_ptr<Heap> make_alloc_heap(const Options& options);
std::unique_ptr<Heap> make_malloc_heap();

}  // namespace tern::oom
