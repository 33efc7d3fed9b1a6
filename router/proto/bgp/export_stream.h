#pragma once
/// Encoded UPDATE messages on their way to the members of an export group: one copy for all of
/// them. A segment is a run of whole messages for everybody, for everybody but one (the neighbour a
/// route came from), or for one alone. Each member has its own place in the stream; a segment goes
/// when the last member has passed it. Belongs to an export group and is guarded by its domain,
/// with one exception: the bytes of a segment never change or move, so a member writes them to its
/// socket without the domain as long as it has not said `consumed`.

#include "router/base/bytes.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace tern::bgp {

class ExportStream {
  public:
    /// One reader of the stream. Kept by its owner; all fields are the stream's.
    struct Member {
        std::uint32_t number = 0;  ///< in its stream; never reused there
        std::uint64_t segment = 0;
        std::size_t offset = 0;  ///< bytes of that segment already written
    };

    /// Who gets a segment.
    struct Audience {
        enum class Kind : std::uint8_t { all, all_but, only };
        Kind kind = Kind::all;
        std::uint32_t member = 0;

        [[nodiscard]] bool includes(std::uint32_t number) const {
            switch (kind) {
                case Kind::all:
                    return true;
                case Kind::all_but:
                    return number != member;
                case Kind::only:
                    return number == member;
            }
            return false;
        }

        friend bool operator==(const Audience&, const Audience&) = default;
    };

    /// A new member starts at the end.
    void join(Member& member);
    void leave(Member& member);

    [[nodiscard]] std::size_t members() const { return members_; }

    /// Appends one message.
    void append(Bytes message, const Audience& audience);

    /// The next pieces for this member, at most `max` of them; valid until `consumed` or `leave`.
    void collect(Member& member, std::vector<Bytes>& pieces, std::size_t max);
    void consumed(Member& member, std::size_t bytes);
    /// Nothing is left for this member.
    [[nodiscard]] bool drained(Member& member);

    /// In the middle of a segment: nothing else may be written to the socket before its rest.
    [[nodiscard]] static bool inside_segment(const Member& member) { return member.offset != 0; }

    /// Room that this member keeps from being given back.
    [[nodiscard]] std::size_t backlog(const Member& member) const;

    /// Bytes held, by the slowest member.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// Copies what is left for `member` here, at the end of `other`.
    void copy_rest(Member& member, ExportStream& other);

  private:
    static constexpr std::size_t segment_first = 4096;  // little news costs little
    static constexpr std::size_t segment_size = 32 * 1024;

    struct Segment {
        std::unique_ptr<std::uint8_t[]> data;
        std::size_t size = 0;
        std::size_t room = 0;
        Audience audience;
        std::size_t waiting = 0;  // members that have not passed it
    };

    [[nodiscard]] Segment& at(std::uint64_t number) {
        return segments_[static_cast<std::size_t>(number - first_)];
    }

    [[nodiscard]] std::uint64_t end() const { return first_ + segments_.size(); }

    void pass(Member& member);
    void skip_foreign(Member& member);
    void drop_passed();

    std::deque<Segment> segments_;
    std::uint64_t first_ = 0;  // number of segments_.front()
    std::size_t bytes_ = 0;
    std::size_t members_ = 0;
    std::uint32_t next_member_ = 1;
};

}  // namespace tern::bgp
