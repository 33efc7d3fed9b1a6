#include "alloc/page.h"
#include "stress/oom_regression/heap.h"

#include <cstdlib>

#include <unistd.h>

namespace tern::oom {

namespace {

/// Freed from the newest to the oldest. Each block begins with the link to the one before, so that
/// nothing but the load itself is asked for.
class MallocHand final : public Hand {
  public:
    ~MallocHand() override {
        while (last_ != nullptr) {
            Block* const block = last_;
            last_ = block->previous;
            std::free(block);
        }
    }

    void make_object() override {
        auto* const block = static_cast<Block*>(std::malloc(Heap::object_bytes));
        block->previous = last_;
        last_ = block;
    }

    void make_text() override { make_object(); }

  private:
    struct Block {
        Block* previous;
    };

    Block* last_ = nullptr;
};

class MallocHeap final : public Heap {
  public:
    void* page() override { return std::aligned_alloc(alloc::page_bytes, alloc::page_bytes); }

    void give_page(void* page) override { std::free(page); }

    void* shared_object() override { return std::malloc(object_bytes); }

    void give_shared_object(void* object) override { std::free(object); }

    std::unique_ptr<Hand> hand() override { return std::make_unique<MallocHand>(); }

    void upkeep() override {}

    Memory sample() override { return memory_of(::getpid()); }
};

}  // namespace

std::unique_ptr<Heap> make_malloc_heap() {
    return std::make_unique<MallocHeap>();
}

}  // namespace tern::oom
