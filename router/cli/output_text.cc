#include "router/cli/output_text.h"

#include "locking/check.h"

namespace tern::cli {
namespace {

/// Room for `CCCC-` before the text of a line.
constexpr std::size_t text_max = reply_line_max - 5;

}  // namespace

void TextOutput::line(ReplyCode code, std::string_view layout, std::span<const Field> fields) {
    TERN_ASSERT(!finished_, "a line after the end of the reply");
    scratch_.clear();
    format_layout(scratch_, layout, fields);
    buffer_.line(code, scratch_);
}

void TextOutput::text(ReplyCode code, std::string_view verbatim) {
    TERN_ASSERT(!finished_, "a line after the end of the reply");
    buffer_.line(code, verbatim);
}

void TextOutput::named_value(ReplyCode code, std::string_view name, const FieldValue& value) {
    TERN_ASSERT(!finished_, "a line after the end of the reply");
    scratch_.assign("\t");
    scratch_ += name;
    scratch_ += ": ";
    const Field field{"value", value};
    format_layout(scratch_, "{value}", std::span<const Field>(&field, 1));
    wrapped(code);
}

void TextOutput::wrapped(ReplyCode code) {
    std::string_view rest = scratch_;
    std::string piece;
    while (rest.size() > text_max - piece.size()) {
        const std::size_t room = text_max - piece.size();
        std::size_t cut = rest.rfind(' ', room);
        // A single word longer than a line is cut anywhere: better than losing all of it.
        if (cut == std::string_view::npos || cut == 0) cut = room;
        piece += rest.substr(0, cut);
        buffer_.line(code, piece);
        rest.remove_prefix(cut);
        if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
        piece.assign("\t\t");
    }
    piece += rest;
    buffer_.line(code, piece);
}

void TextOutput::finish(ReplyCode code, std::string_view verbatim) {
    TERN_ASSERT(!finished_, "a reply ends twice");
    finished_ = true;
    buffer_.last(code, verbatim);
}

}  // namespace tern::cli
