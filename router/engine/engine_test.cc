#include "router/base/random.h"
#include "router/config/option.h"
#include "router/engine/show.h"
#include "router/engine/testing.h"

#include <fmt/format.h>

namespace tern::engine {
namespace {

using testing::TestRouter;

struct ScriptConfig : config::ProtocolConfig {
    std::uint32_t routes = 0;
    bool slow = false;       ///< stops a second after it was asked to
    std::uint32_t note = 0;  ///< changes in place
};

namespace option = config::option;
constexpr config::OptionRow rows[] = {
    option::number<&ScriptConfig::routes>("routes", {}, {"0", "", config::Effect::restart}),
    option::flag<&ScriptConfig::slow>("slow", {"off", "", config::Effect::modify}),
    option::number<&ScriptConfig::note>("note", {}, {"0", "", config::Effect::modify}),
};
constexpr config::ChannelSyntax channels[] = {
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv4", .name = "ipv4", .type = net::NetType::ip4}),
};
constexpr config::ProtocolSyntax syntax = config::protocol_syntax<ScriptConfig>({
    .type = "script",
    .label = "Script",
    .stem = "script",
    .doc = "Does what a test tells it.",
    .rows = rows,
    .channels = channels,
    .preference = 100,
});

/// What all instances have lived through, in order.
thread_local std::vector<std::string>* story = nullptr;

const table::RouteClass& route_class() {
    static const table::testing::MetricClass metric;
    return metric;
}

class Script final : public Protocol {
  public:
    explicit Script(Instance& instance)
        : Protocol(instance),
          stopped_(instance.loop(), loops::callback<&Script::on_stopped>(*this)) {
        tell("made");
    }

    ~Script() override {
        release();
        tell("destroyed");
    }

    void start() override {
        tell("start");
        instance().set_owner(std::make_unique<table::testing::TestOwner>(
            route_class(), std::string(instance().name()), nullptr));
        source_ = instance().services().sources.acquire(*instance().owner(), 0);
        instance().up();
        announce();
    }

    void shutdown(const StopRequest& request) override {
        tell("shutdown " + std::to_string(static_cast<int>(request.reason)));
        if (config().slow) {
            stopped_.in(loops::seconds(1));
        } else {
            instance().down();
        }
    }

    bool reconfigure(const config::ProtocolConfig&, config::Effect effect) override {
        if (effect != config::Effect::none) tell("reconfigure");
        return true;
    }

    /// Everything of it is gone from the tables, and nothing can come any more.
    void cleanup() override {
        for (const auto& channel : instance().channels())
            CHECK(channel->state() == channel::ChannelState::down);
        tell("cleanup");
    }

    bool refresh_import(channel::Channel&) override {
        tell("refresh");
        announce();
        return true;
    }

  private:
    [[nodiscard]] const ScriptConfig& config() const {
        return static_cast<const ScriptConfig&>(instance().config());
    }

    void tell(const std::string& what) {
        if (story != nullptr) story->push_back(std::string(instance().name()) + " " + what);
    }

    void announce() {
        if (instance().channels().empty()) return;
        channel::ImportPath& import = instance().channels().front()->import();
        const attr::AttributeSet* set = instance().services().attributes.empty();
        for (std::uint32_t i = 0; i < config().routes; ++i) {
            import.announce(table::testing::Bench::net(i), set, *source_, instance().loop().now());
        }
        instance().services().attributes.release(set);
        import.flush();
    }

    void on_stopped() { instance().down(); }

    void release() {
        if (source_) instance().services().sources.release(*source_);
    }

    std::optional<table::SourceId> source_;
    loops::Timer stopped_;
};

const ProtocolDescriptor& script() {
    static const ProtocolDescriptor result = {.syntax = &syntax, .create = create<Script>};
    return result;
}

struct ScriptRouter : TestRouter {
    explicit ScriptRouter(std::uint64_t seed) : TestRouter(seed, {&script()}) { story = &heard; }

    ~ScriptRouter() override { story = nullptr; }

    std::vector<std::string> heard;

