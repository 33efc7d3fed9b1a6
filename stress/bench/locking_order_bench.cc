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
bool says(const std::string& command, const char* words) {
    std::FILE* output = ::popen((command + " 2>&1").c_str(), "r");
    if (output == nullptr) return false;
    std::string text;
    std::array<char, 4096> block;
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), output))
        text.append(block.data(), got);
    ::pclose(output);
    return text.find(words) != std::string::npos;
}

Found of_tool(const std::string& command, const char* words) {
    return count([&](const PlantedProgram&, std::size_t number) {
        return says(command + " " + std::to_string(number), words);
    });
}

Found of_thread_sanitizer() {
    return of_tool(
        "TSAN_OPTIONS='detect_deadlocks=1 second_deadlock_stack=1' " TERN_PLANTED_ORDERS_TSAN,
        "lock-order-inversion");
}

Found of_helgrind() {
    return of_tool("valgrind -q --tool=helgrind " TERN_PLANTED_ORDERS, ": lock order ");
}
#endif

/// Every round would find the same, so a finder works once.
void add_finder(Row& planted, Row& falsely, std::string_view name, Found (*find)()) {
    const auto found = [find, once = std::make_shared<std::optional<Found>>()] {
        if (!once->has_value()) *once = find();
        return **once;
    };
    planted.add(name, [found] { return Sample(found().planted); });
    falsely.add(name, [found] { return Sample(found().falsely); });
}

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
    add_finder(planted, falsely, "thread sanitizer", of_thread_sanitizer);
    if (std::system("valgrind --version > /dev/null 2>&1") == 0) {
        add_finder(planted, falsely, "Helgrind", of_helgrind);
    } else {
        planted.leave_out("Helgrind", "valgrind is not installed");
    }
#endif
    suite.add(std::move(planted));
    suite.add(std::move(falsely));
}

}  // namespace tern::bench
