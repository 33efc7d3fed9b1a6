#include "alloc/magazine.h"

#include <array>
#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::alloc::detail {
namespace {

/// A depot that looks whether what it gets is still in somebody's stock.
class Shelf final : public MagazineOwner {
  public:
    Shelf() : MagazineOwner(OwnerKind::innermost, batch_max) { enroll(); }

    ~Shelf() override {
        withdraw();
        collect_stocks();
    }

    using MagazineOwner::pop;
    using MagazineOwner::push;

    std::size_t lying() const { return items_.size(); }

    std::size_t in_two_places() const { return in_two_places_; }

  private:
    void hold_for_fork() noexcept override {}

    void release_after_fork(locking::ForkSide) noexcept override {}

    std::uint64_t handed_out() const noexcept override { return 0; }

    std::size_t depot_take(std::span<void*> room) noexcept override {
        std::size_t taken = 0;
        for (; taken < room.size() && !items_.empty(); ++taken) {
            room[taken] = items_.back();
            items_.pop_back();
        }
        return taken;
    }

    void depot_give(std::span<void* const> items) noexcept override {
        for (void* item : items) {
            if (find_stocked(item) != 0) ++in_two_places_;
            items_.push_back(item);
        }
    }

    std::vector<void*> items_;
    std::size_t in_two_places_ = 0;
};

TEST_CASE("what a thread gives to the depot is in its stock no more") {
    constexpr std::size_t count = std::size_t{5} * batch_max;
    std::array<int, count> things{};
    Shelf shelf;
    for (int& thing : things)
        shelf.push(&thing);
    CHECK(shelf.lying() == count - 2 * std::size_t{batch_max});
    for (std::size_t i = 0; i < count; ++i)
        REQUIRE(shelf.pop() != nullptr);
    CHECK(shelf.pop() == nullptr);
    for (int& thing : things)
        shelf.push(&thing);
    shelf.flush_thread();
    CHECK(shelf.lying() == count);
    CHECK(shelf.in_two_places() == 0);
}

}  // namespace
}  // namespace tern::alloc::detail
