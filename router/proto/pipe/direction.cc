#include "router/proto/pipe/direction.h"

#include "loops/loop.h"

#include <algorithm>

namespace tern::pipe {

namespace {

constexpr std::uint32_t sweep_stride = 8192;  // prefixes per hold of the table

/// What is true of a route in whatever table it stands.
constexpr std::uint8_t lasting_flags = table::route_unresolvable | table::route_long_lived_stale;

}  // namespace

Direction::Direction(const Setup& setup, const void* pipe, DirectionObserver& observer)
    : setup_(setup),
      pipe_(pipe),
      observer_(observer),
      path_(setup.from,
            setup.loop,
            setup.environment,
            *this,
            static_cast<channel::ExportObserver&>(*this)) {
    TERN_ASSERT(&setup.from.services().index == &setup.to.services().index,
                "a pipe between tables of different types");
}

Direction::~Direction() {
    table::SourceRegistry& sources = setup_.to.services().sources;
    for (const auto& [original, owner] : owners_)
        sources.release_owner(owner);
}

void Direction::start(const channel::ExportSettings& settings, const DirectionRules& rules) {
    rules_ = rules;
    arrivals_ = {};
    sweep_position_ = 0;
    path_.start(settings);
}

void Direction::configure(const channel::ExportSettings& settings, const DirectionRules& rules) {
    rules_ = rules;
    path_.configure(settings);
}

channel::Preexport Direction::preexport(const table::RouteValue& route,
                                        const table::SourceOwner& owner) {
    if (owner.last_pipe() == pipe_) return channel::Preexport::refuse;
    if (owner.generation() >= rules_.max_generation) {
        observer_.overpiped(setup_.from.services().index.prefix(route.prefix));
        return channel::Preexport::refuse;
    }
    return channel::Preexport::filter;
}

void Direction::export_limit_crossed(const config::Limit& limit, bool stop) {
    observer_.limit_crossed(setup_.kind, limit, stop);
}

PipedOwner& Direction::piped_owner(table::SourceOwner& original) {
    PipedOwner*& owner = owners_[&original];
    if (owner == nullptr) {
        auto made = std::make_unique<PipedOwner>(original, pipe_);
        setup_.to.services().sources.keep_original(*made, original);
        owner = made.release();  // the registry's, once we release our hold
    }
    return *owner;
}

/// Our source for routes of that one; the batch has a use of it.
table::SourceId Direction::piped_source(table::SourceId original) {
    const auto [found, fresh] = batch_sources_.try_emplace(original);
    if (fresh) {
        table::SourceRegistry& sources = setup_.to.services().sources;
        const table::RouteSource& source = sources.get(original);
        found->second = sources.acquire(piped_owner(*source.owner), source.path_id);
    }
    return found->second;
}

/// The owner if the route is one of ours.
PipedOwner* Direction::own(table::SourceId source) const {
    table::SourceOwner* owner = setup_.to.services().sources.get(source).owner;
    return owner->last_pipe() == pipe_ ? static_cast<PipedOwner*>(owner) : nullptr;
}

void Direction::export_batch(Routes routes) {
    sources_.clear();
    for (const channel::ExportedRoute& route : routes) {
        sources_.push_back(route.attributes == nullptr ? table::SourceId{}
                                                       : piped_source(route.route.source));
    }
    {
        Writer writer(setup_.to);
        for (std::size_t begin = 0; begin < routes.size();) {
            std::size_t end = begin + 1;
            while (end < routes.size() && routes[end].id == routes[begin].id)
                ++end;
            apply(writer, routes.subspan(begin, end - begin),
                  std::span(sources_).subspan(begin, end - begin));
            begin = end;
        }
    }
    for (const auto& [original, ours] : batch_sources_)
        setup_.to.services().sources.release(ours);
    batch_sources_.clear();
    release_idle_owners();
}

/// Makes our routes of one prefix those of the batch.
void Direction::apply(Writer& writer, Routes routes, std::span<const table::SourceId> sources) {
    const net::PrefixId id = routes.front().id;
    const bool none = routes.front().attributes == nullptr;
    if (none) sources = {};
    gone_.clear();
    for (const table::Route* route = writer.routes(id); route != nullptr; route = route->next) {
        if (own(route->source) == nullptr) continue;
        if (std::find(sources.begin(), sources.end(), route->source) == sources.end()) {
            gone_.push_back(route->source);
        }
    }
    for (const table::SourceId source : gone_)
        withdraw(writer, id, source);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const channel::ExportedRoute& in = routes[i];
        table::RouteValue out = in.route;
        out.attributes = in.attributes;
        out.source = sources[i];
        out.preference = in.preference;
        if (rules_.preference && in.preference == in.route.preference) {
            out.preference = *rules_.preference;
        }
        out.flags = in.route.flags & lasting_flags;
        out.set_time(setup_.loop.now());
        const table::Change change = writer.put(out);
        ++(change == table::Change::ignored ? arrivals_.updates_ignored
                                            : arrivals_.updates_accepted);
        if (change != table::Change::added) continue;
        ++arrivals_.routes;
        ++own(out.source)->routes_;
    }
}

void Direction::withdraw(Writer& writer, net::PrefixId id, table::SourceId source) {
    PipedOwner* const owner = own(source);
    owner->routes_ -= 1;  // before the withdrawal, which may drop the last use of the source
    if (owner->routes_ == 0) idle_owners_ = true;
    writer.withdraw(id, source);
    --arrivals_.routes;
    ++arrivals_.withdraws_accepted;
}

/// An owner of ours without routes is not kept, so that the session it speaks for can go.
void Direction::release_idle_owners() {
    if (!idle_owners_) return;
    idle_owners_ = false;
    for (auto it = owners_.begin(); it != owners_.end();) {
        if (it->second->routes_ != 0) {
            ++it;
            continue;
        }
        setup_.to.services().sources.release_owner(it->second);
        it = owners_.erase(it);
    }
}

Direction::Writer::Verdict Direction::decide(const table::Route& route, void* context) {
    auto& self = *static_cast<Direction*>(context);
    PipedOwner* const owner = self.own(route.source);
    if (owner == nullptr) return Writer::Verdict::keep;
    if (--owner->routes_ == 0) self.idle_owners_ = true;
    --self.arrivals_.routes;
    return Writer::Verdict::withdraw;
}

bool Direction::sweep_step() {
    bool done = false;
    {
        Writer writer(setup_.to);
        sweep_position_ = writer.sweep(sweep_position_, sweep_stride, decide, this);
        done = sweep_position_ == Writer::index_end;
    }
    release_idle_owners();
    if (done) sweep_position_ = 0;
    return done;
}

}  // namespace tern::pipe
