#include "router/daemon/configurator.h"

#include "loops/loop.h"

#include <utility>

namespace tern::daemon {

Configurator::Configurator(loops::Loop& main_loop, const Parts& parts)
    : loop_(main_loop),
      parts_(parts),
      last_change_(main_loop.now()),
      undo_timer_(main_loop, on_undo, this) {}

config::ParsedConfig Configurator::read(const std::string& path) const {
    return config::parse_config(parts_.files, path, parts_.syntax);
}

config::Plan Configurator::plan_for(const config::Config& next, bool soft) const {
    return config::make_plan(running_.get(), next, {.soft = soft});
}

Configurator::Outcome Configurator::configure(std::unique_ptr<config::Config> next,
                                              const How& how) {
    undo_timer_.stop();
    if (how.undo_after) undo_timer_.in(*how.undo_after);
    can_undo_ = true;
    if (parts_.host.busy()) {
        queued_ = std::move(next);
        waiting_ = Waiting::configuration;
        queued_soft_ = how.soft;
        return Outcome::queued;
    }
    return begin(std::move(next), how.soft);
}

Configurator::Outcome Configurator::begin(std::unique_ptr<config::Config> next, bool soft) {
    const config::Plan plan = plan_for(*next, soft);
    if (running_ == nullptr) file_ = next->file;
    previous_ = std::move(running_);
    running_ = std::move(next);
    last_soft_ = soft;
    last_change_ = loop_.now();
    parts_.host.commit(plan, *running_);
    return parts_.host.busy() ? Outcome::in_progress : Outcome::done;
}

Configurator::Outcome Configurator::undo() {
    if (!can_undo_ || previous_ == nullptr) return Outcome::nothing;
    can_undo_ = false;
    undo_timer_.stop();
    if (has_queued()) {
        forget_queued();
        return Outcome::removed;
    }
    if (parts_.host.busy()) {
        // The commit still uses it, so it stays where it is.
        waiting_ = Waiting::undo;
        return Outcome::queued;
    }
    return begin(std::move(previous_), last_soft_);
}

void Configurator::stop() {
    undo_timer_.stop();
    forget_queued();
}

void Configurator::forget_queued() {
    waiting_ = Waiting::nothing;
    queued_.reset();
}

bool Configurator::confirm() {
    if (!undo_timer_.active()) return false;
    undo_timer_.stop();
    return true;
}

std::optional<loops::Duration> Configurator::undo_in() const {
    if (!undo_timer_.active()) return std::nullopt;
    return undo_timer_.remaining();
}

void Configurator::on_undo(void* context, loops::Turn&) {
    auto& self = *static_cast<Configurator*>(context);
    self.parts_.host.undo_begins();
    self.undo();
}

void Configurator::commit_finished() {
    switch (std::exchange(waiting_, Waiting::nothing)) {
        case Waiting::nothing:
            return;
        case Waiting::configuration:
            begin(std::move(queued_), queued_soft_);
            return;
        case Waiting::undo:
            begin(std::move(previous_), last_soft_);
            return;
    }
}

}  // namespace tern::daemon
