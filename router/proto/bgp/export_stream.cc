#include "router/proto/bgp/export_stream.h"

#include "locking/check.h"

#include <algorithm>
#include <cstring>

namespace tern::bgp {

void ExportStream::join(Member& member) {
    member = {next_member_++, end(), 0};
    ++members_;
}

void ExportStream::leave(Member& member) {
    while (member.segment < end())
        pass(member);
    --members_;
    member = {};
    drop_passed();
}

void ExportStream::append(Bytes message, const Audience& audience) {
    if (members_ == 0) return;
    const bool fits = !segments_.empty() && segments_.back().audience == audience &&
                      segments_.back().room - segments_.back().size >= message.size() &&
                      segments_.back().waiting == members_;
    if (!fits) {
        Segment& fresh = segments_.emplace_back();
        fresh.room = std::max(segments_.size() == 1 ? segment_first : segment_size, message.size());
        fresh.data.reset(new std::uint8_t[fresh.room]);
        fresh.audience = audience;
        fresh.waiting = members_;
        bytes_ += fresh.room;
    }
    Segment& segment = segments_.back();
    std::memcpy(segment.data.get() + segment.size, message.data(), message.size());
    segment.size += message.size();
}

std::size_t ExportStream::backlog(const Member& member) const {
    std::size_t bytes = 0;
    for (std::uint64_t i = std::max(member.segment, first_); i < end(); ++i)
        bytes += segments_[static_cast<std::size_t>(i - first_)].room;
    return bytes;
}

/// The member has nothing more to do with its present segment.
void ExportStream::pass(Member& member) {
    --at(member.segment).waiting;
    ++member.segment;
    member.offset = 0;
}

void ExportStream::skip_foreign(Member& member) {
    while (member.segment < end() && !at(member.segment).audience.includes(member.number)) {
        pass(member);
    }
}

void ExportStream::drop_passed() {
    while (!segments_.empty() && segments_.front().waiting == 0) {
        bytes_ -= segments_.front().room;
        segments_.pop_front();
        ++first_;
    }
}

void ExportStream::collect(Member& member, std::vector<Bytes>& pieces, std::size_t max) {
    skip_foreign(member);
    std::size_t offset = member.offset;
    for (std::uint64_t i = member.segment; i < end() && pieces.size() < max; ++i) {
        const Segment& segment = at(i);
        if (!segment.audience.includes(member.number)) continue;
        pieces.emplace_back(segment.data.get() + offset, segment.size - offset);
        offset = 0;
    }
    drop_passed();
}

void ExportStream::consumed(Member& member, std::size_t bytes) {
    while (bytes > 0) {
        skip_foreign(member);
        TERN_ASSERT(member.segment < end(), "more consumed than there was");
        const std::size_t left = at(member.segment).size - member.offset;
        if (bytes < left) {
            member.offset += bytes;
            break;
        }
        bytes -= left;
        pass(member);
    }
    skip_foreign(member);
    drop_passed();
}

bool ExportStream::drained(Member& member) {
    skip_foreign(member);
    drop_passed();
    return member.segment >= end();
}

void ExportStream::copy_rest(Member& member, ExportStream& other) {
    std::vector<Bytes> pieces;
    collect(member, pieces, segments_.size());
    for (const Bytes piece : pieces)
        other.append(piece, {});
}

}  // namespace tern::bgp
