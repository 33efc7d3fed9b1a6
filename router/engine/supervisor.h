#pragma once
/// Owns all tables and protocol instances and makes them what the configuration says. Lives in the
/// main loop. A commit carries out the plan between two configurations: stops and restarts take
/// their time (sessions say goodbye, routes leave tables); the old configuration must stay until
/// `commit_finished` is heard. Orders of the operator go through here too. It never touches a
/// protocol but under its loop's domain.

#include "router/config/plan.h"
#include "router/engine/instance.h"

#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace tern::engine {

/// Told about the ends of what the supervisor began; called in the main loop.
class SupervisorObserver {
  public:
    virtual void commit_finished() = 0;
    virtual void shutdown_finished() = 0;
    /// The first phase (device) runs: the host's addresses are known, a router id can be chosen.
    virtual void interfaces_known() = 0;

  protected:
    ~SupervisorObserver() = default;
};

/// The indices of all net types that tables of this router may have; null where there is none.
struct IndexSet {
    net::PrefixIndex* ip4 = nullptr;
    net::PrefixIndex* ip6 = nullptr;

    [[nodiscard]] net::PrefixIndex* of(net::NetType type) const {
        if (type == net::NetType::ip4) return ip4;
        return type == net::NetType::ip6 ? ip6 : nullptr;
    }
};

enum class OrderResult : std::uint8_t { done, already, refused };

class Supervisor final : public InstanceObserver, public TableDirectory {
  public:
    using Descriptors = std::span<const ProtocolDescriptor* const>;

    Supervisor(Descriptors descriptors, IndexSet indices, SupervisorObserver& observer);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    /// `clear` has been called.
    ~Supervisor();
    /// Destroys instances and tables, with the main loop's domain held and no thread running any
    /// more.
    void clear();

    /// Once, before the first commit: the supervisor is itself a part of the services.
    void set_services(Services& services) { services_ = &services; }

    /// Begins to carry out the plan; both configurations stay until `commit_finished`.
    void commit(const config::Plan& plan, const config::Config& next);

    [[nodiscard]] bool committing() const { return committing_; }

    /// Stops everything; the tables stay until the destructor. `graceful`: forwarding goes on, as a
    /// new daemon is to follow.
    void shutdown(bool graceful);

    // Orders, per protocol name. `message` is the operator's reason.
    OrderResult enable(std::string_view name, std::string_view message);
    OrderResult disable(std::string_view name, std::string_view message);
    OrderResult restart(std::string_view name, std::string_view message);
    OrderResult reload(std::string_view name, const Instance::Reload& which);

    [[nodiscard]] table::Table* find(std::string_view name) const override;
    [[nodiscard]] std::vector<table::Table*> tables() const;

    /// Calls `visit(const Instance&)` in configuration order, each with its domain held.
    template <class Visit>
    void for_each_instance(Visit&& visit) const {
        for (const auto& entry : entries_) {
            const locking::TransitLock lock(domain_of(*entry));
            visit(instance_of(*entry));
        }
    }

    [[nodiscard]] std::size_t instances() const { return entries_.size(); }

    /// Runs `use(Instance&)` with the domain held; false if there is no such instance.
    template <class Use>
    bool with_instance(std::string_view name, Use&& use) {
        Entry* entry = find_entry(name);
        if (entry == nullptr) return false;
        const locking::TransitLock lock(domain_of(*entry));
        use(instance_of(*entry));
        return true;
    }

  private:
    struct Entry;

    void instance_changed(Instance& instance) override;
    static locking::DomainBase& domain_of(Entry& entry);
    static Instance& instance_of(Entry& entry);
    [[nodiscard]] Entry* find_entry(std::string_view name) const;
    [[nodiscard]] const ProtocolDescriptor& descriptor_of(
        const config::ProtocolConfig& config) const;
    void commit_tables(const config::Plan& plan);
    void add_table(const config::TableConfig& config);
    void doom_table(std::string_view name);
    void commit_protocols(const config::Plan& plan);
    void apply_step(const config::ProtocolStep& step);
    void add_entry(const config::ProtocolConfig& config);
    [[nodiscard]] ProtocolShared* shared_of(const ProtocolDescriptor& descriptor);
    void start_phases();
    void order_entries(const config::Config& next);
    void stop_entry(Entry& entry, const StopRequest& request);
    void settle(Entry& entry);
    void rebuild(Entry& entry);
    void retire(Entry& entry);
    void check_finished();
    static void on_loop_stopped(void* entry, loops::Turn& turn);

    Descriptors descriptors_;
    IndexSet indices_;
    SupervisorObserver& observer_;
    Services* services_ = nullptr;
    std::vector<std::unique_ptr<table::Table>> tables_;
    std::vector<std::unique_ptr<table::Table>> doomed_tables_;  // go when the commit has finished
    std::map<const ProtocolDescriptor*, std::unique_ptr<ProtocolShared>> shared_;
    std::vector<std::unique_ptr<Entry>> entries_;
    std::vector<std::unique_ptr<Entry>> retired_;  // wait for their loop to stop
    bool committing_ = false;
    bool shutting_down_ = false;      // from then on nothing is started any more
    bool shutdown_finished_ = false;  // and the observer knows
};

}  // namespace tern::engine
