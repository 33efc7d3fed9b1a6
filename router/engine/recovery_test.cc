#include "router/engine/recovery.h"

#include "router/config/option.h"
#include "router/engine/testing.h"

namespace tern::engine {
namespace {

using testing::TestRouter;

struct LateConfig : config::ProtocolConfig {
    std::uint32_t up_after = 0;  ///< seconds; 0: at once
    std::uint32_t talks = 0;     ///< seconds in which it announces something new
};

namespace option = config::option;
constexpr config::OptionRow rows[] = {
    option::number<&LateConfig::up_after>("up after", {}, {"0", ""}),
    option::number<&LateConfig::talks>("talks", {}, {"0", ""}),
};
constexpr config::ChannelSyntax channels[] = {
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv4", .name = "ipv4", .type = net::NetType::ip4}),
};
constexpr config::ProtocolSyntax syntax = config::protocol_syntax<LateConfig>({
    .type = "late",
    .label = "Late",
    .stem = "late",
    .doc = "Comes up late and goes on learning.",
    .rows = rows,
    .channels = channels,
    .preference = 100,
});

/// A neighbour that needs a while, then a while to say everything.
class Late final : public Protocol {
  public:
    explicit Late(Instance& instance)
        : Protocol(instance), tick_(instance.loop(), loops::callback<&Late::on_tick>(*this)) {}

    void start() override {
        static const table::testing::MetricClass metric;
        instance().set_owner(std::make_unique<table::testing::TestOwner>(
            metric, std::string(instance().name()), nullptr));
        source_ = instance().services().sources.acquire(*instance().owner(), 0);
        tick_.every(loops::seconds(1));
    }

    void shutdown(const StopRequest&) override {
        tick_.stop();
        instance().services().sources.release(source_);
        instance().down();
    }

    bool reconfigure(const config::ProtocolConfig&, config::Effect) override { return true; }

    bool refresh_import(channel::Channel&) override { return true; }

  private:
    void on_tick() {
        const auto& config = static_cast<const LateConfig&>(instance().config());
        if (seconds_++ < config.up_after) return;
        if (instance().state() == ProtocolState::start) instance().up();
        if (seconds_ - config.up_after > config.talks) return;
        channel::ImportPath& import = instance().channels().front()->import();
        const attr::AttributeSet* set = instance().services().attributes.empty();
        import.announce(table::testing::Bench::net(seconds_), set, source_,
                        instance().loop().now());
        instance().services().attributes.release(set);
        import.flush();
    }

    std::uint32_t seconds_ = 0;
    table::SourceId source_{};
    loops::Timer tick_;
};

const ProtocolDescriptor& descriptor() {
    static const ProtocolDescriptor result = {
        .placement = LoopPlacement::worker,
        .syntax = &syntax,
        .create = create<Late>,
    };
    return result;
}

struct Fixture {
    Fixture()
        : router(1, {&descriptor()}),
          ended([](void* f, loops::Turn&) { ++static_cast<Fixture*>(f)->ends; }, this) {}

    void recover(const std::string& text, std::int64_t wait) {
        {
            const locking::TransitLock lock(router.main);
            router.recovery.begin(loops::seconds(wait));
            router.recovery.tell(ended);
        }
        REQUIRE(router.configure(text).empty());
    }

    void run(std::int64_t seconds) { router.sim.run_for(loops::seconds(seconds)); }

    TestRouter router;
    loops::Event ended;
    int ends = 0;
};

}  // namespace

TEST_CASE("a recovery ends when all are up and nothing new has come for a moment") {
    Fixture f;
    f.recover("protocol late { ipv4; up after 10; talks 20; }", 240);
    f.run(25);
    CHECK(f.router.recovery.active());
    CHECK(f.ends == 0);
    f.run(15);
    CHECK_FALSE(f.router.recovery.active());
    CHECK(f.ends == 1);
}

TEST_CASE("a recovery counts the channels it waits for") {
    Fixture f;
    f.recover("protocol late a { ipv4; up after 10; } protocol late b { ipv4; up after 50; }", 240);
    f.run(5);
    CHECK(f.router.recovery.waiting() == 2);
    f.run(20);
    CHECK(f.router.recovery.waiting() == 1);
    CHECK(f.router.recovery.left() < loops::seconds(216));
    f.run(40);
    CHECK(f.router.recovery.waiting() == 0);
}

TEST_CASE("a recovery does not wait longer than it may") {
    Fixture f;
    f.recover("protocol late { ipv4; up after 1000; }", 30);
    f.run(29);
    CHECK(f.router.recovery.active());
    f.run(3);
    CHECK_FALSE(f.router.recovery.active());
    CHECK(f.ends == 1);
}

TEST_CASE("disabled protocols do not hold a recovery up") {
    Fixture f;
    f.recover("protocol late { ipv4; disabled; up after 1000; }", 240);
    f.run(10);
    CHECK_FALSE(f.router.recovery.active());
}

TEST_CASE("who loses interest is not told of the end") {
    Fixture f;
    f.recover("protocol late { ipv4; }", 240);
    {
        const locking::TransitLock lock(f.router.main);
        f.router.recovery.forget(f.ended);
    }
    f.run(20);
    CHECK_FALSE(f.router.recovery.active());
    CHECK(f.ends == 0);
}

}  // namespace tern::engine
