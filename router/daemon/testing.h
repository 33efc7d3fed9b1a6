#pragma once
/// A whole router with a control session for the tests of this folder: configurations and commands
/// as text, virtual time, interfaces by hand. No kernel and no network, so its configurations have
/// no device, direct and kernel protocols. One thread; never part of a library.

#include "loops/sim_runtime.h"
#include "router/base/log_sink.h"
#include "router/cli/session.h"
#include "router/daemon/page_limits.h"
#include "router/daemon/router.h"
#include "router/engine/testing.h"
#include "router/iface/testing.h"

#include <string>
#include <vector>

namespace tern::daemon::testing {

class Bench final : private RouterObserver, private cli::SessionOwner {
  public:
    Bench() : Bench(cli::Personality()) {}

    explicit Bench(const cli::Personality& personality) : sim(main, 1), log(sim.clock()) {
        auto sink = std::make_unique<MemorySink>(10'000, iso_long(SubSecond::none));
        log_sink_ = sink.get();
        log.add_sink(std::move(sink), all_severities);
        const locking::TransitLock lock(main);
        router_.emplace(RouterParts{sim.runtime(), main, network_, files, log,
                                    static_cast<RouterObserver&>(*this)});
        session_.emplace(router_->commands(), static_cast<cli::SessionOwner&>(*this), personality);
    }

    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    ~Bench() {
        {
            const locking::TransitLock lock(main);
            session_.reset();
            router_->shutdown(false);
        }
        CHECK(sim.run_while_not([this] { return finished; }, loops::seconds(600)));
        router_.reset();
    }

    /// Puts the first configuration in force and lets it settle; the complaint, if any.
    std::string start(const std::string& text) {
        files.add("bird.conf", text);
        {
            const locking::TransitLock lock(main);
            config::ParsedConfig parsed = router_->configurator().read("bird.conf");
            if (!parsed) return parsed.error().render();
            router_->configurator().configure(std::move(*parsed), {});
        }
        run();
        return {};
    }

    /// Lets time pass until nothing moves.
    void run() { sim.run_for(loops::seconds(5)); }

    /// Sends a line and lets the session work while it has room; what it has to send so far.
    std::string begin(std::string_view line) {
        const locking::TransitLock lock(main);
        const std::string text = std::string(line) + "\n";
        session_->receive(std::span<const char>(text.data(), text.size()));
        while (session_->run()) {
        }
        return std::string(session_->pending_output());
    }

    /// Reads on; the next bytes of the reply in progress.
    std::string read_on() {
        const locking::TransitLock lock(main);
        session_->sent(session_->pending_output().size());
        while (session_->run()) {
        }
        return std::string(session_->pending_output());
    }

    /// The whole reply to one line, as it goes over the wire.
    std::string reply(std::string_view line) {
        std::string all = begin(line);
        for (std::string more = read_on(); !more.empty(); more = read_on())
            all += more;
        return all;
    }

    void add_interface(iface::InterfaceIndex index, std::string_view name) {
        update([&](auto& update) { update.link(iface::testing::Host::link(index, name)); });
    }

    void add_address(iface::InterfaceIndex index, std::string_view address, unsigned length) {
        update([&](auto& update) {
            update.address(index, iface::testing::Host::address(address, length));
        });
    }

    [[nodiscard]] Router& router() { return *router_; }

    [[nodiscard]] cli::Session& session() { return *session_; }

    [[nodiscard]] bool logged(std::string_view text) const {
        for (const std::string& line : log_sink_->lines()) {
            if (line.find(text) != std::string::npos) return true;
        }
        return false;
    }

    locking::Domain<level::Control> main{"main"};
    loops::SimRuntime sim;
    Logger log;
    config::MemoryReader files;
    bool finished = false;
    int undo_notices = 0;

  private:
    template <class Change>
    void update(Change&& change) {
        const locking::TransitLock lock(main);
        const iface::Registry::Update::Preferences none;
        iface::Registry::Update update(router_->interfaces(), none);
        change(update);
    }

    void router_finished() override { finished = true; }

    void configured(const config::Config& config) override {
        set_page_limits(alloc::PageCache::process(), config.memory);
        session_->stop_long_reply(cli::ReplyCode::stopped, "Stopped due to reconfiguration");
    }

    void undo_begins() override { ++undo_notices; }

    void no_router_id() override {}

    void session_ready(cli::Session&) override {}

    void command_received(cli::Session&, std::string_view) override {}

    engine::testing::NoNetwork network_;
    MemorySink* log_sink_ = nullptr;  // the logger's
    std::optional<Router> router_;
    std::optional<cli::Session> session_;
};

}  // namespace tern::daemon::testing
