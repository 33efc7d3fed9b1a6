#pragma once
/// The thread groups of the configuration as groups of the runtime: made when first named, resized
/// and given other limits when the configuration changes. A group that is no longer named keeps one
/// thread, as the runtime keeps groups for life. Lives in the main loop.

#include "loops/runtime.h"
#include "router/config/config.h"
#include "router/engine/services.h"

#include <map>
#include <memory>
#include <string>

namespace tern::daemon {

class ThreadGroups final : public engine::ThreadGroupDirectory {
  public:
    explicit ThreadGroups(loops::Runtime& runtime) : runtime_(runtime) {}

    /// Makes and resizes.
    void apply(const config::Config& config);
    [[nodiscard]] loops::ThreadGroup& group_of(
        const config::ThreadGroupConfig* config) const override;

    [[nodiscard]] const std::map<std::string, loops::ThreadGroup*>& all() const { return groups_; }

  private:
    struct Resize {
        static void on_done(void*, loops::Turn&) {}

        loops::Event done{on_done, nullptr};
    };

    void apply_one(const loops::GroupOptions& wanted);

    loops::Runtime& runtime_;
    std::map<std::string, loops::ThreadGroup*> groups_;
    std::map<std::string, Resize> resizes_;
    std::string default_;
};

}  // namespace tern::daemon
