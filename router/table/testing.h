#pragma once
/// Tables without a router, for the tests of this folder and of those above it.
/// Owns the stores that tables share, a simulated runtime, and route owners that compare by
/// `igp_metric` (lower wins). One thread, virtual time. Never part of a library.

#include "alloc/arena.h"
#include "loops/sim_runtime.h"
#include "router/attr/attribute_store.h"
#include "router/attr/core_attributes.h"
#include "router/base/lock_order.h"
#include "router/table/table.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tern::table::testing {

class MetricClass final : public RouteClass {
  public:
    [[nodiscard]] unsigned order() const override { return 50; }

    [[nodiscard]] static std::uint32_t metric(const RouteValue& route) {
        return route.attributes->word_or(attr::core::igp_metric, 0);
    }

    [[nodiscard]] bool better(const RouteValue& a,
                              const SourceOwner&,
                              const RouteValue& b,
                              const SourceOwner&) const override {
        return metric(a) < metric(b);
    }

    [[nodiscard]] bool mergeable(const RouteValue&,
                                 const SourceOwner&,
                                 const RouteValue&,
                                 const SourceOwner&) const override {
        return false;
    }

    [[nodiscard]] std::string info(const RouteValue&, const SourceOwner&) const override {
        return {};
    }
};

class TestOwner final : public SourceOwner {
  public:
    TestOwner(const RouteClass& route_class, std::string name, bool* destroyed)
        : SourceOwner(route_class, std::move(name)), destroyed_(destroyed) {}

    ~TestOwner() override {
        if (destroyed_ != nullptr) *destroyed_ = true;
    }

    [[nodiscard]] std::uint32_t source_kind() const override { return 1; }

  private:
    bool* destroyed_;
};

class Bench {
  public:
    explicit Bench(std::uint64_t seed) : sim(main, seed), pool(main, "test") {}

    ~Bench() {
        {
            const locking::TransitLock lock(main);
            tables_.clear();
        }
        for (const auto& [word, set] : sets_)
            attributes.release(set);
        for (const SourceId id : held_sources_)
            sources.release(id);
        for (SourceOwner* owner : owners_)
            sources.release_owner(owner);
    }

    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    [[nodiscard]] TableServices services() { return {pool, index, attributes, sources}; }

    Table& table(TableSettings settings) {
        const locking::TransitLock lock(main);
        tables_.push_back(std::make_unique<Table>(std::move(settings), services()));
        return *tables_.back();
    }

    Table& table() { return table({.name = "t"}); }

    void drop_tables() {
        const locking::TransitLock lock(main);
        tables_.clear();
    }

    SourceOwner& owner(const std::string& name, bool* destroyed = nullptr) {
        owners_.push_back(new TestOwner(metric_class, name, destroyed));
        return *owners_.back();
    }

    /// A source that stays until the end of the test.
    SourceId source(SourceOwner& owner, std::uint32_t path_id) {
        held_sources_.push_back(sources.acquire(owner, path_id));
        return held_sources_.back();
    }

    /// The set with this metric; it stays until the end of the test.
    const attr::AttributeSet* set(std::uint32_t metric) {
        const attr::AttributeSet*& found = sets_[metric];
        if (found == nullptr) {
            attr::AttributeList list(arena_, nullptr);
            list.set_word(attr::core::igp_metric, attr::ValueType::int_, metric);
            found = attributes.intern(list);
        }
        return found;
    }

    [[nodiscard]] static net::Prefix net(std::uint32_t number) {
        return net::Prefix::ip4(0x0a00'0000 + (number << 8), 24);
    }

    [[nodiscard]] RouteValue route(SourceId source, std::uint32_t metric) {
        RouteValue value;
        value.attributes = set(metric);
        value.source = source;
        value.preference = 100;
        return value;
    }

    Change put(Table& table, const net::Prefix& prefix, RouteValue route) {
        route.prefix = net::PrefixIndex::Batch(index).acquire(prefix);
        Change change = Change::ignored;
        {
            Table::Writer writer(table);
            change = writer.put(route);
        }
        net::PrefixIndex::Batch(index).release(route.prefix);
        return change;
    }

    bool withdraw(Table& table, const net::Prefix& prefix, SourceId source) {
        const auto id = net::PrefixIndex::Batch(index).find(prefix);
        if (!id) return false;
        Table::Writer writer(table);
        return writer.withdraw(*id, source);
    }

    /// Copies of the routes of a prefix, in the table's order.
    [[nodiscard]] std::vector<Route> routes(Table& table, const net::Prefix& prefix) {
        std::vector<Route> result;
        const Table::View view(table);
        const auto id = net::PrefixIndex::Batch(index).find(prefix);
        if (!id) return result;
        for (const Route* route = view.routes(*id); route != nullptr; route = route->next)
            result.push_back(*route);
        return result;
    }

    [[nodiscard]] std::vector<std::uint32_t> metrics(Table& table, const net::Prefix& prefix) {
        std::vector<std::uint32_t> result;
        for (const Route& route : routes(table, prefix))
            result.push_back(MetricClass::metric(route));
        return result;
    }

    locking::Domain<level::Control> main{"main"};
    loops::SimRuntime sim;
    alloc::Pool pool;
    attr::AttributeStore attributes;
    SourceRegistry sources;
    net::PrefixIndex index{net::NetType::ip4};
    MetricClass metric_class;

  private:
    alloc::Arena arena_;
    std::vector<std::unique_ptr<Table>> tables_;
    std::map<std::uint32_t, const attr::AttributeSet*> sets_;
    std::vector<SourceId> held_sources_;
    std::vector<SourceOwner*> owners_;
};

}  // namespace tern::table::testing
