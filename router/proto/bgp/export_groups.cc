#include "router/proto/bgp/export_groups.h"

#include "router/proto/bgp/route_class.h"
#include "router/proto/bgp/wire/route_refresh.h"

#include <algorithm>

namespace tern::bgp {

/// A group without members whose loop has been asked to stop.
struct ExportGroups::Ending {
    Ending(ExportGroups& groups, std::unique_ptr<ExportGroup> ended)
        : owner(groups), group(std::move(ended)), stopped(on_stopped, this) {}

    ExportGroups& owner;
    std::unique_ptr<ExportGroup> group;
    loops::Event stopped;
};

ExportGroups::ExportGroups(loops::Loop& main_loop,
                           loops::ThreadGroup& threads,
                           filter::Environment& environment)
    : main_loop_(main_loop), threads_(threads), environment_(environment) {}

ExportGroups::~ExportGroups() = default;

ExportGroup& ExportGroups::make(const ExportProfile& profile) {
    const auto guard = domain_.lock_dynamic();
    groups_.push_back(
        std::make_unique<ExportGroup>(profile, threads_, environment_, next_serial_++));
    return *groups_.back();
}

void ExportGroups::join(ExportMember& member, const ExportProfile& profile) {
    ExportGroup& group = make(profile);
    const loops::LoopEntry entry(group.loop());
    group.add(member);
    group.start(ExportGroup::Feed::initial);
}

void ExportGroups::leave(ExportMember& member) {
    member.wake.cancel();
    member.consider.cancel();
    member.limit.cancel();
    if (member.group == nullptr) return;
    ExportGroup& group = *member.group;
    {
        const loops::LoopEntry entry(group.loop());
        group.remove(member);
    }
    retire_if_empty(group);
}

void ExportGroups::retire_if_empty(ExportGroup& group) {
    const auto guard = domain_.lock_dynamic();
    {
        const loops::LoopEntry entry(group.loop());
        if (!group.members().empty()) return;
        group.stop();
    }
    const auto found = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const auto& each) { return each.get() == &group; });
    if (found == groups_.end()) return;
    endings_.push_back(std::make_unique<Ending>(*this, std::move(*found)));
    groups_.erase(found);
    Ending& ending = *endings_.back();
    ending.group->loop().stop(main_loop_, ending.stopped);
}

void ExportGroups::on_stopped(void* context, loops::Turn&) {
    auto& ending = *static_cast<Ending*>(context);
    ExportGroups& self = ending.owner;
    std::unique_ptr<Ending> last;
    const auto guard = self.domain_.lock_dynamic();
    const auto found = std::find_if(self.endings_.begin(), self.endings_.end(),
                                    [&](const auto& each) { return each.get() == &ending; });
    last = std::move(*found);
    self.endings_.erase(found);
}

/// Moves the member to a group of its own that goes on where the old one stands.
void ExportGroups::split(ExportMember& member,
                         const ExportProfile& profile,
                         ExportGroup::Feed feed) {
    ExportGroup& old = *member.group;
    ExportGroup& own = make(profile);
    {
        const locking::PairLock<level::ExportGroup> both(old.domain(), own.domain());
        own.take_over(old, member, feed);
    }
    retire_if_empty(old);
}

void ExportGroups::refresh(ExportMember& member) {
    const ExportProfile profile = member.group->profile();
    split(member, profile, ExportGroup::Feed::refresh);
}

void ExportGroups::change(ExportMember& member, const ExportProfile& profile) {
    split(member, profile, ExportGroup::Feed::quiet);
}

void ExportGroups::adopt(ExportMember& member, const ExportProfile& profile) {
    if (member.group == nullptr) return;
    const loops::LoopEntry entry(member.group->loop());
    member.group->adopt(profile.settings);
}

bool ExportGroups::merge_into(ExportMember& member, ExportGroup& target) {
    ExportGroup& own = *member.group;
    const locking::PairLock<level::ExportGroup> both(own.domain(), target.domain());
    if (own.members().size() != 1 || target.members().empty()) return false;
    const bool smaller = target.members().size() > 1 || target.serial() < own.serial();
    if (!smaller || !own.at_rest(member) || !target.path().idle()) return false;
    if (!table::ExportReader::level(*own.path().reader(), *target.path().reader())) return false;
    const std::uint32_t old_number = member.place.number;
    own.remove(member);
    target.add(member);
    target.inherit_left_out(own, old_number, member.place.number);
    return true;
}

/// Whether the event came from another group: then nobody is invited back, or two would go on for
/// ever.
bool ExportGroups::accept_invitation(ExportGroup& own, ExportMember& member) {
    const loops::LoopEntry entry(own.loop());
    return std::exchange(member.invited, false);
}

void ExportGroups::invite(ExportGroup& group) {
    const loops::LoopEntry entry(group.loop());
    if (group.members().size() != 1) return;
    ExportMember& lonely = *group.members().front();
    lonely.invited = true;
    lonely.consider.send(lonely.loop);
}

void ExportGroups::try_merge(ExportMember& member) {
    if (member.group == nullptr) return;
    ExportGroup& own = *member.group;
    {
        const auto guard = domain_.lock_dynamic();
        bool moved = false;
        const bool invited = accept_invitation(own, member);
        for (const auto& each : groups_) {
            if (each.get() == &own || !each->profile().same_as(own.profile())) continue;
            if (merge_into(member, *each)) {
                moved = true;
                break;
            }
            if (!invited) invite(*each);
        }
        if (!moved) return;
    }
    retire_if_empty(own);
}

ExportGroups::Stats ExportGroups::stats() {
    const auto guard = domain_.lock_dynamic();
    Stats stats{groups_.size(), 0};
    for (const auto& each : groups_) {
        const loops::LoopEntry entry(each->loop());
        stats.members += each->members().size();
    }
    return stats;
}

}  // namespace tern::bgp
