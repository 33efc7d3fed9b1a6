#include "router/cli/output_json.h"

#include "locking/check.h"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace tern::cli {
namespace {

/// Text of one JSON line; below the limit of a line with its code.
constexpr std::size_t piece_max = 500;

bool is_row(ReplyCode code) {
    const auto number = static_cast<std::uint16_t>(code);
    return number >= 1000 && number < 8000;
}

}  // namespace

void JsonOutput::open_array() {
    if (array_open_) return;
    array_open_ = true;
    text_ += '[';
}

void JsonOutput::close_list() {
    Level& level = levels_.back();
    if (level.list.empty()) return;
    level.list.clear();
    text_ += ']';
}

void JsonOutput::member(std::string_view name) {
    close_list();
    Level& level = levels_.back();
    if (!level.empty) text_ += ',';
    level.empty = false;
    put_string(name);
    text_ += ':';
}

void JsonOutput::begin(std::string_view kind) {
    TERN_ASSERT(!finished_, "a record after the end of the reply");
    if (levels_.empty()) {
        open_array();
        if (!array_empty_) text_ += ',';
        array_empty_ = false;
        text_ += '{';
        levels_.push_back(Level{});
        member("record");
        put_string(kind);
        return;
    }
    if (levels_.back().list == kind) {
        text_ += ",{";
    } else {
        member(kind);
        text_ += "[{";
        levels_.back().list = kind;
    }
    levels_.push_back(Level{});
}

void JsonOutput::begin_object(std::string_view name) {
    if (levels_.empty()) {
        begin(name);
        return;
    }
    member(name);
    text_ += '{';
    levels_.push_back(Level{});
}

void JsonOutput::end() {
    TERN_ASSERT(!levels_.empty(), "a record ends that was not begun");
    close_list();
    text_ += '}';
    levels_.pop_back();
    flush(levels_.empty());
}

void JsonOutput::line(ReplyCode code, std::string_view layout, std::span<const Field> fields) {
    TERN_ASSERT(!finished_, "a line after the end of the reply");
    if (!levels_.empty()) {
        put_fields(fields);
        flush(false);
        return;
    }
    if (is_row(code) && fields.empty()) return;
    std::string printed;
    if (!is_row(code)) format_layout(printed, layout, fields);
    message(code, printed, fields);
}

void JsonOutput::text(ReplyCode code, std::string_view verbatim) {
    if (is_row(code)) return;
    if (levels_.empty()) {
        message(code, verbatim, {});
    } else if (is_failure(code)) {
        member("error");
        put_string(verbatim);
    }
}

void JsonOutput::message(ReplyCode code, std::string_view text, std::span<const Field> fields) {
    open_array();
    if (!array_empty_) text_ += ',';
    array_empty_ = false;
    text_ += '{';
    levels_.push_back(Level{});
    if (!is_row(code)) {
        member("code");
        put_value(static_cast<std::uint16_t>(code));
        member("message");
        put_string(text);
    }
    put_fields(fields);
    end();
}

void JsonOutput::fields(std::span<const Field> fields) {
    if (!levels_.empty()) {
        put_fields(fields);
    } else if (!fields.empty()) {
        message(ReplyCode::version, {}, fields);
    }
}

void JsonOutput::named_value(ReplyCode code, std::string_view name, const FieldValue& value) {
    const Field field{name, value};
    line(code, {}, std::span<const Field>(&field, 1));
}

void JsonOutput::finish(ReplyCode code, std::string_view verbatim) {
    TERN_ASSERT(!finished_, "a reply ends twice");
    while (!levels_.empty())
        end();
    if (!verbatim.empty()) message(code, verbatim, {});
    open_array();
    text_ += ']';
    flush(true);
    finished_ = true;
    buffer_.last(code, verbatim);
}

void JsonOutput::put_fields(std::span<const Field> fields) {
    for (const Field& field : fields) {
        if (field.audience == Audience::text_only) continue;
        member(field.name);
        put_value(field.value);
    }
}

void JsonOutput::put_value(const FieldValue& value) {
    using enum FieldValue::Kind;
    switch (value.kind()) {
        case text:
            put_string(value.text());
            return;
        case negative:
            fmt::format_to(std::back_inserter(text_), "{}", value.negative());
            return;
        case number:
            fmt::format_to(std::back_inserter(text_), "{}", value.number());
            return;
        case real:
            if (std::isfinite(value.real())) {
                fmt::format_to(std::back_inserter(text_), "{}", value.real());
            } else {
                text_ += "null";
            }
            return;
        case flag:
            text_ += value.number() != 0 ? "true" : "false";
            return;
        case none:
            text_ += "null";
            return;
    }
}

/// Bytes above 127 pass as they are: names and messages are UTF-8 where they come from.
void JsonOutput::put_string(std::string_view value) {
    text_ += '"';
    for (const char byte : value) {
        if (byte == '"' || byte == '\\') {
            text_ += '\\';
            text_ += byte;
        } else if (static_cast<unsigned char>(byte) < 0x20) {
            fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(byte));
        } else {
            text_ += byte;
        }
    }
    text_ += '"';
}

/// Lines are cut between bytes that are not blanks, so that a client which strips blanks at line
/// ends still joins the same text.
void JsonOutput::flush(bool all) {
    std::size_t start = 0;
    while (text_.size() - start > (all ? 0 : piece_max)) {
        std::size_t length = std::min(piece_max, text_.size() - start);
        if (start + length < text_.size()) {
            std::size_t shorter = length;
            while (shorter > 1 &&
                   (text_[start + shorter] == ' ' || text_[start + shorter - 1] == ' ')) {
                --shorter;
            }
            if (shorter > 1) length = shorter;
        }
        buffer_.line(ReplyCode::json, std::string_view(text_).substr(start, length));
        start += length;
    }
    text_.erase(0, start);
}

}  // namespace tern::cli
