#pragma once

/// Splits what a daemon sends into lines and says when a reply ends.
/// Pure: bytes in, lines out; the connection owns one. It accepts any daemon of the protocol and
/// trusts nothing: a line without a proper code is shown as it is and ends no reply.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tern::client {

struct ReplyLine {
    /// Of this line, or of the last one for continuations; -1 for notices and malformed lines.
    int code = -1;
    bool last = false;          ///< The reply ends with it.
    bool continuation = false;  ///< It began with a blank instead of a code.
    bool notice = false;        ///< `+text`, outside of replies.
    std::string text;           ///< Without code.
    std::string raw;
};

class ReplyReader {
  public:
    void feed(std::string_view bytes);
    /// The next whole line.
    [[nodiscard]] std::optional<ReplyLine> next();

  private:
    std::string bytes_;
    std::size_t start_ = 0;
    int code_ = -1;
};

}  // namespace tern::client
