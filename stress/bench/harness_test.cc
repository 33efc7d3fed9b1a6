// The harness judges others, so its statistics, verdicts and texts are tested; what it measures is
// not.

#include "stress/bench/picture.h"
#include "stress/bench/report.h"
#include "stress/bench/result.h"
#include "stress/bench/suite.h"

#include <cmath>
#include <string>

#include <catch2/catch.hpp>

namespace tern::bench {
namespace {

Outcome outcome(std::string name, std::vector<double> values) {
    Outcome one;
    one.name = std::move(name);
    one.values = std::move(values);
    return one;
}

Result result_of(const Target& target, Better better = Better::lower) {
    Result result;
    result.row = {.id = "X1",
                  .group = "Some group",
                  .text = "a < b",
                  .unit = "ns",
                  .target = target,
                  .better = better};
    result.outcomes = {outcome("tern", {2, 4, 3}), outcome("slow", {8, 8, 8}),
                       outcome("near", {4, 4, 4})};
    conclude(result);
    return result;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

TEST_CASE("quantiles lie between neighbours by proportion") {
    CHECK(quantile({3, 1, 2}, 0.5) == Approx(2));
    CHECK(quantile({4, 1, 2, 3}, 0.5) == Approx(2.5));
    CHECK(quantile({1, 2, 3, 4, 5}, 0.25) == Approx(2));
    CHECK(quantile({7}, 0.99) == Approx(7));
    CHECK(std::isnan(quantile({}, 0.5)));
}

TEST_CASE("ratios are taken round by round") {
    const Result result = result_of({});
    const Outcome* near = result.find("near");
    REQUIRE(near != nullptr);
    CHECK(near->ratio.median == Approx(0.75));
    CHECK(near->ratio.low == Approx(0.625));
    CHECK(result.find("slow")->ratio.median == Approx(0.375));
}

TEST_CASE("the best peer is the one nearest to tern's side of the scale") {
    CHECK(result_of({}).best_peer == "near");
    CHECK(result_of({}, Better::higher).best_peer == "slow");
}

TEST_CASE("a verdict weighs value and ratio apart") {
    CHECK(result_of({}).verdict == Verdict::no_target);
    CHECK(result_of({.value = 3}).verdict == Verdict::met);
    CHECK(result_of({.value = 2.9}).verdict == Verdict::missed);
    CHECK(result_of({.value = 2.9, .ratio = 0.8}).verdict == Verdict::ratio_only);
    CHECK(result_of({.value = 3.0, .ratio = 0.5}).verdict == Verdict::value_only);
    CHECK(result_of({.value = 3.0, .ratio = 0.5, .peer = "slow"}).verdict == Verdict::met);
    CHECK(result_of({.value = 3.5}, Better::higher).verdict == Verdict::missed);
    CHECK(result_of({.value = 3}, Better::higher).verdict == Verdict::met);
}

TEST_CASE("a ratio to a peer that is not there is not asked for") {
    CHECK(result_of({.ratio = 0.5, .peer = "gone"}).verdict == Verdict::no_target);
    CHECK(result_of({.value = 3, .ratio = 0.5, .peer = "gone"}).verdict == Verdict::met);
}

TEST_CASE("contestants run in turn, the first round does not count") {
    std::string order;
    Row row{.id = "X1"};
    row.add("tern", [&] {
        order += 'a';
        return static_cast<double>(order.size());
    });
    row.add("peer", [&] {
        order += 'b';
        return Sample(1, 2);
    });
    row.leave_out("other", "not installed");
    const Result result = run_row(row, 2);
    CHECK(order == "ababab");
    REQUIRE(result.outcomes.size() == 2);
    CHECK(result.outcomes[0].values == std::vector<double>{3, 5});
    CHECK(result.outcomes[1].tail == Approx(2));
    REQUIRE(result.absent.size() == 1);
    CHECK(table_of(result).find("left out: not installed") != std::string::npos);
}

TEST_CASE("numbers have three digits, and four just above one") {
    CHECK(figure(4.8321) == "4.83");
    CHECK(figure(48.321) == "48.3");
    CHECK(figure(4832.1) == "4832");
    CHECK(figure(0.020514) == "0.0205");
    CHECK(figure(1.0157) == "1.016");
    CHECK(figure(1.1) == "1.10");
    CHECK(figure(0) == "0");
    CHECK(figure(nothing) == "-");
}

TEST_CASE("the CSV has every round and the JSON every contestant") {
    const std::vector<Result> results{result_of({.value = 3})};
    const std::string csv = csv_of(results);
    CHECK(count(csv, "\n") == 10);
    CHECK(csv.find("X1,ns,\"near\",3,4,\n") != std::string::npos);
    const std::string json = json_of(results, {.processor = "one \"fast\" core"});
    CHECK(json.find(R"("one \"fast\" core")") != std::string::npos);
    CHECK(count(json, "\"name\"") == 3);
    CHECK(json.find("\"verdict\": \"met\"") != std::string::npos);
    CHECK(json.find("nan") == std::string::npos);
}

TEST_CASE("the table for the documentation has a line per row, with the tails") {
    Result result = result_of({.value = 3});
    result.outcomes[1].tails = {30};
    conclude(result);
    const std::string table = markdown_of({result});
    CHECK(table.find("| X1 | a < b | 3.00 ns | slow 8.00 (p99 30.0), near 4.00 | 0.75 x near |") !=
          std::string::npos);
}

TEST_CASE("a picture has one bar per contestant and escapes its texts") {
    const std::vector<Result> results{result_of({.value = 3})};
    CHECK(groups_of(results) == std::vector<std::string>{"Some group"});
    CHECK(file_name_of("Some group, 4 KiB") == "some-group-4-kib");
    const std::string svg = picture_of(results, "Some group");
    CHECK(count(svg, "rx=\"2\"") == 3);
    CHECK(count(svg, "stroke-dasharray") == 1);
    CHECK(svg.find("a &lt; b") != std::string::npos);
    CHECK(svg.find("a < b") == std::string::npos);
}

TEST_CASE("a bar that is far too long is cut") {
    Result result = result_of({});
    result.outcomes[1].values = {4000, 4000, 4000};
    conclude(result);
    const std::string svg = picture_of({result}, "Some group");
    CHECK(count(svg, "stroke-width=\"2.5\"") == 2);
    CHECK(svg.find("4000 ns") != std::string::npos);
}

}  // namespace
}  // namespace tern::bench
