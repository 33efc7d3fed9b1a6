#include "router/daemon/thread_groups.h"

namespace tern::daemon {

void ThreadGroups::apply_one(const std::string& name, loops::GroupKind kind, unsigned threads) {
    const auto found = groups_.find(name);
    if (found == groups_.end()) {
        groups_[name] = &runtime_.add_group({.name = name, .kind = kind, .threads = threads});
    } else if (found->second->threads() != threads) {
        found->second->set_threads(threads, runtime_.main_loop(), resizes_[name].done);
    }
}

void ThreadGroups::apply(const config::Config& config) {
    for (const auto& each : config.thread_groups) {
        const auto kind = each->express ? loops::GroupKind::latency : loops::GroupKind::worker;
        apply_one(each->name, kind, each->threads);
        if (each->is_default) default_ = each->name;
    }
    if (!default_.empty()) return;
    default_ = "worker";
    apply_one(default_, loops::GroupKind::worker, 1);
}

loops::ThreadGroup& ThreadGroups::group_of(const config::ThreadGroupConfig* config) const {
    return *groups_.at(config == nullptr ? default_ : config->name);
}

}  // namespace tern::daemon
