#pragma once

/// Line editing by libedit: history in ~/.birdc_history, TAB for completion, `?` for help.
/// While the user types it also listens to the server, so that its messages and its end are seen
/// at once. Borrows the client; one per program run, because terminals are.

#include <memory>
#include <optional>
#include <string>

namespace tern::client {

class Client;

class LineEditor {
  public:
    LineEditor(Client& client, int server);
    /// Saves the history.
    ~LineEditor();
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    /// Without line feed; none at the end of input or when the server is gone.
    [[nodiscard]] std::optional<std::string> read_line(const char* prompt);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tern::client
