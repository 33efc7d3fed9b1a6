#include "router/os/files.h"

#include "router/os/host.h"
#include "router/os/privileges.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace tern::os {
namespace {

/// A folder that goes away with its content.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        char name[] = "/tmp/tern-files-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    ~TemporaryFolder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_))
            ++count;
        return count;
    }

  private:
    std::string path_;
};

}  // namespace

TEST_CASE("replacing a file leaves the new content and nothing else") {
    const TemporaryFolder folder;
    const std::string path = folder.file("state");
    REQUIRE(replace_file(path, "one"));
    REQUIRE(replace_file(path, "two"));
    CHECK(read_file(path, 100).value() == "two");
    CHECK(folder.files() == 1);
}

TEST_CASE("files that are missing or too large are reported") {
    const TemporaryFolder folder;
    CHECK(read_file(folder.file("none"), 100).error().number == ENOENT);
    REQUIRE(replace_file(folder.file("big"), std::string(101, 'x')));
    CHECK(read_file(folder.file("big"), 100).error().number == EFBIG);
    CHECK_FALSE(replace_file(folder.file("no/such/folder"), "x"));
}

TEST_CASE("a pid file is written late and removed by the process that wrote it") {
    const TemporaryFolder folder;
    const std::string path = folder.file("pid");
    {
        auto pid = PidFile::open(path);
        REQUIRE(pid);
        CHECK(read_file(path, 100).value().empty());
        REQUIRE(pid->write());
        CHECK(read_file(path, 100).value() == std::to_string(::getpid()) + "\n");
    }
    CHECK(folder.files() == 0);
    {
        auto unwritten = PidFile::open(path);
        REQUIRE(unwritten);
    }
    CHECK(folder.files() == 1);
    CHECK_FALSE(PidFile::open(folder.file("no/such/folder")));
}

TEST_CASE("users and groups resolve by number and name") {
    CHECK(resolve_user("0").value() == 0);
    CHECK(resolve_user("root").value() == 0);
    CHECK(resolve_group("root").value() == 0);
    CHECK(resolve_user("no such user").error().text == "Cannot find user 'no such user'");
    CHECK(resolve_group("no-group").error().text == "Cannot find group 'no-group'");
}

TEST_CASE("the host has a name") {
    CHECK_FALSE(host_name().empty());
}

}  // namespace tern::os
