#include "router/cli/reply.h"

#include "locking/check.h"

#include <array>
#include <cstdint>

namespace tern::cli {
namespace {

/// Sent bytes at the front of the string are dropped when this many have collected.
constexpr std::size_t compact_at = 16384;

void put_code(std::string& out, int code) {
    const std::array<char, 4> digits = {
        static_cast<char>('0' + code / 1000 % 10), static_cast<char>('0' + code / 100 % 10),
        static_cast<char>('0' + code / 10 % 10), static_cast<char>('0' + code % 10)};
    out.append(digits.data(), digits.size());
}

}  // namespace

void ReplyBuffer::line(ReplyCode code, std::string_view text) {
    const std::size_t feed = text.find('\n');
    if (feed != std::string_view::npos) {
        line(code, text.substr(0, feed));
        line(code, text.substr(feed + 1));
        return;
    }
    in_reply_ = true;
    const int number = static_cast<int>(code);
    const std::size_t prefix = number == code_ ? 1 : 5;
    if (prefix + text.size() > reply_line_max) {
        bytes_ += "8000-<line overflow>\n";
        code_ = static_cast<int>(ReplyCode::reply_too_long);
        return;
    }
    if (number == code_) {
        bytes_ += ' ';
    } else {
        put_code(bytes_, number);
        bytes_ += '-';
        code_ = number;
    }
    bytes_ += text;
    bytes_ += '\n';
}

void ReplyBuffer::last(ReplyCode code, std::string_view text) {
    const std::size_t feed = text.rfind('\n');
    if (feed != std::string_view::npos) {
        line(code, text.substr(0, feed));
        text = text.substr(feed + 1);
    }
    put_code(bytes_, static_cast<int>(code));
    bytes_ += ' ';
    bytes_ += text.substr(0, reply_line_max - 5);
    bytes_ += '\n';
    code_ = no_code;
    in_reply_ = false;
    bytes_ += notices_;
    notices_.clear();
}

void ReplyBuffer::notice(std::string_view text) {
    std::string& out = in_reply_ ? notices_ : bytes_;
    out += '+';
    out += text.substr(0, reply_line_max - 1);
    out += '\n';
}

void ReplyBuffer::restart() {
    code_ = no_code;
    in_reply_ = true;
}

std::string_view ReplyBuffer::pending() const {
    return std::string_view(bytes_).substr(sent_);
}

void ReplyBuffer::sent(std::size_t bytes) {
    TERN_ASSERT(bytes <= size(), "more sent than there was");
    sent_ += bytes;
    if (sent_ == bytes_.size()) {
        clear();
    } else if (sent_ >= compact_at) {
        bytes_.erase(0, sent_);
        sent_ = 0;
    }
}

void ReplyBuffer::clear() {
    // A session is idle most of its life; it keeps no memory of its longest reply.
    if (bytes_.capacity() > compact_at) {
        std::string().swap(bytes_);
    } else {
        bytes_.clear();
    }
    sent_ = 0;
}

}  // namespace tern::cli
