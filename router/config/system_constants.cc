#include "router/config/system_constants.h"

#include <array>
#include <charconv>

namespace tern::config {

namespace {

struct NameFile {
    const char* path;
    std::string_view prefix;
    std::uint32_t max;
};

constexpr std::array files = {
    NameFile{"/etc/iproute2/rt_protos", "ipp_", 255},
    NameFile{"/etc/iproute2/rt_realms", "ipr_", ~std::uint32_t{0}},
    NameFile{"/etc/iproute2/rt_scopes", "ips_", 255},
    NameFile{"/etc/iproute2/rt_tables", "ipt_", ~std::uint32_t{0}},
};

constexpr std::string_view blanks = " \t\r";

std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

std::optional<std::uint32_t> read_number(std::string_view text) {
    const bool hexadecimal = text.starts_with("0x");
    if (hexadecimal) text.remove_prefix(2);
    std::uint32_t value = 0;
    const auto result =
        std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string symbol_name(std::string_view prefix, std::string_view name) {
    std::string out(prefix);
    for (const char c : name) {
        const bool fits =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        out += fits ? c : '_';
    }
    return out;
}

/// `NUMBER NAME`; of two lines with one name the first one counts.
void read_line(Config& config, const NameFile& file, std::string_view line) {
    line = line.substr(0, line.find('#'));
    const std::optional<std::uint32_t> number = read_number(take_word(line));
    const std::string_view name = take_word(line);
    if (!number || *number > file.max || name.empty()) return;
    Symbol* symbol =
        config.system_scope().define(symbol_name(file.prefix, name), SymbolClass::constant, {});
    if (symbol == nullptr) return;
    config.system_constants.push_back(attr::Value::of_int(*number));
    symbol->target = &std::as_const(config.system_constants.back());
}

}  // namespace

void define_system_constants(Config& config, SourceReader& reader) {
    for (const NameFile& file : files) {
        const Result<std::string> text = reader.read(file.path);
        if (!text) continue;
        std::string_view rest = *text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            read_line(config, file, rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
}

}  // namespace tern::config
