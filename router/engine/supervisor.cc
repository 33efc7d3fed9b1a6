#include "router/engine/supervisor.h"

#include "loops/loop.h"

#include <algorithm>
#include <optional>

namespace tern::engine {

/// An instance with the loop it runs in and what is to become of it.
struct Supervisor::Entry {
    Entry(Supervisor& owner,
          loops::Loop* main_loop,
          loops::ThreadGroup* group,
          std::string_view name)
        : supervisor(owner),
          domain(name),
          shared_loop(main_loop),
          loop_stopped(on_loop_stopped, this) {
        if (shared_loop == nullptr) own_loop.emplace(*group, domain, name);
    }

    [[nodiscard]] loops::Loop& loop() { return shared_loop != nullptr ? *shared_loop : *own_loop; }

    [[nodiscard]] unsigned phase() const { return instance->descriptor().start_phase; }

    Supervisor& supervisor;
    locking::Domain<level::Protocol> domain;
    loops::Loop* shared_loop;
    std::optional<loops::Loop> own_loop;
    loops::Event loop_stopped;
    std::unique_ptr<Instance> instance;
    const config::ProtocolConfig* next = nullptr;  // to be built anew with this when down
    bool removed = false;
    bool disabled = false;
    bool start_when_down = false;
    bool gone = false;
};

locking::DomainBase& Supervisor::domain_of(Entry& entry) {
    return entry.loop().domain();
}

Instance& Supervisor::instance_of(Entry& entry) {
    return *entry.instance;
}

Supervisor::Supervisor(Descriptors descriptors, IndexSet indices, SupervisorObserver& observer)
    : descriptors_(descriptors), indices_(indices), observer_(observer) {}

Supervisor::~Supervisor() = default;

void Supervisor::clear() {
    entries_.clear();
    retired_.clear();
    shared_.clear();
    doomed_tables_.clear();
    tables_.clear();
}

const ProtocolDescriptor& Supervisor::descriptor_of(const config::ProtocolConfig& config) const {
    const auto found =
        std::find_if(descriptors_.begin(), descriptors_.end(),
                     [&](const auto* each) { return each->syntax == config.syntax; });
    TERN_ASSERT(found != descriptors_.end(),
                "a protocol type without descriptor: ", config.syntax->type);
    return **found;
}

Supervisor::Entry* Supervisor::find_entry(std::string_view name) const {
    for (const auto& entry : entries_) {
        if (!entry->gone && entry->instance->name() == name) return entry.get();
    }
    return nullptr;
}

table::Table* Supervisor::find(std::string_view name) const {
    for (const auto& each : tables_) {
        if (each->name() == name) return each.get();
    }
    return nullptr;
}

std::vector<table::Table*> Supervisor::tables() const {
    std::vector<table::Table*> all;
    for (const auto& each : tables_)
        all.push_back(each.get());
    return all;
}

void Supervisor::commit(const config::Plan& plan, const config::Config& next) {
    committing_ = true;
    commit_tables(plan);
    commit_protocols(plan);
    order_entries(next);
    start_phases();
    check_finished();
}

/// A table that goes, or is made anew, stays without its name until the last channel has left it.
void Supervisor::doom_table(std::string_view name) {
    const auto found = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const auto& each) { return each->name() == name; });
    if (found == tables_.end()) return;
    doomed_tables_.push_back(std::move(*found));
    tables_.erase(found);
}

void Supervisor::add_table(const config::TableConfig& config) {
    net::PrefixIndex* index = indices_.of(config.type);
    if (!config.used || index == nullptr) return;
    const table::TableSettings settings{.name = config.name,
                                        .type = config.type,
                                        .sorted = config.sorted,
                                        .release_threshold = config.gc_threshold,
                                        .refresh_settle = config.refresh_settle};
    if (table::Table* existing = find(config.name)) {
        existing->update(settings);
        return;
    }
    tables_.push_back(std::make_unique<table::Table>(
        settings,
        table::TableServices{services_->pool, *index, services_->attributes, services_->sources}));
}

void Supervisor::commit_tables(const config::Plan& plan) {
    for (const config::TableStep& step : plan.tables) {
        if (step.action == config::Action::stop || step.action == config::Action::restart) {
            doom_table(step.old->name);
        }
        if (step.now != nullptr) add_table(*step.now);
    }
}

