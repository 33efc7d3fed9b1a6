#include "router/config/reference.h"

#include "router/config/values.h"

#include <fmt/format.h>

namespace tern::config {

namespace {

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

std::string value_text(const OptionRow& row) {
    if (row.choices.empty()) return escape(row.value);
    std::string out = row.value.starts_with("SWITCH") ? "SWITCH" : "";
    for (const Choice& choice : row.choices) {
        if (!out.empty()) out += " \\| ";
        out += choice.word;
    }
    return out;
}

std::string effect_text(Effect effect) {
    if (has(effect, Effect::restart)) return "restart";
    if (has(effect, Effect::restart_channel)) return "restart of the channel";
    const bool in = has(effect, Effect::reload_import);
    const bool out = has(effect, Effect::reload_export);
    if (in && out) return "reload";
    if (in) return "reload of imports";
    if (out) return "reload of exports";
    return "none";
}

void write_rows(std::string& out, std::string_view title, Rows rows) {
    if (rows.empty()) return;
    out += fmt::format(
        "\n{}\n\n| option | value | default | meaning | change needs |\n"
        "|---|---|---|---|---|\n",
        title);
    for (const OptionRow& row : rows) {
        out += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.words, value_text(row),
                           escape(row.default_text), escape(row.doc), effect_text(row.effect));
    }
}

}  // namespace

std::string write_reference(const SyntaxRegistry& syntax) {
    std::string out =
        "# Configuration reference\n\nWritten by the build out of the option tables in the "
        "sources; change those, not this file.\n";
    write_rows(out, "## Tables", table_rows());
    write_rows(out, "## All protocols", protocol_rows());
    write_rows(out, "## All channels", channel_rows());
    for (const ProtocolSyntax* protocol : syntax.protocols()) {
        out += fmt::format("\n## protocol {}\n\n{}\n", protocol->type, protocol->doc);
        write_rows(out, "Options:", protocol->rows);
        Rows written;
        for (const ChannelSyntax& channel : protocol->channels) {
            if (channel.rows.empty() || channel.rows.data() == written.data()) continue;
            written = channel.rows;
            write_rows(out, fmt::format("Channel options (from `{}` on):", channel.words),
                       channel.rows);
        }
        if (protocol->inline_channel != nullptr) {
            write_rows(out, "Channel options in the same block:", protocol->inline_channel->rows);
        }
    }
    return out;
}

}  // namespace tern::config
