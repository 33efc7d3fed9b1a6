#include "locking/rcu.h"

#include "locking/death_test.h"
#include "locking/domain.h"
#include "locking/rcu_litmus_testing.h"
#include "locking/test_levels.h"

#include <array>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::locking::rcu {
namespace {

struct Node : Retired {
    int* reclaimed = nullptr;
};

void count_reclaim(Retired& node) noexcept {
    ++*static_cast<Node&>(node).reclaimed;
}

TEST_CASE("sections nest and end") {
    CHECK_FALSE(in_read_section());
    {
        ReadSection outer;
        {
            ReadSection inner;
            CHECK(in_read_section());
        }
        CHECK(in_read_section());
    }
    CHECK_FALSE(in_read_section());
}

TEST_CASE("a ticket is done once older sections have ended, younger ones do not count") {
    std::atomic<int> step{0};
    std::thread reader([&] {
        {
            ReadSection section;
            step.store(1);
            while (step.load() < 2)
                std::this_thread::yield();
        }
        ReadSection younger;
        step.store(3);
        while (step.load() < 4)
            std::this_thread::yield();
    });
    while (step.load() < 1)
        std::this_thread::yield();
    const Ticket ticket = begin();
    CHECK_FALSE(done(ticket));
    CHECK_FALSE(done(ticket));
    step.store(2);
    while (step.load() < 3)
        std::this_thread::yield();
    CHECK(done(ticket));
    step.store(4);
    reader.join();
}

TEST_CASE("synchronize waits for a reader that sleeps") {
    std::atomic<bool> inside{false};
    std::atomic<bool> left{false};
    std::thread reader([&] {
        ReadSection section;
        inside.store(true);
        for (int i = 0; i < 2000; ++i)
            std::this_thread::yield();
        left.store(true);
    });
    while (!inside.load())
        std::this_thread::yield();
    synchronize();
    CHECK(left.load());
    reader.join();
}

TEST_CASE("retired objects come back after the sections that may see them") {
    drain();
    int reclaimed = 0;
    Node node;
    node.reclaimed = &reclaimed;
    {
        ReadSection section;
        retire(node, count_reclaim);
        CHECK(reclaim_due());
        CHECK(reclaim(100) == 0);
        CHECK(reclaim(100) == 0);
    }
    drain();
    CHECK(reclaimed == 1);
    CHECK_FALSE(reclaim_due());
}

TEST_CASE("reclaim keeps to its budget") {
    drain();
    int reclaimed = 0;
    std::array<Node, 10> nodes;
    for (Node& node : nodes) {
        node.reclaimed = &reclaimed;
        retire(node, count_reclaim);
    }
    CHECK(reclaim(3) == 3);
    CHECK(reclaimed == 3);
    CHECK(reclaim(3) == 3);
    CHECK(reclaim_due());
    drain();
    CHECK(reclaimed == 10);
}

TEST_CASE("a forked child does not wait for readers that it does not have") {
    std::atomic<int> step{0};
    std::thread reader([&] {
        ReadSection section;
        step.store(1);
        step.notify_all();
        step.wait(1);
    });
    step.wait(0);
    const Death death = death_of([] {
        synchronize();
        ReadSection section;
        (void)!::write(STDERR_FILENO, "through", 7);
    });
    CHECK(death.report == "through");
    step.store(2);
    step.notify_all();
    reader.join();
}

// Without the barrier it fails: stress/locking/rcu_torture_test.cc.
TEST_CASE("AT-RCU-1 no reader ever sees an object that was reclaimed", "[AT-RCU-1]") {
    CHECK(testing::Litmus().run(3000) == 0);
}

TEST_CASE("threads that come and go neither block nor are forgotten") {
    std::atomic<std::uint64_t> reads{0};
    std::atomic<int*> current{new int(1)};
    std::atomic<bool> stop{false};
    std::thread churn([&] {
        while (!stop.load()) {
            std::thread([&] {
                ReadSection section;
                reads.fetch_add(static_cast<std::uint64_t>(*current.load()));
            }).join();
        }
    });
    for (int n = 0; n < 200 || reads.load() < 50; ++n) {
        int* old = current.exchange(new int(1));
        synchronize();
        *old = 0;  // plain on purpose: the thread sanitizer checks the order
        delete old;
    }
    stop.store(true);
    churn.join();
    delete current.load();
}

TEST_CASE("several threads retire and reclaim together") {
    drain();

    struct Counted : Retired {
        std::atomic<int>* count;
    };

    std::atomic<int> count{0};
    constexpr int each = 2000;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < each; ++n) {
                auto* node = new Counted;
                node->count = &count;
                retire(*node, [](Retired& retired) noexcept {
                    auto& counted = static_cast<Counted&>(retired);
                    counted.count->fetch_add(1);
                    delete &counted;
                });
                if (n % 16 == 0) reclaim(32);
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    drain();
    CHECK(count.load() == 3 * each);
}

}  // namespace
}  // namespace tern::locking::rcu
