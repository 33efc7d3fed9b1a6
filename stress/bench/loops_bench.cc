// Rows P1 to P19: events, timers, sockets and scheduling against event loop libraries.

#include "locking/domain.h"
#include "loops/event.h"
#include "loops/loop.h"
#include "loops/runtime.h"
#include "loops/thread_group.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

namespace tern::bench {
namespace {

constexpr std::uint64_t hops = 200'000;

struct Main {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "main";
};

struct Side {
    static constexpr locking::LockRank rank = 200;
    static constexpr std::string_view name = "side";
};

/// Two loops on the main thread pass one event to and fro.
class Hopping {
  public:
    Hopping() {
        ping_.send(left_);
        runtime_.run();
    }

    double ns_per_hop() const { return ns_ / static_cast<double>(hops); }

  private:
    static void to_right(void* context, loops::Turn&) {
        auto& self = *static_cast<Hopping*>(context);
        if (self.count_ == 0) self.start_ns_ = thread_ns();
        ++self.count_;
        self.pong_.send(self.right_);
    }

    static void to_left(void* context, loops::Turn&) {
        auto& self = *static_cast<Hopping*>(context);
        if (++self.count_ < hops) {
            self.ping_.send(self.left_);
            return;
        }
        self.ns_ = thread_ns() - self.start_ns_;
        self.runtime_.quit();
    }

    locking::Domain<Main> main_domain_;
    loops::Runtime runtime_{loops::RuntimeOptions{.main_domain = &main_domain_}};
    locking::Domain<Side> left_domain_{"left"};
    locking::Domain<Side> right_domain_{"right"};
    loops::Loop left_{runtime_.main_group(), left_domain_, "left"};
    loops::Loop right_{runtime_.main_group(), right_domain_, "right"};
    loops::Event ping_{to_right, this};
    loops::Event pong_{to_left, this};
    std::uint64_t count_ = 0;
    double start_ns_ = 0;
    double ns_ = 0;
};

Sample tern_hops() {
    return Hopping().ns_per_hop();
}

/// The same between two strands of one context.
struct StrandHopping {
    boost::asio::io_context context{1};
    boost::asio::strand<boost::asio::io_context::executor_type> left{context.get_executor()};
    boost::asio::strand<boost::asio::io_context::executor_type> right{context.get_executor()};
    std::uint64_t count = 0;

    void to_right() {
        ++count;
        boost::asio::post(right, [this] { to_left(); });
    }

    void to_left() {
        if (++count < hops) boost::asio::post(left, [this] { to_right(); });
    }
};

Sample asio_hops() {
    StrandHopping hopping;
    boost::asio::post(hopping.left, [&] { hopping.to_right(); });
    return ns_per_operation(1, [&] { hopping.context.run(); }) / static_cast<double>(hops);
}

void add_event_rows(Suite& suite) {
    Row& hop = suite.add({.id = "P3",
                          .group = "events",
                          .text = "hop between two loops of one thread",
                          .unit = "ns",
                          .target = {.value = 50, .ratio = 0.63, .peer = "asio strands"}});
    hop.add("tern", tern_hops).add("asio strands", asio_hops);
}

}  // namespace
}  // namespace tern::bench

int main(int argc, char** argv) {
    tern::bench::Suite suite("loops");
    tern::bench::add_event_rows(suite);
    return suite.main(argc, argv);
}