    std::vector<std::string> take() { return std::exchange(heard, {}); }
};

using Story = std::vector<std::string>;

}  // namespace

TEST_CASE("an instance leaves down only by being enabled, and comes back only when flushed") {
    using S = ProtocolState;
    using E = ProtocolEvent;
    for (unsigned e = 0; e < protocol_events; ++e) {
        const auto event = static_cast<E>(e);
        CHECK((transition(S::down, event).to != S::down) == (event == E::enable));
        CHECK((transition(S::flush, event).to == S::down) == (event == E::flushed));
        CHECK((transition(S::stop, event).to == S::flush) == (event == E::has_stopped));
        for (unsigned s = 0; s < protocol_states; ++s) {
            const Transition& next = transition(static_cast<S>(s), event);
            if (next.to == S::down && next.from != S::down) CHECK(next.from == S::flush);
            if (next.to == next.from) CHECK(next.action == ProtocolAction::none);
        }
    }
}

TEST_CASE("a protocol is made, runs, stops and is destroyed in that order", "[AT-IF-8]") {
    ScriptRouter router(1);
    router.apply("protocol script a { ipv4; routes 5; }");
    CHECK(router.take() == Story{"a made", "a start"});
    CHECK(router.state("a") == ProtocolState::up);
    CHECK(router.routes("master4").size() == 5);
    router.apply("protocol script z { disabled; }");
    CHECK(router.take() == Story{"a shutdown 2", "a cleanup", "a destroyed"});
    CHECK(router.supervisor.instances() == 1);
    CHECK(router.sources.live() == 0);
    CHECK(router.index4.stats().prefixes == 0);
}

TEST_CASE("a commit waits for protocols that need time to stop") {
    ScriptRouter router(2);
    router.apply("protocol script a { ipv4; routes 5; slow; }");
    REQUIRE(router.configure("protocol script z { disabled; }").empty());
    router.sim.run_for(loops::milliseconds(500));
    CHECK(router.committing());
    CHECK(router.state("a") == ProtocolState::stop);
    router.run();
    CHECK_FALSE(router.committing());
    CHECK(router.supervisor.instances() == 1);
}

TEST_CASE("a change that can be taken over does not restart, another one does") {
    ScriptRouter router(3);
    router.apply("protocol script a { ipv4; routes 5; }");
    static_cast<void>(router.take());
    router.apply("protocol script a { ipv4; routes 5; note 1; }");
    CHECK(router.take() == Story{"a reconfigure"});
    router.apply("protocol script a { ipv4; routes 7; note 1; }");
    CHECK(router.take() == Story{"a shutdown 3", "a cleanup", "a destroyed", "a made", "a start"});
    CHECK(router.routes("master4").size() == 7);
    router.apply("protocol script a { ipv4; routes 7; note 1; }");
    CHECK(router.take().empty());
}

TEST_CASE("a changed import filter makes the protocol announce again") {
    ScriptRouter router(4);
    router.apply("protocol script a { ipv4; routes 5; }");
    static_cast<void>(router.take());
    router.apply("protocol script a { ipv4 { import where net.len > 24; }; routes 5; }");
    CHECK(router.take() == Story{"a reconfigure", "a refresh"});
    CHECK(router.routes("master4").empty());
}

TEST_CASE("orders of the operator hold until the next configuration") {
    ScriptRouter router(5);
    const std::string text = "protocol script a { ipv4; routes 5; }";
    router.apply(text);
    router.order([](Supervisor& s) {
        CHECK(s.disable("a", "") == OrderResult::done);
        CHECK(s.disable("a", "") == OrderResult::already);
        CHECK(s.disable("b", "") == OrderResult::refused);
    });
    router.run();
    CHECK(router.state("a") == ProtocolState::down);
    CHECK(router.routes("master4").empty());
    router.apply(text);
    CHECK(router.state("a") == ProtocolState::up);
    static_cast<void>(router.take());
    router.order([](Supervisor& s) { CHECK(s.restart("a", "") == OrderResult::done); });
    router.run();
    CHECK(router.take() == Story{"a shutdown 1", "a cleanup", "a destroyed", "a made", "a start"});
    CHECK(router.state("a") == ProtocolState::up);
}

TEST_CASE("a disabled protocol waits for being enabled") {
    ScriptRouter router(6);
    router.apply("protocol script a { disabled; ipv4; routes 5; }");
    CHECK(router.take().empty());
    CHECK(router.state("a") == ProtocolState::down);
    router.order([](Supervisor& s) { CHECK(s.enable("a", "") == OrderResult::done); });
    router.run();
    CHECK(router.state("a") == ProtocolState::up);
}

TEST_CASE("what has been shut down is not started again, whatever is ordered") {
    ScriptRouter router(11);
    router.apply(
        "protocol script a { ipv4; routes 5; } protocol script b { ipv4; routes 2; slow; }");
    router.order([](Supervisor& s) { s.shutdown(false); });
    const auto order_all = [](Supervisor& s) {
        for (const char* name : {"a", "b"}) {
            s.restart(name, "");
            s.disable(name, "");
            s.enable(name, "");
        }
    };
    router.order(order_all);
    CHECK_FALSE(router.finished());
    router.run();
    CHECK(router.finished());
    router.order(order_all);
    router.run();
    CHECK(router.state("a") == ProtocolState::down);
    CHECK(router.state("b") == ProtocolState::down);
}

TEST_CASE("an import limit disables, or restarts unless that was a moment ago") {
    ScriptRouter router(7);
    router.apply("protocol script a { ipv4 { import limit 3 action disable; }; routes 5; }");
    CHECK(router.state("a") == ProtocolState::down);
    CHECK(router.routes("master4").empty());
    static_cast<void>(router.take());
    router.apply(
        "protocol script a { ipv4 { import limit 3 action restart; }; routes 5;"
        " restart time 10 s; }");
    // Every start crosses the limit at once, so the first restart would be too soon already.
    CHECK(router.state("a") == ProtocolState::down);
    router.apply("protocol script a { ipv4 { import limit 3 action block; }; routes 5; }");
    CHECK(router.state("a") == ProtocolState::up);
    CHECK(router.routes("master4").size() == 3);
}

TEST_CASE("a table that is made anew restarts the protocols that use it") {
    ScriptRouter router(8);
    router.apply(
        "ipv4 table t; protocol script a { ipv4 { table t; }; routes 5; }"
        "protocol script b { ipv4; routes 5; }");
    static_cast<void>(router.take());
    router.apply(
        "ipv4 table t sorted; protocol script a { ipv4 { table t; }; routes 5; }"
        "protocol script b { ipv4; routes 5; }");
    CHECK(router.take() == Story{"a shutdown 3", "a cleanup", "a destroyed", "a made", "a start"});
    CHECK(router.routes("t").size() == 5);
}

TEST_CASE("a channel that comes, goes or changes its table restarts its protocol") {
    ScriptRouter router(9);
    router.apply("ipv4 table t; protocol script a { ipv4; routes 2; }");
    static_cast<void>(router.take());
    const Story restarted = {"a shutdown 3", "a cleanup", "a destroyed", "a made", "a start"};
    router.apply("ipv4 table t; protocol script a { ipv4 { table t; }; routes 2; }");
    CHECK(router.take() == restarted);
    CHECK(router.routes("t").size() == 2);
    router.apply("ipv4 table t; protocol script a { routes 2; }");
    CHECK(router.take() == restarted);
    CHECK(router.routes("t").empty());
    router.apply("ipv4 table t; protocol script a { ipv4; routes 2; }");
    CHECK(router.take() == restarted);
    CHECK(router.routes("master4").size() == 2);
}

TEST_CASE("random configurations and orders end where the last one says") {
    const std::uint64_t seed = GENERATE(1, 2, 3, 4, 5, 6);
    CAPTURE(seed);
    ScriptRouter router(seed);
    Random random(seed);
    std::string history;
    for (int round = 0; round < 40; ++round) {
        std::string text = random.one_in(2) ? "ipv4 table t sorted;" : "ipv4 table t;";
        text += "protocol script z { disabled; }";
        std::map<std::string, std::pair<bool, std::size_t>> expected;
        for (const char* name : {"a", "b", "c"}) {
            if (random.one_in(4)) continue;
            const auto routes = static_cast<unsigned>(random.below(4));
            const bool in_t = random.one_in(2);
            const bool disabled = random.one_in(5);
            text += fmt::format(
                "protocol script {} {{ disabled {}; slow {}; routes {}; note {};"
                " ipv4 {{ table {}; }}; }}",
                name, disabled ? "on" : "off", random.one_in(2) ? "on" : "off", routes,
                random.below(3), in_t ? "t" : "master4");
            expected[name] = {in_t, disabled ? 0 : routes};
        }
        history += text + "\n";
        router.apply(text);
        for (const std::string& each : router.take())
            history += "  " + each + "\n";
        INFO(history);
        std::size_t in_t = 0;
        std::size_t in_master = 0;
        for (const auto& [name, what] : expected) {
            REQUIRE((router.state(name) == ProtocolState::down) ==
                    (text.find("script " + name + " { disabled on") != std::string::npos));
            (what.first ? in_t : in_master) += what.second;
        }
        std::size_t found = 0;
        router.each_route("t", [&](const net::Prefix&, const table::Route&) { ++found; });
        REQUIRE(found == in_t);
        if (in_master != 0) {
            found = 0;
            router.each_route("master4", [&](const net::Prefix&, const table::Route&) { ++found; });
            REQUIRE(found == in_master);
        }
        for (const char* name : {"a", "b", "c"}) {
            if (!random.one_in(3)) continue;
            router.order([&](Supervisor& s) {
                static_cast<void>(random.one_in(2) ? s.disable(name, "") : s.restart(name, ""));
                if (random.one_in(2)) static_cast<void>(s.enable(name, ""));
            });
        }
        if (random.one_in(2)) router.sim.run_for(loops::milliseconds(300));
    }
}

}  // namespace tern::engine
