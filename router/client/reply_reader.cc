#include "router/client/reply_reader.h"

#include <algorithm>

namespace tern::client {
namespace {

constexpr std::size_t code_digits = 4;

bool has_code(std::string_view line) {
    if (line.size() <= code_digits) return false;
    const char mark = line[code_digits];
    return std::all_of(line.begin(), line.begin() + code_digits,
                       [](char byte) { return byte >= '0' && byte <= '9'; }) &&
           (mark == ' ' || mark == '-');
}

int code_of(std::string_view line) {
    int code = 0;
    for (const char digit : line.substr(0, code_digits))
        code = code * 10 + (digit - '0');
    return code;
}

}  // namespace

void ReplyReader::feed(std::string_view bytes) {
    bytes_.erase(0, start_);
    start_ = 0;
    bytes_ += bytes;
}

std::optional<ReplyLine> ReplyReader::next() {
    const std::size_t feed = bytes_.find('\n', start_);
    if (feed == std::string::npos) return std::nullopt;
    ReplyLine line;
    line.raw = bytes_.substr(start_, feed - start_);
    start_ = feed + 1;
    if (has_code(line.raw)) {
        code_ = code_of(line.raw);
        line.code = code_;
        line.last = line.raw[code_digits] == ' ';
        line.text = line.raw.substr(code_digits + 1);
    } else if (line.raw.starts_with(' ')) {
        line.code = code_;
        line.continuation = true;
        line.text = line.raw.substr(1);
    } else if (line.raw.starts_with('+')) {
        line.notice = true;
        line.text = line.raw.substr(1);
    } else {
        line.text = line.raw;
    }
    return line;
}

}  // namespace tern::client
