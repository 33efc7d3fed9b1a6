#include "router/daemon/last_words.h"

#include "locking/check.h"
#include "locking/death_test.h"
#include "loops/sim_clock.h"
#include "router/base/log_sink.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

namespace tern::daemon {
namespace {

/// A log file that stays when the process that wrote it has gone.
struct LogFile {
    LogFile() { path = std::string(::mkdtemp(folder)) + "/log"; }

    ~LogFile() {
        ::unlink(path.c_str());
        ::rmdir(folder);
    }

    std::unique_ptr<LogSink> sink() const {
        return *make_file_sink({.path = path, .format = iso_long(SubSecond::none)});
    }

    std::string text() const {
        std::ostringstream all;
        all << std::ifstream(path).rdbuf();
        return all.str();
    }

    char folder[32] = "/tmp/tern-last-words-XXXXXX";
    std::string path;
};

/// Fails as soon as it is written to, as the handler of a full disk might.
struct FailingSink final : LogSink {
    void write(const Record&) override { TERN_ASSERT(false, "the sink fails"); }

    [[nodiscard]] std::string key() const override { return "failing"; }
};

TEST_CASE("a violated contract is told to standard error and to the log, line by line") {
    LogFile file;
    const locking::Death death = locking::death_of([&] {
        loops::SimClock clock;
        Logger log(clock);
        log.add_sink(file.sink(), all_severities);
        const LastWords last_words(log);
        locking::fatal({"some.cc", 7}, {"a table is gone\nand its index"});
    });
    CHECK(death.says("some.cc:7: a table is gone\nand its index\n", "holds no domain"));
    const std::string log = file.text();
    INFO(log);
    CHECK(log.find("<BUG> some.cc:7: a table is gone\n") != std::string::npos);
    CHECK(log.find("<BUG> and its index\n") != std::string::npos);
    CHECK(log.find("holds no domain\n") != std::string::npos);
}

TEST_CASE("a violation inside the log is told to standard error alone") {
    const locking::Death death = locking::death_of([] {
        loops::SimClock clock;
        Logger log(clock);
        log.add_sink(std::make_unique<FailingSink>(), all_severities);
        const LastWords last_words(log);
        log.log(Severity::info, {}, "anything");
    });
    INFO(death.report);
    CHECK(death.says("the sink fails"));
}

TEST_CASE("when it has gone, the log is left alone") {
    LogFile file;
    const locking::Death death = locking::death_of([&] {
        loops::SimClock clock;
        Logger log(clock);
        log.add_sink(file.sink(), all_severities);
        { const LastWords last_words(log); }
        locking::fatal({"some.cc", 7}, {"later"});
    });
    CHECK(death.says("some.cc:7: later"));
    CHECK(file.text().empty());
}

}  // namespace
}  // namespace tern::daemon
