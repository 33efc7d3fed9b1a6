#include "router/daemon/thread_groups.h"

#include <algorithm>

namespace tern::daemon {

namespace {

/// What is not configured fits what is.
loops::GroupLimits limits_of(const config::ThreadGroupConfig& config) {
    loops::GroupLimits limits;
    limits.max_slice = config.time_max.value_or(
        std::max(limits.max_slice, config.time_min.value_or(loops::Duration())));
    limits.min_slice = config.time_min.value_or(std::min(limits.min_slice, limits.max_slice));
    limits.max_latency =
        config.latency_max.value_or(std::max(limits.max_latency, limits.max_slice));
    limits.max_sleep = config.wakeup.value_or(limits.max_sleep);
    return limits;
}

}  // namespace

void ThreadGroups::apply_one(const loops::GroupOptions& wanted) {
    const auto found = groups_.find(wanted.name);
    if (found == groups_.end()) {
        groups_[wanted.name] = &runtime_.add_group(wanted);
        return;
    }
    loops::ThreadGroup& group = *found->second;
    group.set_limits(wanted.limits);
    if (group.threads() != wanted.threads) {
        group.set_threads(wanted.threads, runtime_.main_loop(), resizes_[wanted.name].done);
    }
}

void ThreadGroups::apply(const config::Config& config) {
    for (const auto& [name, group] : groups_) {
        const auto is_it = [&known = name](const auto& each) { return each->name == known; };
        const bool named =
            std::any_of(config.thread_groups.begin(), config.thread_groups.end(), is_it);
        if (!named) apply_one({.name = name});
    }
    for (const auto& each : config.thread_groups) {
        const auto kind = each->express ? loops::GroupKind::latency : loops::GroupKind::worker;
        apply_one({.name = each->name,
                   .kind = kind,
                   .threads = each->threads,
                   .limits = limits_of(*each)});
        if (each->is_default) default_ = each->name;
    }
}

loops::ThreadGroup& ThreadGroups::group_of(const config::ThreadGroupConfig* config) const {
    return *groups_.at(config == nullptr ? default_ : config->name);
}

}  // namespace tern::daemon
