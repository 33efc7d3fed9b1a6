#include "stress/oom_regression/run.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tern::oom {

namespace {

constexpr std::size_t protocols = 4;
constexpr std::chrono::minutes patience(10);

/// Static protocols without any peer, kernel or network: their routes go to the table and nowhere.
void write_configuration(const std::string& path, std::size_t routes) {
    std::ofstream file(path);
    file << fmt::format(
        "memory {{ keep pages min {}; keep pages max {}; cleanup pages bulk {}; }}\n"
        "router id 192.0.2.1;\n",
        keep_pages_min, keep_pages_max, cleanup_pages_bulk);
    for (std::size_t p = 0; p < protocols; ++p) {
        file << fmt::format("protocol static oom{} {{\n    ipv4;\n", p + 1);
        for (std::size_t i = p; i < routes; i += protocols) {
            file << fmt::format("    route {}.{}.{}.{}/32 blackhole;\n", 1 + (i >> 24),
                                i >> 16 & 255, i >> 8 & 255, i & 255);
        }
        file << "}\n";
    }
}

class Daemon final : public Workload {
  public:
    Daemon(const Options& options, std::string folder)
        : options_(options), folder_(std::move(folder)) {
        write_configuration(path("oom.conf"), options_.routes);
        process_ = ::fork();
        if (process_ == 0) {
            ::execl(options_.daemon.c_str(), options_.daemon.c_str(), "-f", "-c",
                    path("oom.conf").c_str(), "-s", path("oom.ctl").c_str(), nullptr);
            ::_exit(127);
        }
        ready_ = wait_for_routes(options_.routes);
    }

    ~Daemon() override {
        if (process_ > 0) {
            ::kill(process_, SIGTERM);
            ::waitpid(process_, nullptr, 0);
        }
        for (const char* name : {"oom.conf", "oom.ctl", "ternd.pid"}) {
            ::unlink(path(name).c_str());
        }
        ::rmdir(folder_.c_str());
    }

    bool ready() const { return ready_; }

    std::optional<Memory> cycle() override {
        if (!disable()) return std::nullopt;
        tell("configure");
        if (!enable() || !disable()) return std::nullopt;
        const Memory memory = settled();
        if (!enable()) return std::nullopt;
        return memory;
    }

  private:
    std::string path(const char* name) const { return folder_ + "/" + name; }

    /// The reply of the client to one command.
    std::string tell(const std::string& command, const std::string& flags = {}) const {
        const std::string line =
            options_.client + " " + flags + " -s " + path("oom.ctl") + " '" + command + "' 2>&1";
        std::string reply;
        FILE* pipe = ::popen(line.c_str(), "r");
        if (pipe == nullptr) return reply;
        char text[4096];
        while (const std::size_t got = ::fread(text, 1, sizeof(text), pipe)) {
            reply.append(text, got);
        }
        ::pclose(pipe);
        return reply;
    }

    bool disable() const {
        tell("disable \"oom*\"");
        return wait_for_routes(0);
    }

    bool enable() const {
        tell("enable \"oom*\"");
        return wait_for_routes(options_.routes);
    }

    /// Cooling goes on by itself; what counts is where it ends. As in the other loads free pages
    /// that the limits allow to keep do not count.
    Memory settled() const {
        Memory last = memory_of(process_);
        for (int quiet = 0; quiet < 3;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            const Memory now = memory_of(process_);
            quiet = now.resident < last.resident ? 0 : quiet + 1;
            last = now;
        }
        last.resident -= kept_free_pages() / 1024;
        return last;
    }

    /// Bytes, as the daemon says; 0 if it does not.
    double kept_free_pages() const {
        const std::string reply = tell("show memory", "-j");
        constexpr std::string_view key = "\"kept_free_pages\":";
        const std::size_t at = reply.find(key);
        return at == std::string::npos ? 0 : std::strtod(reply.c_str() + at + key.size(), nullptr);
    }

    bool alive() const { return ::waitpid(process_, nullptr, WNOHANG) == 0; }

    /// Until the table has so many routes; false if it never gets there.
    bool wait_for_routes(std::size_t count) const {
        const std::string wanted = fmt::format("{} of {} routes", count, count);
        // To ask costs the daemon a look at its table, so rarely where it takes long anyway.
        std::chrono::milliseconds waited(0);
        for (std::chrono::milliseconds pause(10); waited < patience && alive(); waited += pause) {
            if (tell("show route count").find(wanted) != std::string::npos) return true;
            pause = std::max(pause, waited / 8);
            std::this_thread::sleep_for(pause);
        }
        fmt::print(stderr, "the daemon never had {} routes; it said: {}\n", count,
                   tell("show route count"));
        return false;
    }

    Options options_;
    std::string folder_;
    pid_t process_ = -1;
    bool ready_ = false;
};

}  // namespace

std::unique_ptr<Workload> make_daemon(const Options& options) {
    std::string folder = "/tmp/oom_regression.XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) {
        fmt::print(stderr, "no folder for the daemon\n");
        return nullptr;
    }
    auto daemon = std::make_unique<Daemon>(options, folder);
    if (!daemon->ready()) return nullptr;
    return daemon;
}

}  // namespace tern::oom
