#include "router/proto/bgp/export_stream.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace tern::bgp {

namespace {

using Audience = ExportStream::Audience;

Bytes bytes_of(const std::string& text) {
    return as_bytes(text);
}

/// Takes up to `max` bytes, as a socket would.
std::string take(ExportStream& stream, ExportStream::Member& member, std::size_t max) {
    std::vector<Bytes> pieces;
    stream.collect(member, pieces, 4);
    std::string out;
    for (const Bytes piece : pieces)
        out += as_text(piece);
    out.resize(std::min(out.size(), max));
    stream.consumed(member, out.size());
    return out;
}

}  // namespace

TEST_CASE("all members of a stream read the same bytes") {
    ExportStream stream;
    ExportStream::Member a;
    ExportStream::Member b;
    stream.join(a);
    stream.join(b);
    stream.append(bytes_of("one"), {});
    stream.append(bytes_of("two"), {});
    CHECK(take(stream, a, 100) == "onetwo");
    CHECK_FALSE(stream.drained(b));
    CHECK(take(stream, b, 4) == "onet");
    CHECK(ExportStream::inside_segment(b));
    CHECK(take(stream, b, 100) == "wo");
    CHECK(stream.drained(a));
    CHECK(stream.drained(b));
    CHECK(stream.bytes() == 0);
}

TEST_CASE("a member that joins reads only what comes after") {
    ExportStream stream;
    ExportStream::Member a;
    ExportStream::Member b;
    stream.join(a);
    stream.append(bytes_of("old"), {});
    stream.join(b);
    stream.append(bytes_of("new"), {});
    CHECK(take(stream, b, 100) == "new");
    CHECK(take(stream, a, 100) == "oldnew");
}

TEST_CASE("segments for one and for all but one reach exactly those") {
    ExportStream stream;
    std::array<ExportStream::Member, 3> members;
    for (auto& member : members)
        stream.join(member);
    stream.append(bytes_of("all "), {});
    stream.append(bytes_of("but0 "), {Audience::Kind::all_but, members[0].number});
    stream.append(bytes_of("only1 "), {Audience::Kind::only, members[1].number});
    stream.append(bytes_of("end"), {});
    CHECK(take(stream, members[0], 100) == "all end");
    CHECK(take(stream, members[1], 100) == "all but0 only1 end");
    CHECK(take(stream, members[2], 100) == "all but0 end");
    CHECK(stream.bytes() == 0);
}

TEST_CASE("a member that leaves frees what only it had still to read") {
    ExportStream stream;
    ExportStream::Member slow;
    ExportStream::Member fast;
    stream.join(slow);
    stream.join(fast);
    stream.append(bytes_of("message"), {});
    CHECK(take(stream, fast, 100) == "message");
    CHECK(stream.bytes() != 0);
    stream.leave(slow);
    CHECK(stream.bytes() == 0);
    CHECK(stream.members() == 1);
}

TEST_CASE("the rest of a half-written message moves to another stream first") {
    ExportStream old;
    ExportStream::Member member;
    old.join(member);
    old.append(bytes_of("half-written"), {});
    CHECK(take(old, member, 5) == "half-");
    ExportStream fresh;
    ExportStream::Member place;
    fresh.join(place);
    old.copy_rest(member, fresh);
    fresh.append(bytes_of("|next"), {});
    CHECK(take(fresh, place, 100) == "written|next");
}

TEST_CASE("random readers of a stream miss and repeat nothing") {
    const unsigned seed = std::random_device()();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    ExportStream stream;
    std::map<std::uint32_t, std::string> expected;
    std::map<std::uint32_t, std::string> got;
    std::array<ExportStream::Member, 4> members;
    for (auto& member : members)
        stream.join(member);
    for (int step = 0; step < 3000; ++step) {
        const std::string text(1 + random() % 3000, static_cast<char>('a' + random() % 26));
        Audience audience;
        audience.kind = static_cast<Audience::Kind>(random() % 3);
        if (audience.kind != Audience::Kind::all) audience.member = members[random() % 4].number;
        stream.append(bytes_of(text), audience);
        for (auto& member : members) {
            if (audience.includes(member.number)) expected[member.number] += text;
        }
        auto& reader = members[random() % 4];
        got[reader.number] += take(stream, reader, random() % 6000);
    }
    for (auto& member : members) {
        while (!stream.drained(member))
            got[member.number] += take(stream, member, 100'000);
        CHECK(got[member.number] == expected[member.number]);
    }
    CHECK(stream.bytes() == 0);
}

}  // namespace tern::bgp
