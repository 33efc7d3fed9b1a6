#pragma once

/// What the client does with a connection: greets, runs one command, or talks until the end of
/// input. Prints to standard output as birdc does, so that scripts do not see a difference.
/// Owned by main(); one thread, blocking.

#include "router/client/command_list.h"
#include "router/client/connection.h"
#include "router/client/pager.h"

#include <string>
#include <string_view>
#include <vector>

namespace tern::client {

struct ClientOptions {
    bool verbose = false;     ///< Codes in front of lines.
    bool restricted = false;  ///< `restrict` is the first command.
    bool json = false;        ///< Replies are JSON documents.
};

/// Exit status of the program.
enum class ExitStatus : int { success = 0, failure = 1 };

class Client {
  public:
    Client(Connection& connection, const ClientOptions& options, bool interactive);

    /// Reads the greeting, then sends what the options ask for. False if the server is gone.
    [[nodiscard]] bool start();
    [[nodiscard]] ExitStatus run_one(std::string_view command);
    [[nodiscard]] ExitStatus run_interactive();
    [[nodiscard]] ExitStatus run_piped();

    /// For the line editor: words that can stand at the end of the line.
    [[nodiscard]] std::vector<std::string> complete(std::string_view line);
    void show_help(std::string_view line);
    /// The server sent something while the user types; false if it is gone.
    [[nodiscard]] bool show_notices();

  private:
    enum class Shown : unsigned char { yes, no };

    /// Sends a command and prints its reply; the last code, or -1 if the server is gone.
    int execute(std::string_view command, Shown shown);
    void print(const ReplyLine& line);
    /// One line of the user; false at `exit`, or if the server is gone.
    bool handle_line(std::string_view line);
    void load_commands();
    [[nodiscard]] std::vector<std::string> names();
    ExitStatus lost();

    Connection& connection_;
    ClientOptions options_;
    CommandList commands_;
    Pager pager_;
    bool as_json_ = false;  ///< the reply under way
    std::string json_;
    std::vector<std::string>* collect_ = nullptr;
};

}  // namespace tern::client
