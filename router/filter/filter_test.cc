#include "router/filter/bytecode.h"
#include "router/filter/extended.h"
#include "router/filter/filter_set.h"
#include "router/filter/validation.h"
#include "router/filter/value_ops.h"

#include <catch2/catch.hpp>

namespace tern::filter {
namespace {

using attr::Value;

class Roas final : public RoaSource {
  public:
    void visit_covering(const net::Prefix& prefix, RoaVisitor& visitor) const override {
        for (const Roa& roa : roas) {
            if (roa.prefix.contains(prefix) && !visitor.visit(roa)) return;
        }
    }

    std::vector<Roa> roas;
};

class Providers final : public AspaSource {
  public:
    [[nodiscard]] Authorization authorization(std::uint32_t customer,
                                              std::uint32_t provider) const override {
        bool attested = false;
        for (const auto& [from, to] : pairs) {
            if (from != customer) continue;
            if (to == provider) return Authorization::provider;
            attested = true;
        }
        return attested ? Authorization::not_provider : Authorization::no_attestation;
    }

    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
};

}  // namespace

TEST_CASE("an interval set merges what overlaps and finds what it holds") {
    const IntervalSet set(std::vector<SetInterval>{
        {{0, 5}, {0, 7}}, {{0, 1}, {0, 1}}, {{0, 2}, {0, 5}}, {{0, 9}, {0, 9}}});
    CHECK(set.intervals().size() == 3);
    for (std::uint32_t i = 0; i < 12; ++i) {
        CHECK(set.contains32(i) == ((i >= 1 && i <= 7) || i == 9));
    }
    const IntervalSet wide(std::vector<SetInterval>{{{1, 0}, {2, 0}}});
    CHECK(wide.contains({1, 99}));
    CHECK_FALSE(wide.contains32(0));
}

TEST_CASE("equality never fails and order does") {
    CHECK(values_equal(Value::of_int(3), Value::of_int(3)));
    CHECK_FALSE(values_equal(Value(), Value()));
    CHECK_FALSE(values_equal(Value::of_int(3), Value::of_string("3")));
    CHECK(values_equal(Value::of_word(attr::ValueType::quad, 0x01020304),
                       Value::of_ip(net::IpAddress::v4(0x01020304))));
    CHECK_FALSE(values_order(Value::of_int(1), Value::of_bool(true)));
    CHECK(values_order(Value::of_int(1), Value::of_int(2)) == -1);
}

TEST_CASE("patterns know star, question mark and backslash") {
    CHECK(pattern_matches("e*0", "eth0"));
    CHECK(pattern_matches("et?0", "eth0"));
    CHECK(pattern_matches("a\\*", "a*"));
    CHECK_FALSE(pattern_matches("a\\*", "ab"));
    CHECK_FALSE(pattern_matches("", "a"));
    CHECK(pattern_matches("*a*b*", "xxaxxbxx"));
}

// RFC 4360 section 3.
TEST_CASE("extended communities choose their form by the key") {
    const auto ec = [](const Value& key, std::uint32_t value) {
        return make_extended(EcKind::route_target, 0, key, Value::of_int(value));
    };
    CHECK(*ec(Value::of_int(1), 2) == 0x0002'0001'0000'0002U);
    CHECK(*ec(Value::of_int(70000), 2) == 0x0202'0001'1170'0002U);
    CHECK(*ec(Value::of_ip(net::IpAddress::v4(0x01020304)), 5) == 0x0102'0102'0304'0005U);
    CHECK_FALSE(ec(Value::of_int(70000), 70000));
}

TEST_CASE("RFC 6811 section 2: covered, matched, or neither") {
    Roas roas;
    const net::Prefix net = net::Prefix::ip4(0x0a010000, 16);
    CHECK(roa_check(roas, net, 1) == RoaState::unknown);
    roas.roas.push_back({net::Prefix::ip4(0x0a000000, 8), 12, 1});
    CHECK(roa_check(roas, net, 1) == RoaState::invalid);
    roas.roas.push_back({net::Prefix::ip4(0x0a000000, 8), 16, 1});
    CHECK(roa_check(roas, net, 1) == RoaState::valid);
    CHECK(roa_check(roas, net, 0) == RoaState::invalid);
}

TEST_CASE("ASPA allows one ramp up and one ramp down") {
    Providers providers;
    providers.pairs = {{1, 2}, {3, 2}};
    const std::uint32_t valley_free[] = {3, 2, 1};  // neighbour first
    CHECK(aspa_check(providers, valley_free, false) == AspaState::valid);
    CHECK(aspa_check(providers, valley_free, true) == AspaState::unknown);
    providers.pairs.push_back({2, 9});
    CHECK(aspa_check(providers, valley_free, true) == AspaState::invalid);
    const std::uint32_t leak[] = {2, 1, 4};
    providers.pairs.push_back({4, 9});
    CHECK(aspa_check(providers, leak, true) == AspaState::invalid);
    CHECK(aspa_check(providers, {}, false) == AspaState::invalid);
}

TEST_CASE("the stack checker refuses code that would go wrong") {
    FunctionCode code;
    code.constants.push_back(Value::of_int(1));
    code.code = {{Opcode::push_constant}, {Opcode::return_value}};
    CHECK(check_stack(code).ok);
    code.code = {{Opcode::add}, {Opcode::return_value}};
    CHECK_FALSE(check_stack(code).ok);
    code.code = {{Opcode::push_constant}};
    CHECK_FALSE(check_stack(code).ok);
    code.code = {{Opcode::push_constant, 0, 7}, {Opcode::return_value}};
    CHECK_FALSE(check_stack(code).ok);
    code.code = {{Opcode::push_constant}, {Opcode::jump, 0, 0}};
    CHECK_FALSE(check_stack(code).ok);
}

}  // namespace tern::filter
