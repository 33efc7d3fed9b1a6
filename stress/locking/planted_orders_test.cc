// 40 programs with a planted mistake of order: each aborts at the first bad acquisition, whether or
// not the other order was ever seen. And programs that only look wrong: none aborts. What other
// tools make of the same programs is row L5 of the benchmark.

#include "stress/locking/planted_orders.h"

#include "locking/death_test.h"
#include "stress/locking/planted_orders_tern.h"

#include <catch2/catch.hpp>

namespace tern::stress {
namespace {

using locking::death_of;

TEST_CASE("AT-LOCK-11 planted mistakes of order are found at the first bad acquisition",
          "[AT-LOCK-11]") {
    const std::vector<PlantedProgram> programs = planted_programs();
    CHECK(programs.size() == 40);
    for (const PlantedProgram& program : programs) {
        INFO(program.name);
        const locking::Death death = death_of([&] { PlantedRun<TernLock>().run(program); });
        std::string chain;
        for (const std::string& each : program.chains) {
            if (each.find('!') != std::string::npos) chain = each;
        }
        const std::string place =
            std::string(planted_place) + ":" + std::to_string(chain.find('!') + 1);
        CHECK(death.says(place + ": lock order violated"));
    }
}

TEST_CASE("AT-LOCK-11 what only looks like a mistake of order is none", "[AT-LOCK-11]") {
    for (const PlantedProgram& program : correct_programs()) {
        INFO(program.name);
        CHECK_FALSE(program.planted());
        const locking::Death death = death_of([&] { PlantedRun<TernLock>().run(program); });
        CHECK_FALSE(death.aborted);
        CHECK(death.report.empty());
    }
}

}  // namespace
}  // namespace tern::stress
