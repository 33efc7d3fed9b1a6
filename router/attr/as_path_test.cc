#include "router/attr/as_path.h"

#include "alloc/arena.h"
#include "router/attr/as_path_mask.h"
#include "router/base/random.h"

#include <vector>

#include <catch2/catch.hpp>

namespace tern::attr {
namespace {

using Kind = MaskItem::Kind;

struct Path {
    std::vector<std::uint8_t> bytes;

    Path& add(SegmentType type, const std::vector<std::uint32_t>& numbers) {
        bytes.push_back(static_cast<std::uint8_t>(type));
        bytes.push_back(static_cast<std::uint8_t>(numbers.size()));
        for (const std::uint32_t n : numbers) {
            for (int shift = 24; shift >= 0; shift -= 8)
                bytes.push_back(static_cast<std::uint8_t>(n >> shift));
        }
        return *this;
    }

    [[nodiscard]] AsPathView view() const { return AsPathView(bytes); }
};

std::string text(Bytes path) {
    std::string out;
    append_path_text(out, AsPathView(path));
    return out;
}

const Path mixed = Path()
                       .add(SegmentType::confed_sequence, {64512, 64513})
                       .add(SegmentType::sequence, {1, 2, 3})
                       .add(SegmentType::set, {4, 5});

TEST_CASE("path lengths follow RFC 4271 section 9.1.2.2 and RFC 5065 section 5.3") {
    CHECK(mixed.view().length() == 4);
    CHECK(mixed.view().length_with_confederation() == 6);
    CHECK(AsPathView().length() == 0);
}

TEST_CASE("paths print with braces for sets and parentheses for confederations") {
    CHECK(text(mixed.bytes) == "(64512 64513) 1 2 3 {4 5}");
    CHECK(text(Path().add(SegmentType::confed_set, {6}).bytes) == "({6})");
    CHECK(text({}).empty());
}

TEST_CASE("the ends of a path") {
    CHECK(mixed.view().first().value() == 0);
    CHECK(mixed.view().first_outside_confederation().value() == 1);
    CHECK(mixed.view().last().value() == 0);
    CHECK(mixed.view().last_nonaggregated().value() == 3);
    const Path plain = Path().add(SegmentType::sequence, {7, 8});
    CHECK(plain.view().first().value() == 7);
    CHECK(plain.view().last().value() == 8);
    CHECK(plain.view().count(AsNumber(8)) == 1);
    CHECK_FALSE(plain.view().contains(AsNumber(9)));
}

TEST_CASE("malformed paths are noticed (RFC 4271 section 6.3)") {
    CHECK(mixed.view().well_formed());
    const std::vector<std::vector<std::uint8_t>> bad = {
        {2}, {2, 0}, {2, 1, 0, 0, 0}, {9, 1, 0, 0, 0, 1}, {2, 1, 0, 0, 0, 1, 2}};
    for (const auto& bytes : bad)
        CHECK_FALSE(AsPathView(bytes).well_formed());
}

TEST_CASE("prepending joins the first segment until it is full (RFC 4271 section 5.1.2)") {
    alloc::Arena arena;
    const auto add = [&arena](Bytes path, std::uint32_t as, unsigned times) {
        return prepend(arena, AsPathView(path), AsNumber(as), times, SegmentType::sequence);
    };
    CHECK(text(add({}, 5, 1)) == "5");
    CHECK(text(add(add({}, 5, 1), 6, 2)) == "6 6 5");
    CHECK(text(add(mixed.bytes, 9, 1)) == "9 (64512 64513) 1 2 3 {4 5}");
    CHECK(add(mixed.bytes, 9, 0).size() == mixed.bytes.size());
    Bytes path;
    for (unsigned i = 1; i <= 600; ++i) {
        path = add(path, i, 1);
        REQUIRE(AsPathView(path).well_formed());
        REQUIRE(AsPathView(path).length() == i);
        REQUIRE(AsPathView(path).first().value() == i);
        REQUIRE(AsPathView(path).last().value() == 1);
    }
    CHECK(path.size() == 600 * 4 + 3 * 2);
    const Bytes many = add(add({}, 1, 200), 2, 700);
    CHECK(AsPathView(many).well_formed());
    CHECK(AsPathView(many).length() == 900);
}

TEST_CASE("filtering drops members and empty segments") {
    alloc::Arena arena;
    CHECK(text(filter_path(arena, mixed.view(), [](AsNumber as) { return as.value() > 3; })) ==
          "(64512 64513) {4 5}");
    CHECK(text(strip_confederation(arena, mixed.view())) == "1 2 3 {4 5}");
}

TEST_CASE("AS4_PATH replaces the tail of AS_PATH (RFC 6793 section 4.2.3)") {
    alloc::Arena arena;
    const Path old = Path().add(SegmentType::sequence, {1, 23456, 23456});
    const Path wide = Path().add(SegmentType::sequence, {70000, 80000});
    CHECK(text(merge_as4(arena, old.view(), wide.view())) == "1 70000 80000");
    const Path longer = Path().add(SegmentType::sequence, {1, 2, 3, 4});
    CHECK(text(merge_as4(arena, old.view(), longer.view())) == "1 23456 23456");
}

MaskItem number(std::uint32_t n) {
    return {.kind = Kind::number, .repeated = false, .ranges = {{n, n}}};
}

MaskItem any_number() {
    return {.kind = Kind::asterisk, .repeated = false, .ranges = {}};
}

TEST_CASE("masks print in canonical form") {
    MaskItem repeated = number(2);
    repeated.repeated = true;
    const AsPathMask mask(
        {number(1),
         repeated,
         {.kind = Kind::set, .repeated = false, .ranges = {{4, 4}, {3, 3}, {9, 9}}},
         {.kind = Kind::range, .repeated = false, .ranges = {{5, 7}}},
         any_number(),
         {.kind = Kind::question, .repeated = false, .ranges = {}}});
    CHECK(mask.to_string() == "[= 1 2 + [3, 4, 9] 5..7 * ? =]");
    CHECK(AsPathMask().to_string() == "[= =]");
}

TEST_CASE("masks match whole paths") {
    const Path path = Path().add(SegmentType::sequence, {1, 2, 3});
    CHECK(AsPathMask({number(1), number(2), number(3)}).matches(path.view()));
    CHECK_FALSE(AsPathMask({number(1), number(2)}).matches(path.view()));
    CHECK(AsPathMask({any_number(), number(3)}).matches(path.view()));
    CHECK(AsPathMask({any_number()}).matches(AsPathView()));
    CHECK(AsPathMask().matches(AsPathView()));
    CHECK_FALSE(
        AsPathMask({{.kind = Kind::set, .repeated = false, .ranges = {}}}).matches(path.view()));
    CHECK(AsPathMask({any_number(), number(5)}).matches(mixed.view()));
}

bool slow_match(const std::vector<MaskItem>& items,
                std::size_t i,
                const std::vector<std::uint32_t>& path,
                std::size_t at) {
    if (i == items.size()) return at == path.size();
    if (items[i].kind == Kind::asterisk) {
        return slow_match(items, i + 1, path, at) ||
               (at < path.size() && slow_match(items, i, path, at + 1));
    }
    if (at == path.size()) return false;
    const bool fits = items[i].kind == Kind::question ||
                      (items[i].ranges[0].low <= path[at] && path[at] <= items[i].ranges[0].high);
    if (!fits) return false;
    return slow_match(items, i + 1, path, at + 1) ||
           (items[i].repeated && slow_match(items, i, path, at + 1));
}

TEST_CASE("random masks agree with a recursive matcher") {
    Random random(21);
    for (int round = 0; round < 20000; ++round) {
        std::vector<MaskItem> items;
        for (std::uint64_t i = random.below(6); i > 0; --i) {
            const auto low = static_cast<std::uint32_t>(random.between(1, 3));
            const auto kind = static_cast<Kind>(random.below(5));
            if (kind == Kind::set) continue;
            items.push_back({.kind = kind,
                             .repeated = kind != Kind::asterisk && random.one_in(3),
                             .ranges = {{low, kind == Kind::range ? low + 1 : low}}});
        }
        std::vector<std::uint32_t> numbers;
        for (std::uint64_t i = random.below(7); i > 0; --i) {
            numbers.push_back(static_cast<std::uint32_t>(random.between(1, 3)));
        }
        const Path path = numbers.empty() ? Path() : Path().add(SegmentType::sequence, numbers);
        const AsPathMask mask(items);
        INFO(mask.to_string() << " on " << text(path.bytes));
        REQUIRE(mask.matches(path.view()) == slow_match(items, 0, numbers, 0));
    }
}

}  // namespace
}  // namespace tern::attr
