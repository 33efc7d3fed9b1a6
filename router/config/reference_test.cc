#include "router/config/reference.h"

#include "router/config/test_protocol.h"

#include <catch2/catch.hpp>

namespace tern::config {

TEST_CASE("the reference lists every option with its default and effect") {
    testing::Bench bench;
    const std::string text = write_reference(bench.registry());
    CHECK(text.find("| `hold time` | `NUM`, 3 to 65535 | 240 | hold time | restart |") !=
          std::string::npos);
    CHECK(text.find("| `mode` | `SWITCH \\| slow \\| very fast` | off | speed | nothing |") !=
          std::string::npos);
    CHECK(text.find("## protocol tube") != std::string::npos);
    CHECK(text.find("| `gc threshold` |") != std::string::npos);
    CHECK(text.find("refused: `cork threshold`") != std::string::npos);
}

TEST_CASE("every common option is documented") {
    for (const Rows rows : {channel_rows(), protocol_rows(), table_rows()}) {
        for (const OptionRow& row : rows) {
            INFO(row.words);
            CHECK_FALSE(row.doc.empty());
        }
    }
}

}  // namespace tern::config
