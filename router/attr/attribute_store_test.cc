#include "router/attr/attribute_store.h"

#include "alloc/arena.h"
#include "router/attr/core_attributes.h"
#include "router/base/random.h"

#include <map>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::attr {
namespace {

constexpr AttributeId local_pref = bgp_base + 5;
constexpr AttributeId path = bgp_base + 2;

TEST_CASE("equal lists give the same set, however they were built") {
    AttributeStore store;
    alloc::Arena arena;
    AttributeList a(arena, nullptr);
    a.set_word(local_pref, ValueType::int_, 100);
    a.set_bytes(path, ValueType::as_path, as_bytes("abcdef"));
    AttributeList b(arena, nullptr);
    b.set_bytes(path, ValueType::as_path, as_bytes("x"));
    b.set_bytes(path, ValueType::as_path, as_bytes("abcdef"));
    b.set_word(core::igp_metric, ValueType::int_, 1);
    b.unset(core::igp_metric);
    b.set_word(local_pref, ValueType::int_, 100);
    const AttributeSet* first = store.intern(a);
    const AttributeSet* second = store.intern(b);
    CHECK(first == second);
    CHECK(first->uses() == 2);
    CHECK(first->count() == 2);
    CHECK(first->word_or(local_pref, 0) == 100);
    CHECK(as_text(first->bytes(path)) == "abcdef");
    CHECK(first->at(0).id == path);
    CHECK_FALSE(first->has(core::source));
    CHECK(store.stats().sets == 1);
    store.release(first, 2);
    CHECK(store.stats().sets == 0);
}

TEST_CASE("flags and types are part of a set's identity") {
    AttributeStore store;
    alloc::Arena arena;
    AttributeList list(arena, nullptr);
    list.set({.id = path, .type = ValueType::opaque, .flags = 0xc0, .bytes = as_bytes("a")});
    const AttributeSet* plain = store.intern(list);
    list.set({.id = path, .type = ValueType::opaque, .flags = 0xe0, .bytes = as_bytes("a")});
    const AttributeSet* partial = store.intern(list);
    CHECK(plain != partial);
    CHECK(partial->find(path)->flags == 0xe0);
    store.release(plain);
    store.release(partial);
}

TEST_CASE("an overlay hides, removes and adds without touching its base") {
    AttributeStore store;
    alloc::Arena arena;
    AttributeList base_list(arena, nullptr);
    base_list.set_word(10, ValueType::int_, 1);
    base_list.set_word(20, ValueType::int_, 2);
    const AttributeSet* base = store.intern(base_list);
    AttributeList list(arena, base);
    CHECK_FALSE(list.modified());
    const AttributeSet* same = store.intern(list);
    CHECK(same == base);
    list.unset(10);
    list.set_word(15, ValueType::int_, 3);
    CHECK_FALSE(list.has(10));
    CHECK(list.fresh(15));
    CHECK_FALSE(list.fresh(20));
    CHECK(list.find(20)->word == 2);
    std::vector<AttributeId> ids;
    list.for_each([&ids](const AttributeRef& ref) { ids.push_back(ref.id); });
    CHECK(ids == std::vector<AttributeId>{15, 20});
    list.set_word(10, ValueType::int_, 1);
    list.unset(15);
    const AttributeSet* again = store.intern(list);
    CHECK(again == base);
    store.release(base, 3);
}

TEST_CASE("values of every storable type come back from a set") {
    AttributeStore store;
    alloc::Arena arena;
    AttributeList list(arena, nullptr);
    const Value values[] = {Value::of_int(7),
                            Value::of_bool(true),
                            Value::of_pair(1, 2),
                            Value::of_ec(3),
                            Value::of_lc({1, 2, 3}),
                            Value::of_ip(net::IpAddress::v4(5)),
                            Value::of_prefix(net::Prefix::ip4(0x0a000000, 8)),
                            Value::of_prefix(net::Prefix::ip6(0x2001, 0, 64)),
                            Value::of_rd(net::RouteDistinguisher(9)),
                            Value::of_mac(net::MacAddress(10)),
                            Value::of_string("text"),
                            Value::of_bytes(ValueType::bytestring, as_bytes("b")),
                            Value::of_word(ValueType::enum_rts, 11)};
    AttributeId id = custom_base;
    for (const Value& value : values)
        list.set_value(id++, value);
    const AttributeSet* set = store.intern(list);
    id = custom_base;
    for (const Value& value : values) {
        INFO(type_name(value.type()));
        CHECK(equal(set->find(id)->value(), value));
        CHECK(equal(list.find(id)->value(), value));
        ++id;
    }
    store.release(set);
}

TEST_CASE("payloads of every length stand side by side, and words between them do no harm") {
    AttributeStore store;
    alloc::Arena arena;
    AttributeList list(arena, nullptr);
    list.set_bytes(10, ValueType::string, {});
    list.set_word(11, ValueType::int_, 7);
    list.set_bytes(12, ValueType::string, as_bytes("abc"));
    list.set_word(13, ValueType::int_, 8);
    list.set_word(14, ValueType::int_, 9);
    list.set_bytes(15, ValueType::string, as_bytes("d"));
    list.set_word(16, ValueType::int_, 10);
    const AttributeSet* set = store.intern(list);
    CHECK(set->bytes(10).empty());
    CHECK(as_text(set->bytes(12)) == "abc");
    CHECK(as_text(set->bytes(15)) == "d");
    CHECK(set->word_or(16, 0) == 10);
    CHECK(set->size() == sizeof(AttributeSet) + 7 * 8 + 4);
    store.release(set);
}

TEST_CASE("an address takes the bytes of its family") {
    AttributeStore store;
    alloc::Arena arena;
    AttributeList list(arena, nullptr);
    const auto v6 = net::IpAddress::v6(0x2001'0db8ULL << 32, 1);
    list.set_ip(10, net::IpAddress::v4(0x0a000001));
    list.set_ip(11, v6);
    const AttributeSet* set = store.intern(list);
    CHECK(set->bytes(10).size() == 4);
    CHECK(set->ip(10) == net::IpAddress::v4(0x0a000001));
    CHECK(set->ip(11) == v6);
    CHECK(set->ip(12).is_zero());
    store.release(set);
}

TEST_CASE("a next hop comes back with all of its parts, and takes no room for those it lacks") {
    NextHop bare;
    bare.gateway = net::IpAddress::v4(0x0a000001);
    bare.interface = InterfaceId(7);
    NextHop full;
    full.gateway = net::IpAddress::v6(0xfe80ULL << 48, 1);
    full.interface = InterfaceId(3);
    full.weight = 256;
    full.onlink = true;
    full.labels.count = 2;
    full.labels.labels = {16, 17};
    const NextHop direct{.gateway = {}, .interface = InterfaceId(9), .labels = {}};
    NextHopListBuilder builder;
    for (const NextHop& hop : {bare, full, direct})
        CHECK(NextHopListView(builder.single(hop)).front() == hop);
    CHECK(builder.single(bare).size() == NextHopListView::header_size + 9);
    const NextHopListView all(builder.multipath({bare, full, direct}, 3));
    CHECK(all.to_vector() == std::vector<NextHop>{full, direct, bare});
}

std::vector<std::uint8_t> random_bytes(Random& random, std::uint64_t limit) {
    std::vector<std::uint8_t> bytes(random.below(limit));
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random.below(2));
    return bytes;
}

TEST_CASE("random sets are shared exactly if their contents are equal") {
    AttributeStore store;
    alloc::Arena arena;
    Random random(4);
    std::map<std::vector<std::uint8_t>, std::pair<const AttributeSet*, std::uint32_t>> twin;
    for (int i = 0; i < 30000; ++i) {
        arena.reset();
        const auto bytes = random_bytes(random, random.one_in(50) ? 5000 : 12);
        AttributeList list(arena, nullptr);
        list.set_borrowed(path, ValueType::as_path, bytes);
        const AttributeSet* set = store.intern(list);
        const auto known = twin.find(bytes);
        if (known == twin.end()) {
            twin[bytes] = {set, 1};
        } else {
            REQUIRE(known->second.first == set);
            ++known->second.second;
        }
        REQUIRE(same_bytes(set->bytes(path), bytes));
        if (twin.size() > 500 && !twin.empty()) {
            const auto victim = std::next(twin.begin(), static_cast<long>(random.below(200)));
            store.release(victim->second.first, victim->second.second);
            twin.erase(victim);
        }
        if (i % 100 == 0) locking::rcu::reclaim(100);
    }
    CHECK(store.stats().sets == twin.size());
    for (const auto& [bytes, entry] : twin)
        store.release(entry.first, entry.second);
    locking::rcu::drain();
    CHECK(store.stats().retired == 0);
    CHECK(store.stats().bytes == 0);
}

TEST_CASE("threads intern and release the same sets") {
    AttributeStore store;
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&store, t] {
            alloc::Arena arena;
            Random random(t);
            for (int i = 0; i < 20000; ++i) {
                arena.reset();
                AttributeList list(arena, nullptr);
                list.set_word(local_pref, ValueType::int_,
                              static_cast<std::uint32_t>(random.below(4)));
                const AttributeSet* set = store.intern(list);
                store.add_use(set);
                store.release(set);
                store.release(set);
                if (i % 64 == 0) locking::rcu::reclaim(8);
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(store.stats().sets == 0);
}

}  // namespace
}  // namespace tern::attr
