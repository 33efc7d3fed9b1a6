#include "router/config/reference.h"

#include "router/config/parse_top.h"
#include "router/config/values.h"

#include <fmt/format.h>

namespace tern::config {

namespace {

constexpr std::string_view introduction = R"(# Configuration reference

Written out of the option tables of the program by its tests; change those, not this page.

A configuration is a list of statements. Options stand in braces and end with `;`. `#` begins a
comment that goes to the end of its line, `/*` one that goes to `*/`. `include "FILE";` at the
beginning of a line reads another file in its place; a name with `*` or `?` reads all that match,
in order. Names must be defined above their use.

```
log syslog all;
router id 192.0.2.1;

protocol device { }
protocol kernel {
    ipv4 { export all; };
}
protocol bgp uplink {
    local as 64500;
    neighbor 198.51.100.1 as 64501;
    ipv4 {
        import where net.len <= 24;
        export filter { if source = RTS_STATIC then accept; reject; };
        import limit 1000000 action restart;
    };
}
```

`ternd -p -c FILE` checks a file, `configure check` does so in a running daemon and says what
would happen. An error names file, line and column, and shows the line.

## Values

| written | is |
|---|---|
| `SWITCH` | `on`, `yes`, `true`, or `off`, `no`, `false`; nothing at all means `on` |
| `NUM` | a number, decimal or `0x…`, the name of a constant, or `(expression)` |
| `TIME` | a number and its unit: `s`, `ms` or `us` |
| `SECONDS` | a number of seconds, without a unit |
| `"TEXT"` | a string without line ends; no character in it is special |
| `IP`, `PREFIX` | `192.0.2.1`, `2001:db8::1`; `192.0.2.0/24`, without bits behind the length |
| `FILTER` | `all`, `none`, `filter NAME`, `filter { … }` or `where EXPRESSION` |
| `MASK` | `all`, `off` or `{ CLASS, … }` |
| `LIMIT` | `NUM` or `off`; then `action` `warn`, `block`, `restart` or `disable` (the default) |
| `PATTERN` | `"eth*"`, `"eth*" PREFIX` or `PREFIX`; `-` in front excludes; the first fit decides |
| `FORMAT` | `iso short` or `iso long`, with `ms`, `us` or nothing; `"%T"`; `"%T" NUM "%F"` |

Classes of `debug` are `states`, `routes`, `filters`, `interfaces`, `events` and `packets`; those
of `log` are `debug`, `trace`, `info`, `remote`, `warning`, `error`, `auth`, `fatal` and `bug`. A
log goes to `"FILE"` (with `LIMIT "BACKUP"` it is renamed at that size, at least 16384), `fixed
"FILE" SIZE`, `syslog [name "NAME"]`, `stderr` or `udp HOST [port NUM]`.

In a time format the words are those of strftime(3), with `%3f` or `%6f` for parts of a second;
the second one is for times that are older than that many seconds.

The last column of the tables below says what a changed option costs when a running daemon gets a
new configuration: nothing, filtering routes anew, or a restart of the channel, protocol or table.
)";

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

std::string time_text(std::uint64_t us) {
    if (us % 1'000'000 == 0) return fmt::format("{} s", us / 1'000'000);
    if (us % 1000 == 0) return fmt::format("{} ms", us / 1000);
    return fmt::format("{} us", us);
}

/// `, 1 to 255`; nothing if the range is that of the type.
std::string range_text(const OptionRow& row) {
    const bool time = row.value == "TIME";
    const Range none = time ? option::any_time : Range{};
    const auto text = [time](std::uint64_t value) {
        return time ? time_text(value) : fmt::format("{}", value);
    };
    const bool low = row.range.low > none.low;
    const bool high = row.range.high < none.high;
    if (low && high) {
        return fmt::format(", {}{} to {}", row.range.or_zero ? "0 or " : "", text(row.range.low),
                           text(row.range.high));
    }
    if (high) return fmt::format(", at most {}", text(row.range.high));
    return low ? fmt::format(", at least {}", text(row.range.low)) : "";
}

std::string value_text(const OptionRow& row) {
    std::string out;
    if (row.choices.empty() || row.value.starts_with("SWITCH")) {
        out = row.choices.empty() ? std::string(row.value) : "SWITCH";
    }
    for (const Choice& choice : row.choices) {
        if (!out.empty()) out += " | ";
        out += choice.word;
    }
    return out.empty() ? out : fmt::format("`{}`{}", escape(out), range_text(row));
}

std::string effect_text(Effect effect) {
    if (has(effect, Effect::restart)) return "restart";
    if (has(effect, Effect::restart_channel)) return "channel restart";
    const bool in = has(effect, Effect::reload_import);
    const bool out = has(effect, Effect::reload_export);
    if (in && out) return "filtering";
    if (in) return "filtering imports";
    if (out) return "filtering exports";
    return "nothing";
}

void write_rows(std::string& out, Rows rows) {
    std::string refused;
    std::string table;
    for (const OptionRow& row : rows) {
        if (!row.available) {
            refused += fmt::format("{}`{}`", refused.empty() ? "" : ", ", row.words);
            continue;
        }
        table += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.words, value_text(row),
                             escape(row.default_text), escape(row.doc), effect_text(row.effect));
    }
    if (!table.empty()) {
        out += "\n| option | value | default | meaning | change |\n|---|---|---|---|---|\n" + table;
    }
    if (!refused.empty()) out += fmt::format("\nNot in this build, and refused: {}.\n", refused);
}