void Supervisor::commit_protocols(const config::Plan& plan) {
    for (const config::ProtocolStep& step : plan.protocols)
        apply_step(step);
}

void Supervisor::apply_step(const config::ProtocolStep& step) {
    Entry* entry = find_entry(step.name());
    switch (step.action) {
        case config::Action::start:
            if (entry == nullptr) add_entry(*step.now);
            return;
        case config::Action::stop:
            if (entry == nullptr) return;
            entry->removed = true;
            stop_entry(*entry, {StopReason::removed, {}});
            return;
        case config::Action::restart:
            entry->next = step.now;
            entry->disabled = step.now->disabled;
            entry->start_when_down = !step.now->disabled;
            stop_entry(*entry,
                       {step.now->disabled ? StopReason::removed : StopReason::reconfigured, {}});
            return;
        case config::Action::modify:
        case config::Action::keep:
            break;
    }
    bool applied = true;
    {
        const locking::TransitLock lock(entry->loop().domain());
        if (step.action == config::Action::modify) {
            applied = entry->instance->reconfigure(step);
        } else {
            entry->instance->adopt(*step.now);
        }
    }
    const bool wrong_state = entry->disabled != step.now->disabled;
    if (applied && !wrong_state) return;
    entry->next = step.now;
    entry->disabled = step.now->disabled;
    entry->start_when_down = !step.now->disabled;
    stop_entry(*entry, {StopReason::reconfigured, {}});
}

ProtocolShared* Supervisor::shared_of(const ProtocolDescriptor& descriptor) {
    if (descriptor.make_shared == nullptr) return nullptr;
    std::unique_ptr<ProtocolShared>& shared = shared_[&descriptor];
    if (shared == nullptr) shared = descriptor.make_shared(*services_);
    return shared.get();
}

void Supervisor::add_entry(const config::ProtocolConfig& config) {
    const ProtocolDescriptor& descriptor = descriptor_of(config);
    const bool shared = descriptor.placement == LoopPlacement::main;
    loops::ThreadGroup* group =
        shared ? nullptr : &services_->thread_groups.group_of(config.thread_group);
    auto entry = std::make_unique<Entry>(*this, shared ? &services_->main_loop : nullptr, group,
                                         config.name);
    entry->instance = std::make_unique<Instance>(
        Instance::Setup{descriptor, config, *services_, shared_of(descriptor), entry->loop()},
        *this);
    entry->disabled = config.disabled;
    entry->start_when_down = !config.disabled;
    entries_.push_back(std::move(entry));
}

