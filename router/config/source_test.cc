#include "router/config/source.h"

#include <catch2/catch.hpp>

namespace tern::config {

TEST_CASE("a diagnostic shows the line and a caret under the column") {
    MemoryReader reader;
    SourceSet sources(reader);
    const std::uint32_t file = sources.add_text("f.conf", "one\n\ttwo three\n");
    const Diagnostic at = sources.explain({file, 2, 6}, "bad word");
    CHECK(at.summary() == "f.conf:2:6 bad word");
    CHECK(at.render() == "f.conf:2:6 bad word\n  \ttwo three\n  \t    ^");
}

TEST_CASE("a diagnostic without a place is its text") {
    Diagnostic d;
    d.text = "Unable to open";
    CHECK(d.summary() == "Unable to open");
    CHECK(d.render() == "Unable to open");
}

TEST_CASE("includes are relative to the including file") {
    MemoryReader reader;
    reader.add("/etc/b/x.conf", "");
    reader.add("/etc/b/y.conf", "");
    SourceSet sources(reader);
    const std::uint32_t file = sources.add_text("/etc/b/main", "");
    CHECK(*sources.resolve("x.conf", file) == std::vector<std::string>{"/etc/b/x.conf"});
    CHECK(*sources.resolve("/abs", file) == std::vector<std::string>{"/abs"});
    CHECK(sources.resolve("*.conf", file)->size() == 2);
    CHECK(sources.resolve("*.none", file)->empty());
}

}  // namespace tern::config
