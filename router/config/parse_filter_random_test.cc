#include "router/base/random.h"
#include "router/config/filter_bench.h"
#include "router/filter/vm.h"

#include <array>

#include <catch2/catch.hpp>

namespace tern::config {

using testing::Bench;
using testing::TestEnvironment;

namespace {

/// Writes programs that the checker accepts; they may still fail at run time.
class Writer {
  public:
    explicit Writer(std::uint64_t seed) : random_(seed) {}

    std::string program() {
        std::string text = "function g(int a; bool b) -> int { int x = 1; ";
        variables_ = {"a", "x"};
        text += statements(2, true) + "return " + integer(2) + "; }\n";
        knows_h_ = true;
        text += "function h(int a; bool b) -> bool int x; { x = 3; " + statements(2, true) +
                "if a > 3 then return " + boolean(2) + "; }\n";
        variables_ = {"x", "y"};
        text += "filter f int x; { x = 7; int y = 2; " + statements(4, false) + "accept; }";
        return text;
    }

  private:
    unsigned pick(unsigned count) { return static_cast<unsigned>(random_.below(count)); }

    template <std::size_t size>
    std::string one_of(const std::array<const char*, size>& texts) {
        return texts[pick(size)];
    }

    std::string integer(unsigned depth) {
        if (depth == 0 || pick(4) == 0) {
            const unsigned kind = pick(4);
            if (kind == 0) return variables_[pick(static_cast<unsigned>(variables_.size()))];
            if (kind == 1) return one_of(std::array{"bgp_local_pref", "bgp_med", "preference"});
            if (kind == 2) return one_of(std::array{"bgp_path.len", "net.len", "bgp_path.last"});
            return fmt::format("{}", pick(20));
        }
        if (pick(8) == 0) {
            return fmt::format("g({}, {})", integer(depth - 1), boolean(depth - 1));
        }
        if (pick(8) == 0) return pair(depth - 1) + ".data";
        const std::string op = one_of(std::array{"+", "-", "*", "/", "|", "&"});
        return fmt::format("({} {} {})", integer(depth - 1), op, integer(depth - 1));
    }

    std::string pair(unsigned depth) { return fmt::format("({}, {})", integer(depth), integer(0)); }

    std::string set() { return one_of(std::array{"[1, 5..9]", "[65000..65010]", "[ ]", "[7]"}); }

    std::string boolean(unsigned depth) {
        if (depth == 0) return one_of(std::array{"true", "false", "defined(bgp_med)"});
        const unsigned less = depth - 1;
        switch (pick(10)) {
            case 0:
                return fmt::format("!({})", boolean(less));
            case 1:
                return fmt::format("({} && {})", boolean(less), boolean(less));
            case 2:
                return fmt::format("({} || {})", boolean(less), boolean(less));
            case 3:
                return fmt::format("{} ~ {}", integer(less), set());
            case 4:
                return fmt::format("net ~ [10.0.0.0/8{{{}, 24}}]", pick(20));
            case 5:
                return fmt::format("bgp_path ~ [= {} * ({}) =]", pick(3), integer(less));
            case 6:
                return fmt::format("{} ~ bgp_community", pair(less));
            case 7:
                if (!knows_h_) return "net.type = NET_IP4";
                return fmt::format("h({}, {})", integer(less), boolean(less));
            case 8:
                return fmt::format("(rt, {}, {}) = (ro, 1, 2)", integer(0), integer(0));
            default:
                return fmt::format("{} {} {}", integer(less),
                                   one_of(std::array{"=", "!=", "<", ">=", ">"}), integer(less));
        }
    }

