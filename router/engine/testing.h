#pragma once
/// A router without a daemon for the tests of this folder and of protocols: configurations as text,
/// virtual time, interfaces by hand, no network. Protocol types are given by their descriptors.
/// One thread; every step of the simulation runs one loop. Never part of a library.

#include "loops/sim_runtime.h"
#include "router/config/parse_config.h"
#include "router/config/parse_filter.h"
#include "router/engine/recovery.h"
#include "router/engine/supervisor.h"
#include "router/filter/testing.h"
#include "router/table/testing.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::engine::testing {

/// No protocol of these tests talks to anybody.
class NoNetwork final : public os::Network {
  public:
    os::SystemResult<std::unique_ptr<os::TcpConnection>> connect(loops::Loop&,
                                                                 const os::ConnectOptions&,
                                                                 const os::TcpCallbacks&) override {
        FAIL("a connection without a network");
        std::abort();
    }

    os::SystemResult<std::unique_ptr<os::TcpListener>> listen(loops::Loop&,
                                                              const os::ListenOptions&,
                                                              os::AcceptFunction,
                                                              void*) override {
        FAIL("a listener without a network");
        std::abort();
    }
};

class TestRouter : private SupervisorObserver, private ThreadGroupDirectory {
  public:
    using Descriptors = std::vector<const ProtocolDescriptor*>;

    TestRouter(std::uint64_t seed, Descriptors types)
        : types_(std::move(types)),
          sim(main, seed),
          group_(sim.runtime().add_group({.name = "worker"})),
          log(sim.clock()),
          pool(main, "test"),
          syntax_(config::make_filter_language, &registry),
          supervisor(types_, {&index4, &index6}, static_cast<SupervisorObserver&>(*this)),
          recovery(sim.runtime().main_loop(), supervisor, log),
          services{.runtime = sim.runtime(),
                   .main_loop = sim.runtime().main_loop(),
                   .pool = pool,
                   .log = log,
                   .attributes = attributes,
                   .sources = sources,
                   .interfaces = interfaces,
                   .network = network_,
                   .filter_environment = environment_,
                   .thread_groups = static_cast<ThreadGroupDirectory&>(*this),
                   .tables = supervisor,
                   .recovery = recovery,
                   .identity = identity} {
        attr::register_core_attributes(registry);
        for (const ProtocolDescriptor* each : types_)
            syntax_.add(*each->syntax);
        supervisor.set_services(services);
        identity.router_id = RouterId(0x01020304);
    }

    virtual ~TestRouter() {
        {
            const locking::TransitLock lock(main);
            supervisor.shutdown(false);
        }
        CHECK(sim.run_while_not([this] { return finished_; }, loops::seconds(600)));
        const locking::TransitLock lock(main);
        supervisor.clear();
    }

    TestRouter(const TestRouter&) = delete;
    TestRouter& operator=(const TestRouter&) = delete;

    /// The complaint about the text, or empty: then it is being carried out.
    std::string configure(const std::string& text) {
        REQUIRE(old_ == nullptr);
        reader_.add("test.conf", text);
        config::ParsedConfig parsed = config::parse_config(reader_, "test.conf", syntax_);
        if (!parsed) return parsed.error().text;
        old_ = std::move(running_);
        running_ = std::move(*parsed);
        const config::Plan plan = config::make_plan(old_.get(), *running_, {});
        const locking::TransitLock lock(main);
        committing_ = true;
        supervisor.commit(plan, *running_);
        return {};
    }

    /// Lets time pass until nothing moves.
    void run() { sim.run_for(loops::seconds(5)); }

    /// Configures and waits until that is done.
    void apply(const std::string& text) {
        REQUIRE(configure(text).empty());
        REQUIRE(sim.run_while_not([this] { return !committing_; }, loops::seconds(600)));
        run();
    }

    [[nodiscard]] bool committing() const { return committing_; }

    [[nodiscard]] bool finished() const { return finished_; }

    [[nodiscard]] ProtocolState state(std::string_view name) {
        ProtocolState result = ProtocolState::down;
        const locking::TransitLock lock(main);
        REQUIRE(supervisor.with_instance(name, [&](Instance& i) { result = i.state(); }));
        return result;
    }

    template <class Use>
    void with(std::string_view name, Use&& use) {
        const locking::TransitLock lock(main);
        REQUIRE(supervisor.with_instance(name, use));
    }

    template <class Order>
    void order(Order&& give) {
        const locking::TransitLock lock(main);
        give(supervisor);
    }

    /// The prefixes of a table, each with the protocols of its routes, best first.
    [[nodiscard]] std::map<std::string, std::vector<std::string>> routes(std::string_view table) {
        std::map<std::string, std::vector<std::string>> result;
        each_route(table, [&](const net::Prefix& prefix, const table::Route& route) {
            result[prefix.to_string()].push_back(sources.owner(route.source).protocol_name());
        });
        return result;
    }

    template <class Visit>
    void each_route(std::string_view name, Visit&& visit) {
        const locking::TransitLock lock(main);
        table::Table* table = supervisor.find(name);
        REQUIRE(table != nullptr);
        const table::Table::View view(*table);
        for (std::uint32_t id = 0; id < view.id_limit(); ++id) {
            const table::Route* route = view.routes(net::PrefixId{id});
            for (; route != nullptr; route = route->next)
                visit(table->services().index.prefix(net::PrefixId{id}), *route);
        }
    }

    void interface(iface::InterfaceIndex index, const std::string& name, bool up) {
        const locking::TransitLock lock(main);
        iface::Registry::Update update(interfaces, preferences_);
        iface::LinkInfo link;
        link.index = index;
        link.name = name;
        link.admin_up = link.link_up = up;
        update.link(link);
    }

    void address(iface::InterfaceIndex index, const std::string& ip, unsigned length) {
        const locking::TransitLock lock(main);
        iface::Registry::Update update(interfaces, preferences_);
        iface::Address address;
        address.ip = net::IpAddress::parse(ip).value();
        address.prefix = net::Prefix::ip(address.ip, length);
        address.scope = address.ip.scope();
        update.address(index, address);
    }

  private:
    void commit_finished() override {
        committing_ = false;
        old_.reset();
    }

    void shutdown_finished() override { finished_ = true; }

    void interfaces_known() override {}

    [[nodiscard]] loops::ThreadGroup& group_of(const config::ThreadGroupConfig*) const override {
        return group_;
    }

    Descriptors types_;

  public:
    locking::Domain<level::Control> main{"main"};
    loops::SimRuntime sim;

  private:
    loops::ThreadGroup& group_;

  public:
    Logger log;
    alloc::Pool pool;
    attr::AttributeRegistry registry;
    attr::AttributeStore attributes;
    table::SourceRegistry sources;
    net::PrefixIndex index4{net::NetType::ip4};
    net::PrefixIndex index6{net::NetType::ip6};
    iface::Registry interfaces;
    Identity identity;

  private:
    filter::testing::QuietEnvironment environment_;
    NoNetwork network_;
    config::SyntaxRegistry syntax_;
    config::MemoryReader reader_;
    iface::Registry::Update::Preferences preferences_;

  public:
    Supervisor supervisor;
    Recovery recovery;
    Services services;

  private:
    std::unique_ptr<config::Config> running_;
    std::unique_ptr<config::Config> old_;
    bool committing_ = false;
    bool finished_ = false;
};

}  // namespace tern::engine::testing
