#include "router/cli/session_commands.h"

#include "router/cli/command_context.h"
#include "router/cli/command_parser.h"
#include "router/cli/session.h"

#include <charconv>
#include <string>

namespace tern::cli {
namespace {

/// Longest strftime format of a session; replies have short lines.
constexpr std::size_t time_format_max = 63;
constexpr std::int64_t us_per_s = 1'000'000;

/// Splits the next word, string or number off a line.
class Words {
  public:
    explicit Words(std::string_view text) : rest_(text) { skip(); }

    [[nodiscard]] bool at_end() const { return rest_.empty(); }

    [[nodiscard]] bool at_string() const { return rest_.starts_with('"'); }

    [[nodiscard]] std::string unexpected() const {
        return "syntax error, unexpected " + unexpected_token(rest_);
    }

    [[nodiscard]] bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        const std::string_view behind = rest_.substr(word.size());
        if (!behind.empty() && behind.front() != ' ' && behind.front() != '\t') return false;
        rest_ = behind;
        skip();
        return true;
    }

    [[nodiscard]] Result<std::string> string() {
        if (!at_string()) return fail(unexpected() + ", expecting TEXT");
        const std::size_t close = rest_.find('"', 1);
        if (close == std::string_view::npos) return fail("Unterminated string");
        std::string text(rest_.substr(1, close - 1));
        rest_.remove_prefix(close + 1);
        skip();
        return text;
    }

    [[nodiscard]] Result<std::int64_t> number() {
        std::int64_t value = 0;
        const char* const end = rest_.data() + rest_.size();
        const std::from_chars_result result = std::from_chars(rest_.data(), end, value);
        if (result.ec != std::errc() || value < 0) return fail(unexpected() + ", expecting NUM");
        rest_.remove_prefix(static_cast<std::size_t>(result.ptr - rest_.data()));
        skip();
        return value;
    }

  private:
    void skip() {
        const std::size_t start = rest_.find_first_not_of(" \t");
        rest_ = start == std::string_view::npos ? std::string_view() : rest_.substr(start);
    }

    std::string_view rest_;
};

Result<TimeFormat> parse_iso(Words& words) {
    const bool is_long = words.take("long");
    if (!is_long && !words.take("short")) return fail(words.unexpected());
    SubSecond digits = SubSecond::none;
    if (words.take("ms")) {
        digits = SubSecond::milliseconds;
    } else if (words.take("us")) {
        digits = SubSecond::microseconds;
    }
    if (!words.at_end()) return fail(words.unexpected() + ", expecting END");
    return is_long ? iso_long(digits) : iso_short(digits);
}

void show_commands(void*, CommandContext& context) {
    Output& out = context.out();
    for (const Command* row : matching_commands(context.session().table(), context.arguments())) {
        out.begin("command");
        out.line(ReplyCode::command_help, "{words}\t{arguments}\t{help}",
                 {{"words", row->words},
                  {"arguments", row->arguments},
                  {"help", row->help},
                  {"heading", row->heading}});
        out.end();
    }
    out.done();
}

void restrict_session(void*, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    context.personality().restricted = true;
    context.out().finish(ReplyCode::access_restricted, "Access restricted");
}

void set_time_format(void*, CommandContext& context) {
    Result<TimeFormat> format = parse_time_format(context.arguments());
    if (!format) {
        context.fail_parse(format.error());
        return;
    }
    if (format->recent.size() > time_format_max || format->older.size() > time_format_max) {
        context.out().finish(ReplyCode::argument_too_long, "Format string too long");
        return;
    }
    context.personality().time_format = *std::move(format);
    context.out().done();
}

void set_text(void*, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    context.personality().json = false;
    context.out().done();
}

void set_json(void*, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    context.personality().json = true;
    context.out().done();
}

}  // namespace

Result<TimeFormat> parse_time_format(std::string_view text) {
    Words words(text);
    if (words.take("iso")) return parse_iso(words);
    Result<std::string> recent = words.string();
    if (!recent) return tl::unexpected<Error>(recent.error());
    TimeFormat format;
    format.recent = *std::move(recent);
    if (words.at_end()) return format;
    const Result<std::int64_t> limit = words.number();
    if (!limit) return tl::unexpected<Error>(limit.error());
    // The largest limit that still is a time; further away than any route's age.
    if (*limit > INT32_MAX) return fail("Time limit out of range");
    format.limit_us = *limit * us_per_s;
    Result<std::string> older = words.string();
    if (!older) return tl::unexpected<Error>(older.error());
    format.older = *std::move(older);
    if (!words.at_end()) return fail(words.unexpected() + ", expecting END");
    return format;
}

void add_session_commands(CommandTable& table) {
    table.add(Command{.words = "show commands",
                      .arguments = "[<beginning of a command>]",
                      .help = "List commands with their arguments",
                      .handler = show_commands});
    table.add(Command{.words = "restrict",
                      .arguments = "",
                      .help = "Restrict current CLI session to safe commands",
                      .handler = restrict_session});
    table.add(
        Command{.words = "timeformat",
                .arguments = "\"<format1>\" [<limit> \"<format2>\"] | iso (short|long) [ms|us]",
                .help = "Set time format for this CLI session",
                .handler = set_time_format});
    table.add(Command{.words = "format text",
                      .arguments = "",
                      .help = "Replies of this CLI session are text",
                      .handler = set_text});
    table.add(Command{.words = "format json",
                      .arguments = "",
                      .help = "Replies of this CLI session are JSON",
                      .handler = set_json});
}

}  // namespace tern::cli
