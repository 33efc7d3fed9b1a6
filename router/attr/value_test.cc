#include "router/attr/value.h"

#include "alloc/arena.h"
#include "router/attr/attribute_text.h"
#include "router/attr/community_set.h"
#include "router/attr/core_attributes.h"
#include "router/attr/next_hop.h"

#include <array>

#include <catch2/catch.hpp>

namespace tern::attr {
namespace {

std::vector<std::uint8_t> wire(const std::vector<std::uint32_t>& words) {
    std::vector<std::uint8_t> bytes(words.size() * 4);
    for (std::size_t i = 0; i < words.size(); ++i)
        store_u32(bytes.data() + i * 4, words[i]);
    return bytes;
}

TEST_CASE("values print as the filter language does") {
    CHECK(to_text(Value()) == "(void)");
    CHECK(to_text(Value::of_bool(true)) == "TRUE");
    CHECK(to_text(Value::of_int(4294967295)) == "4294967295");
    CHECK(to_text(Value::of_pair(1, 2)) == "(1,2)");
    CHECK(to_text(Value::of_word(ValueType::quad, 0x01020304)) == "1.2.3.4");
    CHECK(to_text(Value::of_lc({1, 2, 3})) == "(1, 2, 3)");
    CHECK(to_text(Value::of_string("a b")) == "a b");
    CHECK(to_text(Value::of_word(ValueType::enum_rts, 11)) == "(enum 31)11");
    const std::array<std::uint8_t, 2> octets = {0x00, 0x11};
    CHECK(to_text(Value::of_bytes(ValueType::bytestring, octets)) == "00:11");
    const auto path = wire({0x02020000, 0x00060000, 0x00050000});
    CHECK(to_text(Value::of_bytes(ValueType::as_path, Bytes(path).first(10))) == "(path 6 5)");
    const auto list = wire({0x00010002});
    CHECK(to_text(Value::of_bytes(ValueType::community_list, list)) == "(clist (1,2))");
    CHECK(to_text(Value::of_bytes(ValueType::community_list, {})) == "(clist )");
    const auto extended = wire({0x00020001, 2});
    CHECK(to_text(Value::of_bytes(ValueType::extended_list, extended)) == "(eclist (rt, 1, 2))");
    const auto large = wire({1, 2, 3});
    CHECK(to_text(Value::of_bytes(ValueType::large_list, large)) == "(lclist (1, 2, 3))");
}

TEST_CASE("extended communities print by kind (RFC 4360, RFC 5668)") {
    const auto text = [](std::uint64_t ec) { return to_text(Value::of_ec(ec)); };
    CHECK(text(ec_as2(2, 1, 2)) == "(rt, 1, 2)");
    CHECK(text(ec_as2(3, 65000, 70000)) == "(ro, 65000, 70000)");
    CHECK(text(ec_ip4(2, 0x01020304, 5)) == "(rt, 1.2.3.4, 5)");
    CHECK(text(ec_as4(2, 70000, 5)) == "(rt, 70000, 5)");
    CHECK(text(0x4102'0102'0304'0005) == "(unknown 0x4102, 1.2.3.4, 5)");
    CHECK(text(0x0000'0123'0000'0005) == "(unknown 0x0, 291, 5)");
    CHECK(text(0x4300'0000'0000'0001) == "(generic, 0x43000000, 0x1)");
}

TEST_CASE("undefined is equal to nothing and order needs equal types") {
    CHECK_FALSE(equal(Value(), Value()));
    CHECK_FALSE(equal(Value::of_int(1), Value::of_bool(true)));
    CHECK(equal(Value::of_string("x"), Value::of_string("x")));
    CHECK(compare(Value::of_int(1), Value::of_int(2)) == -1);
    CHECK(compare(Value::of_string("b"), Value::of_string("a")) == 1);
    CHECK_FALSE(compare(Value::of_int(1), Value::of_bool(true)));
    CHECK_FALSE(compare(Value(), Value()));
}

TEST_CASE("community lists keep order, ignore duplicates and can be sorted") {
    alloc::Arena arena;
    const auto bytes = wire({5, 3});
    const Communities list(bytes);
    CHECK(Communities(list.added(arena, 3)).size() == 2);
    const Communities longer(list.added(arena, 4));
    REQUIRE(longer.size() == 3);
    CHECK(longer.at(2) == 4);
    CHECK(longer.min() == 3U);
    CHECK(longer.max() == 5U);
    const Communities sorted(longer.sorted(arena));
    CHECK(sorted.at(0) == 3);
    CHECK(sorted.at(2) == 5);
    CHECK(Communities(longer.removed(arena, 5)).at(0) == 3);
    CHECK(Communities(list.merged(arena, sorted)).size() == 3);
    CHECK(Communities(longer.filtered(arena, [](std::uint32_t c) { return c == 4; })).size() == 1);
}

TEST_CASE("attributes print as in show route all") {
    AttributeRegistry registry;
    register_core_attributes(registry);
    const auto text = [&registry](const AttributeRef& ref) {
        std::string out;
        append_attribute_value(out, registry.find(ref.id), ref);
        return out;
    };
    CHECK(text({.id = core::source, .type = ValueType::enum_rts, .word = 11}) == "BGP");
    CHECK(text({.id = core::local_metric, .type = ValueType::int_, .word = metric_unknown}) ==
          "unknown");
    CHECK(text({.id = custom_base, .type = ValueType::bool_, .word = 1}) == "<type a1>");
    CHECK(text({.id = custom_base, .type = ValueType::pair}) == "<type a5>");
    CHECK(text({.id = custom_base, .type = ValueType::prefix}) == "<type b0>");
    CHECK(text({.id = custom_base, .type = ValueType::bytestring}) == "<type cc>");
    CHECK(text({.id = custom_base, .type = ValueType::opaque, .bytes = as_bytes("ab")}) == "61 62");
    CHECK(attribute_name(registry, core::from) == "from");
    CHECK(attribute_name(registry, bgp_base + 0xc8) == "bgp_unknown_0xc8");
}

TEST_CASE("custom attributes keep their id and refuse another type") {
    AttributeRegistry registry;
    register_core_attributes(registry);
    const AttributeId id = registry.add_custom("mine", ValueType::int_).value();
    CHECK(registry.add_custom("mine", ValueType::int_).value() == id);
    CHECK_FALSE(registry.add_custom("mine", ValueType::ip));
    CHECK_FALSE(registry.add_custom("from", ValueType::ip));
    CHECK(registry.add_alias("named", bgp_base + 200, ValueType::bytestring).value() ==
          bgp_base + 200);
    CHECK(registry.find("named")->id == bgp_base + 200);
    CHECK(registry.find(bgp_base + 200) == nullptr);
}

NextHop hop(std::uint32_t gateway, std::uint32_t interface, std::uint16_t weight) {
    NextHop h;
    h.gateway = net::IpAddress::v4(gateway);
    h.interface = InterfaceId(interface);
    h.weight = weight;
    return h;
}

TEST_CASE("next hops are encoded in canonical order") {
    NextHopListBuilder builder;
    const NextHopListView list(
        builder.multipath({hop(2, 1, 1), hop(1, 1, 1), hop(3, 1, 256), hop(2, 1, 5)}, 10));
    REQUIRE(list.count() == 3);
    CHECK(list.unicast());
    CHECK(list.canonical());
    const std::vector<NextHop> hops = list.to_vector();
    CHECK(hops[0] == hop(3, 1, 256));
    CHECK(hops[1] == hop(2, 1, 5));
    CHECK(hops[2] == hop(1, 1, 1));
    CHECK(list.front() == hops[0]);
}

TEST_CASE("labels and flags of next hops survive") {
    NextHop labelled = hop(1, 2, 1);
    labelled.onlink = true;
    labelled.labels = {.count = 2, .labels = {100, 200}};
    NextHopListBuilder builder;
    CHECK(NextHopListView(builder.single(labelled)).front() == labelled);
    const NextHopListView drop(builder.destination(Destination::blackhole));
    CHECK(drop.count() == 0);
    CHECK_FALSE(drop.unicast());
    CHECK(destination_name(drop.destination()) == "blackhole");
    CHECK_FALSE(NextHopListView().present());
}

TEST_CASE("a recursive next hop is decoded or refused") {
    const RecursiveNextHop hop_in{.host = net::IpAddress::v4(9),
                                  .link_local = net::IpAddress::v6(1, 2),
                                  .table = 7,
                                  .labels = {.count = 1, .labels = {3}}};
    std::vector<std::uint8_t> bytes;
    hop_in.encode(bytes);
    CHECK(RecursiveNextHop::decode(bytes) == hop_in);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(RecursiveNextHop::decode(Bytes(bytes).first(size)));
    }
}

TEST_CASE("enumeration constants are found by name") {
    CHECK(find_enum_constant("RTS_BGP")->value == 11);
    CHECK(find_enum_constant("NET_NEIGHBOR")->value == 13);
    CHECK_FALSE(find_enum_constant("RTD_ROUTER"));
}

}  // namespace
}  // namespace tern::attr
