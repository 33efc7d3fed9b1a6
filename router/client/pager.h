#pragma once

/// Stops long output at the height of the terminal: `--More--`, space for a page, enter for a
/// line, q to drop the rest. Owned by the client, reset for each command.
/// Where output is no terminal it does nothing but print.

#include <string_view>

namespace tern::client {

class Pager {
  public:
    /// `interactive`: both ends are a terminal.
    explicit Pager(bool interactive) : interactive_(interactive) {}

    void begin();
    void print(std::string_view line);

  private:
    void ask();

    bool interactive_;
    bool dropped_ = false;
    int room_ = 0;  ///< Lines until the next question.
};

}  // namespace tern::client
