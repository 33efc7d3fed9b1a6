#include "router/proto/bgp/export_groups.h"

#include "router/proto/bgp/route_class.h"
#include "router/proto/bgp/wire/route_refresh.h"

#include <algorithm>
#include <utility>

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

/// A group without members; `kin` null: that of the profile.
ExportGroup& ExportGroups::make(const ExportProfile& profile, ExportKin* kin) {
    const auto guard = domain_.lock_dynamic();
    const ExportGroup::Place place{threads_, environment_, next_serial_++};
    groups_.push_back(std::make_unique<ExportGroup>(profile, place));
    ExportGroup& group = *groups_.back();
    if (kin == nullptr) kin = &kin_of(profile);
    kin->groups.push_back(&group);
    kin->count.fetch_add(1, std::memory_order_relaxed);
    const loops::LoopEntry entry(group.loop());
    group.set_kin(kin);
    return group;
}

ExportKin& ExportGroups::kin_of(const ExportProfile& profile) {
    for (const auto& each : kin_) {
        ExportGroup& any = *each->groups.front();
        const loops::LoopEntry entry(any.loop());
        if (any.profile().same_as(profile)) return *each;
    }
    return *kin_.emplace_back(std::make_unique<ExportKin>());
}

void ExportGroups::join(ExportMember& member, const ExportProfile& profile) {
    ExportGroup& group = make(profile, nullptr);
    const loops::LoopEntry entry(group.loop());
    group.add(member);
    group.start();
}

void ExportGroups::leave(ExportMember& member) {
    member.wake.cancel();
    member.consider.cancel();
    member.behind.cancel();
    member.limit.cancel();
    if (member.group == nullptr) return;
    ExportGroup& group = *member.group;
    {
        const loops::LoopEntry entry(group.loop());
        group.remove(member);
    }
    retire_if_empty(group);
}

void ExportGroups::leave_kin(ExportGroup& group) {
    ExportKin& kin = *group.kin();
    group.set_kin(nullptr);
    std::erase(kin.groups, &group);
    kin.count.fetch_sub(1, std::memory_order_relaxed);
    if (kin.groups.empty())
        std::erase_if(kin_, [&](const auto& each) { return each.get() == &kin; });
}

void ExportGroups::retire_if_empty(ExportGroup& group) {
    const auto guard = domain_.lock_dynamic();
    const auto found = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const auto& each) { return each.get() == &group; });
    if (found == groups_.end()) return;
    {
        const loops::LoopEntry entry(group.loop());
        if (!group.members().empty()) return;
        group.stop();
        leave_kin(group);
    }
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
void ExportGroups::split(ExportMember& member, ExportGroup& own, ExportGroup::Need need) {
    ExportGroup& old = *member.group;
    {
        const locking::PairLock<level::ExportGroup> both(old.domain(), own.domain());
        own.take_over(old, member, need);
    }
    retire_if_empty(old);
}

void ExportGroups::refresh(ExportMember& member) {
    ExportProfile profile;
    {
        const loops::LoopEntry entry(member.group->loop());  // others may adopt a new configuration
        profile = member.group->profile();
    }
    split(member, make(profile, member.group->kin()), ExportGroup::Need::refresh);
}

void ExportGroups::change(ExportMember& member, const ExportProfile& profile) {
    split(member, make(profile, nullptr), ExportGroup::Need::review);
}

void ExportGroups::part_if_slow(ExportMember& member) {
    if (member.group == nullptr) return;
    ExportProfile profile;
    {
        const loops::LoopEntry entry(member.group->loop());
        if (!member.group->held_up_by(member)) return;
        profile = member.group->profile();
    }
    member.apart = true;
    ++member.fell_behind;
    split(member, make(profile, member.group->kin()), ExportGroup::Need::nothing);
    const auto guard = domain_.lock_dynamic();
    ++parted_;
}

void ExportGroups::adopt(ExportMember& member, const ExportProfile& profile) {
    if (member.group == nullptr) return;
    const loops::LoopEntry entry(member.group->loop());
    member.group->adopt(profile.settings);
}

/// One member at a time, as each belongs to a loop of its own: the others follow, or stay until
/// they have caught up too.
bool ExportGroups::merge_into(ExportMember& member, ExportGroup& target) {
    ExportGroup& own = *member.group;
    const locking::PairLock<level::ExportGroup> both(own.domain(), target.domain());
    if (target.members().empty() || !target.stays_before(own)) return false;
    if (!own.at_rest(member) || !target.path().idle()) return false;
    if (!table::ExportReader::level(*own.path().reader(), *target.path().reader())) return false;
    const std::uint32_t old_number = member.place.number;
    own.remove(member);
    target.add(member);
    target.inherit_left_out(own, old_number, member.place.number);
    ++merged_;
    if (std::exchange(member.apart, false)) ++member.came_back;
    return true;
}

/// Who has caught up may come over. Invitations go from groups that stay to those that do not, so
/// they end.
void ExportGroups::invite(ExportGroup& group) {
    const loops::LoopEntry entry(group.loop());
    for (ExportMember* member : group.members()) {
        if (group.at_rest(*member)) member->consider.send(member->loop);
    }
}

void ExportGroups::try_merge(ExportMember& member) {
    if (member.group == nullptr) return;
    ExportGroup& own = *member.group;
    {
        const auto guard = domain_.lock_dynamic();
        bool moved = false;
        for (ExportGroup* each : own.kin()->groups) {
            if (each == &own) continue;
            moved = merge_into(member, *each);
            if (moved) break;
            bool stays = false;
            {
                const locking::PairLock<level::ExportGroup> both(own.domain(), each->domain());
                stays = own.stays_before(*each);
            }
            if (stays) invite(*each);
        }
        if (!moved) return;
        invite(own);
    }
    retire_if_empty(own);
}

ExportGroups::Stats ExportGroups::stats() {
    const auto guard = domain_.lock_dynamic();
    Stats stats{groups_.size(), 0, parted_, merged_};
    for (const auto& each : groups_) {
        const loops::LoopEntry entry(each->loop());
        stats.members += each->members().size();
    }
    return stats;
}

}  // namespace tern::bgp
