#pragma once
/// Dumps of the router's state into a file, for people who look for a fault: `dump TOPIC "FILE"`
/// and SIGUSR1. A dump is what show commands say, asked over a session of its own without a client,
/// so it takes steps like any long reply. The file must not exist yet. Main loop only; it changes
/// nothing but the file.

#include "loops/file_descriptor.h"
#include "loops/time.h"
#include "router/base/result.h"
#include "router/cli/session.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tern::daemon {

class Router;

struct DumpTopic {
    std::string_view words;     ///< behind `dump`
    std::string_view commands;  ///< the lines to be asked
    bool filters = false;       ///< the code of all named filters instead
};

[[nodiscard]] std::span<const DumpTopic> dump_topics();

class Dump final : private cli::SessionOwner {
  public:
    /// Fails with the system's reason, as if the file exists.
    [[nodiscard]] static Result<std::unique_ptr<Dump>> create(Router& router,
                                                              const std::string& path);
    Dump(const Dump&) = delete;
    Dump& operator=(const Dump&) = delete;
    ~Dump() override;

    void begin(const DumpTopic& topic);
    /// A bounded piece; false when the topic is complete.
    [[nodiscard]] bool step();

    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// Why writing failed; nothing if it did not.
    [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }

  private:
    Dump(Router& router, loops::FileDescriptor file);

    void session_ready(cli::Session&) override {}

    void command_received(cli::Session&, std::string_view) override {}

    void write(std::string_view text);
    void write_filters();

    Router& router_;
    loops::FileDescriptor file_;
    std::optional<cli::Session> session_;
    std::size_t bytes_ = 0;
    std::optional<std::string> failure_;
};

/// All topics at once, without steps; the error if the file cannot be made or written.
[[nodiscard]] Result<std::size_t> dump_everything(Router& router, const std::string& path);

}  // namespace tern::daemon