    std::string statement(unsigned depth, bool function) {
        const unsigned less = depth == 0 ? 0 : depth - 1;
        switch (pick(depth == 0 ? 7 : 12)) {
            case 0:
                return fmt::format("x = {}; ", integer(2));
            case 1:
                return fmt::format("print {}, \" \", {}; ", integer(2), boolean(2));
            case 2:
                return fmt::format("bgp_med = {}; ", integer(2));
            case 3:
                return fmt::format("bgp_path.prepend({}); ", integer(1));
            case 4:
                return fmt::format("bgp_community.add({}); ", pair(1));
            case 5:
                return fmt::format("unset(bgp_med); bgp_large_community.add(({}, 1, 2)); ",
                                   integer(1));
            case 6:
                return fmt::format("bgp_path.delete({}); ", set());
            case 7:
                return fmt::format("if {} then {} else {} ", boolean(2), block(less, function),
                                   block(less, function));
            case 8:
                return fmt::format("case {} {{ 1, 4..6: {} 2: {} else: {} }} ", integer(2),
                                   block(less, function), block(less, function),
                                   block(less, function));
            case 9:
                return fmt::format("for int i{} in bgp_path do {} ", ++loops_,
                                   block(less, function));
            case 10:
                if (function) return fmt::format("if {} then reject; ", boolean(1));
                return fmt::format("if {} then accept {}; ", boolean(1), integer(1));
            default:
                return fmt::format("g({}, {}); ", integer(1), boolean(1));
        }
    }

    std::string block(unsigned depth, bool function) {
        return "{ " + statements(depth, function) + "}";
    }

    std::string statements(unsigned depth, bool function) {
        std::string text;
        for (unsigned i = pick(4) + 1; i > 0; --i)
            text += statement(depth, function);
        return text;
    }

    Random random_;
    std::vector<std::string> variables_;
    unsigned loops_ = 0;
    bool knows_h_ = false;
};

using Handler = bool (*)(filter::Machine&, filter::Instruction);

#define TERN_TEST_HANDLER(name, operands, pops, pushes, text) filter::ops::name,
constexpr auto handlers = std::to_array<Handler>({TERN_FILTER_OPCODES(TERN_TEST_HANDLER)});
#undef TERN_TEST_HANDLER

/// Runs a program step by step; the first instruction that does not do to the stack what the
/// table says, as text, or nothing.
std::string follow(const filter::FunctionCode& start, filter::RouteView& route) {
    TestEnvironment environment;
    std::vector<attr::Value> values(4096);
    filter::Machine m({&route, &environment, route.arena(), values, 64});
    m.code = &start;
    m.base = m.top;
    for (unsigned i = 0; i < start.slots; ++i)
        m.push(attr::Value());
    m.pc = start.code.data();
    std::vector<attr::Value*> returns;  // where the stack ends when the call is over
    for (unsigned steps = 0; steps < 20'000; ++steps) {
        const filter::FunctionCode* const code = m.code;
        const filter::Instruction i = *m.pc++;
        const filter::Instruction* const next = m.pc;
        attr::Value* const before = m.top;
        if (!handlers[static_cast<std::size_t>(i.op)](m, i)) return {};
        const filter::StackEffect effect = filter::stack_effect(i);
        attr::Value* wanted = before - effect.pops + effect.pushes;
        switch (i.op) {
            case filter::Opcode::and_else:
            case filter::Opcode::or_else:
            case filter::Opcode::next:
                if (m.pc != next) wanted = before;
                break;
            case filter::Opcode::call:
                returns.push_back(wanted);
                wanted = m.base + m.code->slots;
                break;
            case filter::Opcode::return_value:
                wanted = returns.back();
                returns.pop_back();
                break;
            default:
                break;
        }
        const auto above = m.top - (m.base + m.code->slots);
        if (m.top != wanted || above < 0 || above > m.code->max_depth) {
            return fmt::format("{} in {}", filter::info(i.op).name, code->name);
        }
    }
    return {};
}

}  // namespace

TEST_CASE("random programs treat the stack as the table of instructions says") {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        const std::string text = Writer(seed).program();
        Bench bench(text);
        INFO(text);
        const bool good = bench.definitions();
        // Constants are evaluated while reading, so a division by zero may already show.
        if (!good) {
            INFO(bench.parser->error().text);
            REQUIRE(bench.parser->error().text.starts_with("filter preevaluation"));
            continue;
        }
        const auto* const made = bench.config.scope().find("f")->as<const filter::Filter>();
        alloc::Arena arena;
        attr::AttributeList list(arena, nullptr);
        testing::fill(list);
        const net::Prefix net = net::Prefix::ip4(0x0a010200, 24);
        const filter::RouteFacts facts{"peer1", net::IpAddress::v4(0x0a000001), 11, 100};
        filter::RouteView route(list, net, facts);
        REQUIRE(follow(*made->code(), route).empty());
    }
}

