#include "router/proto/static/static.h"

#include "router/attr/core_attributes.h"

#include <fmt/format.h>

namespace tern::static_routes {
namespace {

/// Routes handled between two looks at the clock.
constexpr std::uint32_t stride = 1024;

class StaticRoutes final : public table::RouteClass {
  public:
    [[nodiscard]] unsigned order() const override { return 10; }

    [[nodiscard]] bool better(const table::RouteValue& a,
                              const table::SourceOwner&,
                              const table::RouteValue& b,
                              const table::SourceOwner&) const override {
        return metric(a) < metric(b);
    }

    [[nodiscard]] bool mergeable(const table::RouteValue& a,
                                 const table::SourceOwner&,
                                 const table::RouteValue& b,
                                 const table::SourceOwner&) const override {
        return metric(a) == metric(b);
    }

    [[nodiscard]] std::string info(const table::RouteValue& route,
                                   const table::SourceOwner&) const override {
        const std::uint32_t known = metric(route);
        if (known >= attr::metric_unreachable) return fmt::format("({})", route.preference);
        return fmt::format("({}/{})", route.preference, known);
    }

  private:
    static std::uint32_t metric(const table::RouteValue& route) {
        return route.attributes->word_or(attr::core::igp_metric, attr::metric_unknown);
    }
};

class StaticOwner final : public table::SourceOwner {
  public:
    using SourceOwner::SourceOwner;

