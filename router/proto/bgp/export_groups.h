#pragma once
/// All export groups of a router: makes one for each new neighbour, merges equal ones that stand at
/// the same place, splits a member off when it needs something of its own (route refresh, slowness,
/// a new policy). A state that followed the same rules over the same table is the same state, so
/// groups with equal profiles that have both caught up are interchangeable: that is all a merge
/// needs to know. Owned by the BGP part of a Router. Members call in their neighbour's loop; the
/// list has its own domain between protocol and export group. Groups without members end in the
/// main loop.

#include "router/proto/bgp/export_group.h"

#include <memory>
#include <vector>

namespace tern::bgp {

class ExportGroups {
  public:
    ExportGroups(loops::Loop& main_loop,
                 loops::ThreadGroup& threads,
                 filter::Environment& environment);
    ExportGroups(const ExportGroups&) = delete;
    ExportGroups& operator=(const ExportGroups&) = delete;
    /// No member is left, and no loop runs any more.
    ~ExportGroups();

    // In the member's loop, with its domain held.

    /// Starts with a feed of the whole table, ended by End-of-RIB.
    void join(ExportMember& member, const ExportProfile& profile);
    void leave(ExportMember& member);
    /// Sends everything again to this member alone (RFC 2918, RFC 7313).
    void refresh(ExportMember& member);
    /// Goes on under another profile; what is told changes to what that one says.
    void change(ExportMember& member, const ExportProfile& profile);
    /// The same profile out of a new configuration, whose filters replace those of the old one.
    static void adopt(ExportMember& member, const ExportProfile& profile);
    /// After `behind`: if the group still waits for this member, it goes on alone from where the
    /// group stands, at its own speed.
    void part_if_slow(ExportMember& member);
    /// After `consider`: joins a larger group of the same profile if both have caught up, or
    /// invites the members of smaller ones to this one.
    void try_merge(ExportMember& member);

    /// Groups and members now, and what has happened so far.
    struct Stats {
        std::size_t groups = 0;
        std::size_t members = 0;
        std::uint64_t parted = 0;  ///< members that were too slow
        std::uint64_t merged = 0;  ///< members that came from another group
    };

    [[nodiscard]] Stats stats();

  private:
    struct Ending;

    ExportGroup& make(const ExportProfile& profile, ExportKin* kin);
    [[nodiscard]] ExportKin& kin_of(const ExportProfile& profile);
    void split(ExportMember& member, ExportGroup& own, ExportGroup::Need need);
    void retire_if_empty(ExportGroup& group);
    void leave_kin(ExportGroup& group);
    static void invite(ExportGroup& group);
    bool merge_into(ExportMember& member, ExportGroup& target);
    static void on_stopped(void* ending, loops::Turn& turn);

    loops::Loop& main_loop_;
    loops::ThreadGroup& threads_;
    filter::Environment& environment_;
    locking::Domain<level::ExportGroups> domain_;
    std::vector<std::unique_ptr<ExportGroup>> groups_;
    std::vector<std::unique_ptr<ExportKin>> kin_;
    std::vector<std::unique_ptr<Ending>> endings_;  // loops that are stopping
    std::uint64_t parted_ = 0;
    std::uint64_t merged_ = 0;
    std::uint64_t next_serial_ = 1;
};

}  // namespace tern::bgp