TEST_CASE("the longest path a message can hold goes through all operations") {
    constexpr std::size_t size_max = 65535;
    std::vector<std::uint8_t> wire;
    std::uint32_t count = 0;
    while (wire.size() + 2 + 255 * 4 <= size_max) {
        wire.push_back(2);
        wire.push_back(255);
        for (unsigned i = 0; i < 255; ++i, ++count) {
            const std::uint32_t as = 100'000 + count % 1000;
            for (const unsigned shift : {24U, 16U, 8U, 0U})
                wire.push_back(static_cast<std::uint8_t>(as >> shift));
        }
    }
    Bench bench(
        "filter f int n; { n = 0; for int as in bgp_path do n = n + 1;"
        " print n = bgp_path.len, bgp_path ~ [= * 100007 * =], bgp_path ~ [= * 1 * =],"
        " bgp_path ~ [= 100000..100999+ =], bgp_path ~ [1..99999], 100999 ~ bgp_path;"
        " bgp_path.prepend(5); print bgp_path.first, bgp_path.len - n;"
        " print bgp_path.filter([100000]).len, bgp_path.delete([100000..100999]);"
        " print delete(bgp_path, 5) = bgp_path, format(bgp_path) = \"\"; accept; }");
    REQUIRE(bench.definitions());
    alloc::Arena arena;
    attr::AttributeList list(arena, nullptr);
    list.set_bytes(testing::bgp_path_id, attr::ValueType::as_path, wire);
    const net::Prefix net = net::Prefix::ip4(0x0a010200, 24);
    const filter::RouteFacts facts{"peer1", net::IpAddress::v4(0x0a000001), 11, 100};
    filter::RouteView route(list, net, facts);
    TestEnvironment environment;
    const auto* const made = bench.config.scope().find("f")->as<const filter::Filter>();
    CHECK(made->run(route, environment) == filter::Verdict::accept);
    CHECK(environment.lines ==
          std::vector<std::string>{"TRUETRUEFALSETRUEFALSETRUE", "51",
                                   fmt::format("{}(path 5)", (count + 999) / 1000), "FALSEFALSE"});
}

TEST_CASE("recursion ends at the bounds of the filter stacks") {
    const std::string text =
        "function down(int n) -> int { if n = 0 then return 0; return down(n - 1); }";
    const auto runs = [&text](unsigned values, unsigned calls, unsigned depth) {
        Bench bench(fmt::format("{} filter f {{ if down({}) = 0 then accept; }}", text, depth));
        bench.language.set_stacks(values, calls);
        REQUIRE(bench.definitions());
        alloc::Arena arena;
        attr::AttributeList list(arena, nullptr);
        const net::Prefix net = net::Prefix::ip4(0, 0);
        const filter::RouteFacts facts{};
        filter::RouteView route(list, net, facts);
        TestEnvironment environment;
        const auto* const made = bench.config.scope().find("f")->as<const filter::Filter>();
        const filter::Verdict verdict = made->run(route, environment);
        return verdict == filter::Verdict::accept ? std::string("accept") : environment.lines.at(0);
    };
    CHECK(runs(128, 128, 20) == "accept");
    CHECK(runs(128, 128, 1000) == "error in line 1: Value stack overflow");
    CHECK(runs(100'000, 30, 1000) == "error in line 1: Filter execution stack overflow");
    CHECK(runs(100'000, 20'000, 10'000) == "accept");
    CHECK(runs(1, 128, 1) == "error in line 1: Filter execution stack overflow");
}

}  // namespace tern::config
