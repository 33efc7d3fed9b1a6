#pragma once

/// The line framing of replies: `CCCC-text`, ` text` while the code stays, `CCCC text` at the end.
/// Clients look at the fifth byte, wait for `0000 ` with its blank, and have buffers of 512 bytes;
/// a line that would be longer is replaced as BIRD does, `8000-<line overflow>`.
/// Pure: bytes collect in a string of the owner, who sends them.

#include "router/cli/reply_code.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace tern::cli {

/// Longest line without its line feed: readers of the protocol have 512 byte buffers.
inline constexpr std::size_t reply_line_max = 511;

class ReplyBuffer {
  public:
    /// Texts with line feeds become several lines.
    void line(ReplyCode code, std::string_view text);
    void last(ReplyCode code, std::string_view text);
    /// `+text`, outside of the replies; waits for the end of a reply in progress.
    void notice(std::string_view text);
    /// A reply begins: the code is repeated with its first line.
    void restart();

    [[nodiscard]] std::string_view pending() const;

    [[nodiscard]] std::size_t size() const { return bytes_.size() - sent_; }

    void sent(std::size_t bytes);
    void clear();

  private:
    static constexpr int no_code = -1;

    std::string bytes_;
    std::size_t sent_ = 0;
    int code_ = no_code;
    bool in_reply_ = false;
    std::string notices_;
};

}  // namespace tern::cli