void write_statements(std::string& out) {
    out += "\n## Outermost level\n\n| statement | value | default | meaning |\n|---|---|---|---|\n";
    for (const Statement& each : global_statements()) {
        const std::string value = each.value.empty() ? "" : fmt::format("`{}`", escape(each.value));
        out += fmt::format("| `{}` | {} | {} | {} |\n", each.words, value,
                           escape(each.default_text), escape(each.doc));
    }
}

/// Which channels it has, and what they do unless told otherwise.
void write_channels(std::string& out, const ProtocolSyntax& protocol) {
    if (protocol.inline_channel != nullptr) {
        out += fmt::format(
            "\nThe options of its one channel stand in the same block; exports {} by default.\n",
            protocol.export_all ? "all" : "nothing");
        write_rows(out, protocol.inline_channel->rows);
        return;
    }
    if (protocol.channels.empty()) {
        out += "\nIt has no channels.\n";
        return;
    }
    std::string names;
    for (const ChannelSyntax& channel : protocol.channels)
        names += fmt::format("{}`{}`", names.empty() ? "" : ", ", channel.words);
    out +=
        fmt::format("\nChannels{}: {}. Preference of imported routes: {}.\n",
                    protocol.channels_max == 1 ? ", exactly one" : "", names, protocol.preference);
    Rows written;
    for (const ChannelSyntax& channel : protocol.channels) {
        if (channel.rows.empty() || channel.rows.data() == written.data()) continue;
        written = channel.rows;
        out += fmt::format("\nOptions of the channel `{}` beyond those of all channels{}:\n",
                           channel.words, protocol.channels.size() > 1 ? ", and of its like" : "");
        write_rows(out, channel.rows);
    }
}

}  // namespace

std::string write_reference(const SyntaxRegistry& syntax) {
    std::string out(introduction);
    write_statements(out);
    out +=
        "\n## Thread groups\n\nThe first `thread group` replaces the implicit `worker` and "
        "`express`. A group named `express` is meant for little work at once.\n";
    write_rows(out, thread_group_rows());
    out +=
        "\n## Memory\n\nCounted in pages of 4 KiB. Free memory is kept between the two bounds, the "
        "lower one less than a quarter of the upper one; the rest goes back to the kernel.\n";
    write_rows(out, memory_rows());
    out +=
        "\n## Tables\n\n`ipv4 table NAME { … }`, `ipv6 table NAME { … }`. `master4` and `master6` "
        "exist without being defined; other tables must be.\n";
    write_rows(out, table_rows());
    out += "\n## All protocols\n";
    write_rows(out, protocol_rows());
    out += "\n## All channels\n";
    write_rows(out, channel_rows());
    for (const ProtocolSyntax* protocol : syntax.protocols()) {
        out += fmt::format("\n## protocol {}\n\n{}\n", protocol->type, protocol->doc);
        write_rows(out, protocol->rows);
        write_channels(out, *protocol);
    }
    return out;
}

}  // namespace tern::config