/// Entries stand in the order of the configuration; those on their way out stand last.
void Supervisor::order_entries(const config::Config& next) {
    const auto place = [&](const std::unique_ptr<Entry>& entry) {
        const auto& all = next.protocols;
        return std::find_if(
                   all.begin(), all.end(),
                   [&](const auto& each) { return each->name == entry->instance->name(); }) -
               all.begin();
    };
    std::stable_sort(entries_.begin(), entries_.end(),
                     [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

/// Starts what is down and wanted, device first, so that later phases find interfaces and tables'
/// kernels.
void Supervisor::start_phases() {
    constexpr unsigned last_phase = 3;
    std::vector<Entry*> all;  // settling may take entries out of the list
    for (const auto& entry : entries_)
        all.push_back(entry.get());
    for (unsigned phase = 0; phase <= last_phase; ++phase) {
        for (Entry* entry : all) {
            if (!entry->gone && entry->phase() == phase) settle(*entry);
        }
        if (phase == 0) observer_.interfaces_known();
    }
}

void Supervisor::stop_entry(Entry& entry, const StopRequest& request) {
    const locking::TransitLock lock(entry.loop().domain());
    entry.instance->stop(request);
}

void Supervisor::instance_changed(Instance& instance) {
    for (const auto& entry : entries_) {
        if (entry->instance.get() != &instance) continue;
        settle(*entry);
        break;
    }
    check_finished();
}

/// Looks whether an instance is down and does what waited for that.
void Supervisor::settle(Entry& entry) {
    if (entry.gone) return;
    {
        const locking::TransitLock lock(entry.loop().domain());
        if (entry.instance->state() != ProtocolState::down) return;
        if (entry.instance->gave_up()) entry.disabled = true;
        if (entry.instance->wants_restart() && !entry.disabled) entry.start_when_down = true;
    }
    if (entry.removed || shutting_down_) {
        if (entry.removed) retire(entry);
        return;
    }
    if (entry.next != nullptr) rebuild(entry);
    if (!entry.start_when_down) return;
    entry.start_when_down = false;
    const locking::TransitLock lock(entry.loop().domain());
    entry.instance->start();
}

void Supervisor::rebuild(Entry& entry) {
    const ProtocolDescriptor& descriptor = entry.instance->descriptor();
    const locking::TransitLock lock(services_->main_loop.domain());
    entry.instance = std::make_unique<Instance>(
        Instance::Setup{descriptor, *entry.next, *services_, shared_of(descriptor), entry.loop()},
        *this);
    entry.next = nullptr;
}

void Supervisor::retire(Entry& entry) {
    entry.gone = true;
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& each) { return each.get() == &entry; });
    retired_.push_back(std::move(*found));
    entries_.erase(found);
    if (entry.own_loop) {
        entry.own_loop->stop(services_->main_loop, entry.loop_stopped);
    } else {
        entry.loop_stopped.send(services_->main_loop);
    }
}

void Supervisor::on_loop_stopped(void* context, loops::Turn&) {
    auto& entry = *static_cast<Entry*>(context);
    Supervisor& self = entry.supervisor;
    std::erase_if(self.retired_, [&](const auto& each) { return each.get() == &entry; });
    self.check_finished();
}

void Supervisor::check_finished() {
    bool all_down = retired_.empty();
    bool settled = retired_.empty();
    for (const auto& entry : entries_) {
        const locking::TransitLock lock(entry->loop().domain());
        all_down = all_down && entry->instance->state() == ProtocolState::down;
        settled = settled && entry->next == nullptr && !entry->removed;
    }
    if (committing_ && settled) {
        doomed_tables_.clear();
        committing_ = false;
        observer_.commit_finished();
    }
    if (shutting_down_ && all_down && !shutdown_finished_) {
        shutdown_finished_ = true;
        observer_.shutdown_finished();
    }
}

void Supervisor::shutdown(bool graceful) {
    shutting_down_ = true;
    const StopReason reason = graceful ? StopReason::graceful_restart : StopReason::router_down;
    for (const auto& entry : entries_) {
        entry->start_when_down = false;
        stop_entry(*entry, {reason, {}});
    }
    check_finished();
}

OrderResult Supervisor::enable(std::string_view name, std::string_view message) {
    Entry* entry = find_entry(name);
    if (entry == nullptr) return OrderResult::refused;
    if (!entry->disabled) return OrderResult::already;
    entry->disabled = false;
    entry->start_when_down = true;
    {
        const locking::TransitLock lock(entry->loop().domain());
        entry->instance->set_message(std::string(message));
    }
    settle(*entry);
    return OrderResult::done;
}

OrderResult Supervisor::disable(std::string_view name, std::string_view message) {
    Entry* entry = find_entry(name);
    if (entry == nullptr) return OrderResult::refused;
    if (entry->disabled) return OrderResult::already;
    entry->disabled = true;
    entry->start_when_down = false;
    const locking::TransitLock lock(entry->loop().domain());
    entry->instance->set_message(std::string(message));
    entry->instance->stop({StopReason::disabled, std::string(message)});
    return OrderResult::done;
}

OrderResult Supervisor::restart(std::string_view name, std::string_view message) {
    Entry* entry = find_entry(name);
    if (entry == nullptr) return OrderResult::refused;
    if (entry->disabled) return OrderResult::already;
    entry->start_when_down = true;
    {
        const locking::TransitLock lock(entry->loop().domain());
        entry->instance->set_message(std::string(message));
        entry->instance->stop({StopReason::restarted, std::string(message)});
    }
    settle(*entry);
    return OrderResult::done;
}

OrderResult Supervisor::reload(std::string_view name, const Instance::Reload& which) {
    Entry* entry = find_entry(name);
    if (entry == nullptr || entry->disabled) return OrderResult::already;
    const locking::TransitLock lock(entry->loop().domain());
    return entry->instance->reload(which) ? OrderResult::done : OrderResult::refused;
}

}  // namespace tern::engine