    [[nodiscard]] std::uint32_t source_kind() const override {
        return static_cast<std::uint32_t>(attr::RouteOrigin::static_);
    }
};

const table::RouteClass& route_class() {
    static const StaticRoutes routes;
    return routes;
}

}  // namespace

Static::Static(engine::Instance& instance)
    : Protocol(instance),
      config_(static_cast<const StaticConfig*>(&instance.config())),
      pass_(on_pass, this) {}

Static::~Static() {
    for (const table::SourceId id : sources_)
        instance().services().sources.release(id);
}

void Static::start() {
    instance().set_owner(std::make_unique<StaticOwner>(route_class(), instance().config().name));
    instance().up();
    targets_.emplace(instance().services(), instance().loop(), static_cast<TargetObserver&>(*this));
    targets_->assign(*config_);
    marks_.assign(targets_->size(), {});
    for (std::uint32_t i = 0; i < targets_->size(); ++i)
        target_changed(i);
}

void Static::shutdown(const engine::StopRequest&) {
    pass_.cancel();
    targets_.reset();
    instance().down();
}

bool Static::open() const {
    return targets_.has_value() && channel().state() == channel::ChannelState::up;
}

table::SourceId Static::source(std::uint32_t path_id) {
    while (sources_.size() <= path_id) {
        sources_.push_back(instance().services().sources.acquire(
            *instance().owner(), static_cast<std::uint32_t>(sources_.size())));
    }
    return sources_[path_id];
}

void Static::target_changed(std::uint32_t target) {
    Mark& mark = marks_[target];
    if (targets_->attributes(target) == nullptr && !mark.announced) return;
    mark.waiting = true;
    anything_waiting_ = true;
    pass_.send(instance().loop());
}

/// A pass goes once through all routes; what changes meanwhile waits for the next one.
void Static::begin_pass() {
    for (std::uint32_t i = 0; i < marks_.size(); ++i) {
        Mark& mark = marks_[i];
        mark.in_pass = mark.waiting;
        mark.waiting = false;
        if (mark.in_pass && targets_->attributes(i) != nullptr) mark.announced = true;
    }
    anything_waiting_ = false;
    position_ = 0;
    in_pass_ = true;
}

void Static::end_pass() {
    for (std::uint32_t i = 0; i < marks_.size(); ++i) {
        Mark& mark = marks_[i];
        // A target that changed again in between is looked at by the next pass.
        if (mark.in_pass && !mark.waiting) mark.announced = targets_->attributes(i) != nullptr;
        mark.in_pass = false;
    }
    pending_ = {};
    in_pass_ = false;
}

/// Handles routes up to `stop`; true at the end of the list.
bool Static::pass_step(std::uint32_t stop) {
    const RouteList& routes = config_->routes;
    stop = std::min(stop, routes.size());
    for (; position_ < stop; ++position_) {
        const bool pending = !pending_.empty() && pending_[position_];
        if (pending || marks_[routes.target(position_)].in_pass) handle(position_);
    }
    return position_ == routes.size();
}

void Static::on_pass(void* context, loops::Turn& turn) {
    auto& self = *static_cast<Static*>(context);
    if (!self.open()) return;
    if (!self.in_pass_) self.begin_pass();
    bool done = false;
    do
        done = self.pass_step(self.position_ + stride);
    while (!done && !turn.out_of_time());
    self.channel().import().flush();
    if (done) self.end_pass();
    if (!done || self.anything_waiting_) self.pass_.send(self.instance().loop());
}

/// At once, because what is in force is about to change.
void Static::finish_pass() {
    if (!in_pass_) return;
    pass_step(config_->routes.size());
    channel().import().flush();
    end_pass();
}

void Static::handle(std::uint32_t route) {
    if (targets_->attributes(config_->routes.target(route)) != nullptr) {
        announce(route);
    } else {
        withdraw(config_->routes.prefix(route), config_->routes.path_id(route));
    }
}

void Static::announce(std::uint32_t route) {
    const RouteList& routes = config_->routes;
    const std::uint32_t target = routes.target(route);
    marks_[target].announced = true;
    channel::Announcement out{.prefix = routes.prefix(route),
                              .attributes = targets_->attributes(target),
                              .source = source(routes.path_id(route)),
                              .now = instance().loop().now(),
                              .preference = targets_->preference(target)};
    if (!targets_->filter_per_route(target)) {
        channel().import().announce(out);
        return;
    }
    const Targets::Filtered filtered = targets_->filter(target, out.prefix);
    out.attributes = filtered.attributes;
    out.preference = filtered.preference;
    channel().import().announce(out);
    instance().services().attributes.release(filtered.attributes);
}

void Static::withdraw(const net::Prefix& prefix, std::uint32_t path_id) {
    channel().import().withdraw(prefix, source(path_id));
}

bool Static::refresh_import(channel::Channel&) {
    if (!open()) return true;
    for (std::uint32_t i = 0; i < marks_.size(); ++i)
        target_changed(i);
    return true;
}

bool Static::reconfigure(const config::ProtocolConfig& next, config::Effect) {
    const auto& wanted = static_cast<const StaticConfig&>(next);
    if (!open()) {
        config_ = &wanted;
        return true;
    }
    change_routes(wanted);
    return true;
}

/// Marks of targets that stay go with them.
void Static::move_marks(const std::vector<std::uint32_t>& old_of) {
    std::vector<Mark> marks(old_of.size());
    for (std::size_t i = 0; i < marks.size(); ++i) {
        if (old_of[i] != Targets::none) marks[i] = marks_[old_of[i]];
    }
    marks_ = std::move(marks);
}

/// What both lists have at their beginning and end is passed over; in between routes are matched by
/// network and path id. Withdrawals are queued at once, announcements go with the next pass.
void Static::change_routes(const StaticConfig& next) {
    finish_pass();
    const RouteList& old = config_->routes;
    const RouteList& now = next.routes;
    const std::vector<Mark> old_marks = marks_;
    const std::vector<std::uint32_t> old_of = targets_->assign(next);
    move_marks(old_of);
    const auto same = [&](std::uint32_t in_old, std::uint32_t in_now) {
        return old_of[now.target(in_now)] == old.target(in_old) &&
               old.path_id(in_old) == now.path_id(in_now) &&
               RouteList::same_prefix(old, in_old, now, in_now);
    };
    const std::uint32_t shorter = std::min(old.size(), now.size());
    std::uint32_t head = 0;
    while (head < shorter && same(head, head))
        ++head;
    std::uint32_t tail = 0;
    while (tail < shorter - head && same(old.size() - 1 - tail, now.size() - 1 - tail))
        ++tail;
    const std::uint32_t old_end = old.size() - tail;
    const std::uint32_t now_end = now.size() - tail;

    const RouteFinder finder(old, head, old_end);
    std::vector<bool> stays(old_end - head);
    for (std::uint32_t i = head; i < now_end; ++i) {
        const std::uint32_t match = finder.find(now.prefix(i), now.path_id(i));
        if (match != RouteFinder::none) {
            stays[match - head] = true;
            if (old_of[now.target(i)] == old.target(match)) continue;
        } else if (targets_->attributes(now.target(i)) == nullptr) {
            continue;
        }
        if (pending_.empty()) pending_.resize(now.size());
        pending_[i] = true;
    }
    for (std::uint32_t i = head; i < old_end; ++i) {
        if (!stays[i - head] && old_marks[old.target(i)].announced) {
            withdraw(old.prefix(i), old.path_id(i));
        }
    }
    channel().import().flush();
    config_ = &next;
    if (!pending_.empty() || anything_waiting_) pass_.send(instance().loop());
}

void Static::show_route(cli::Output& out, std::uint32_t route) const {
    constexpr auto code = cli::ReplyCode::static_route;
    using cli::Field;
    const std::string prefix = config_->routes.prefix(route).to_string();
    const std::uint32_t number = config_->routes.target(route);
    const Target& target = config_->routes.targets()[number];
    const auto plain = [&](std::string_view text) {
        out.line(code, "{network}\t{kind}", {Field{"network", prefix}, Field{"kind", text}});
    };
    out.begin("route");
    switch (target.kind) {
        case TargetKind::via:
            out.line(code, "{network}", {Field{"network", prefix}});
            for (const Hop& hop : target.hops) {
                const bool dormant = !targets_ || !targets_->present(hop);
                out.begin("next_hops");
                if (hop.gateway.is_zero()) {
                    out.line(
                        code, "\tdev {interface}{suffix}",
                        {Field{"interface", hop.interface}, Field{"dormant", dormant},
                         Field{"suffix", dormant ? " (dormant)" : "", cli::Audience::text_only}});
                } else {
                    const std::string at = hop.interface.empty() ? "" : "%" + hop.interface;
                    out.line(
                        code, "\tvia {gateway}{at}{onlink_text}{suffix}",
                        {Field{"gateway", hop.gateway.to_string()},
                         Field{"at", at, cli::Audience::text_only},
                         Field{"interface", hop.interface}, Field{"dormant", dormant},
                         Field{"onlink", hop.onlink},
                         Field{"onlink_text", hop.onlink ? " onlink" : "",
                               cli::Audience::text_only},
                         Field{"suffix", dormant ? " (dormant)" : "", cli::Audience::text_only}});
                }
                out.end();
            }
            break;
        case TargetKind::recursive:
            out.line(code, "{network}\trecursive {host}",
                     {Field{"network", prefix}, Field{"host", target.host.to_string()}});
            break;
        case TargetKind::blackhole:
            plain("blackhole");
            break;
        case TargetKind::unreachable:
            plain("unreachable");
            break;
        case TargetKind::prohibit:
            plain("prohibited");
            break;
    }
    out.end();
}

bool Static::show(cli::Output& out, std::uint32_t& position) const {
    constexpr std::uint32_t rows_max = 500;
    const std::uint32_t size = config_->routes.size();
    for (std::uint32_t i = 0; i < rows_max && position < size && !out.full(); ++i)
        show_route(out, position++);
    return position >= size;
}

const engine::ProtocolDescriptor& descriptor() {
    static const engine::ProtocolDescriptor result = {
        .placement = engine::LoopPlacement::main,
        .start_phase = 2,
        .syntax = &syntax(),
        .main_channel = true,
        .exports = false,
        .create = engine::create<Static>,
    };
    return result;
}

}  // namespace tern::static_routes
