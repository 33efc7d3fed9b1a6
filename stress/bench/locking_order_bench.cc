// Who finds mistakes in the order of locks: the planted programs of
// stress/locking/planted_orders.h, each in a process of its own, under tern's checks and under the
// tools that look for such mistakes.

#include "locking/death_test.h"
#include "stress/bench/locking_rows.h"
#include "stress/locking/planted_orders.h"
#include "stress/locking/planted_orders_tern.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tern::bench {
namespace {

using stress::PlantedProgram;

struct Found {
    double planted = 0;
    double falsely = 0;
};

/// Asks of each program whether it was reported; programs are numbered, planted ones first.
Found count(const std::function<bool(const PlantedProgram&, std::size_t)>& reported) {
    Found found;
    std::size_t number = 0;
    for (const PlantedProgram& program : stress::planted_programs())
        found.planted += reported(program, number++) ? 1 : 0;
    for (const PlantedProgram& program : stress::correct_programs())
        found.falsely += reported(program, number++) ? 1 : 0;
    return found;
}

Found of_tern() {
    return count([](const PlantedProgram& program, std::size_t) {
        const locking::Death death =
            locking::death_of([&] { stress::PlantedRun<stress::TernLock>().run(program); });
        return death.says("lock order violated");
    });
}

#ifdef TERN_PLANTED_ORDERS
/// A tool that looks for mistakes of order, as a command before the number of a program, and what
/// it says of one.
struct Tool {
    std::string command;
    const char* words;

    [[nodiscard]] std::string with(std::size_t number) const {
        return command + " " + std::to_string(number);
    }

    /// Runs a program that is beyond doubt; a tool that cannot would seem to find nothing.
    [[nodiscard]] bool works() const {
        const std::size_t first_correct = stress::planted_programs().size();
        return std::system((with(first_correct) + " > /dev/null 2>&1").c_str()) == 0;
    }

    [[nodiscard]] bool reports(std::size_t number) const {
        std::FILE* output = ::popen((with(number) + " 2>&1").c_str(), "r");
        if (output == nullptr) return false;
        std::string text;
        std::array<char, 4096> block;
        while (const std::size_t got = std::fread(block.data(), 1, block.size(), output))
            text.append(block.data(), got);
        ::pclose(output);
        return text.find(words) != std::string::npos;
    }
};

Tool thread_sanitizer() {
    return {"TSAN_OPTIONS='detect_deadlocks=1 second_deadlock_stack=1' " TERN_PLANTED_ORDERS_TSAN,
            "lock-order-inversion"};
}

Tool helgrind() {
    return {"valgrind -q --tool=helgrind " TERN_PLANTED_ORDERS, ": lock order "};
}
#endif

/// Every round would find the same, so a finder works once.
void add_finder(Row& planted,
                Row& falsely,
                std::string_view name,
                const std::function<Found()>& find) {
    const auto found = [find, once = std::make_shared<std::optional<Found>>()] {
        if (!once->has_value()) *once = find();
        return **once;
    };
    planted.add(name, [found] { return Sample(found().planted); });
    falsely.add(name, [found] { return Sample(found().falsely); });
}

#ifdef TERN_PLANTED_ORDERS
void add_tool(Row& planted, Row& falsely, std::string_view name, const Tool& tool) {
    if (!tool.works()) {
        planted.leave_out(name, "does not run here");
        falsely.leave_out(name, "does not run here");
        return;
    }
    add_finder(planted, falsely, name, [tool] {
        return count(
            [&tool](const PlantedProgram&, std::size_t number) { return tool.reports(number); });
    });
}
#endif

}  // namespace

void add_order_rows(Suite& suite) {
    Row planted{.id = "L5",
                .group = "orders",
                .text = "mistakes of lock order found, of 40 planted",
                .unit = "found",
                .target = {.value = 40},
                .better = Better::higher};
    Row falsely{.id = "L5b",
                .group = "orders",
                .text = "correct programs taken for wrong, of 12",
                .unit = "wrong",
                .target = {.value = 0}};
    add_finder(planted, falsely, "tern", of_tern);
#ifdef TERN_PLANTED_ORDERS
    add_tool(planted, falsely, "thread sanitizer", thread_sanitizer());
    add_tool(planted, falsely, "Helgrind", helgrind());
#endif
    suite.add(std::move(planted));
    suite.add(std::move(falsely));
}

}  // namespace tern::bench
