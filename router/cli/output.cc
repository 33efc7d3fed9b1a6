#include "router/cli/output.h"

#include "locking/check.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace tern::cli {
namespace {

/// The part of a placeholder behind the colon.
struct Spec {
    char align = 0;
    bool zeros = false;
    bool hexadecimal = false;
    std::size_t width = 0;
    int precision = -1;
};

Spec parse_spec(std::string_view text) {
    Spec spec;
    if (!text.empty() && (text.front() == '<' || text.front() == '>')) {
        spec.align = text.front();
        text.remove_prefix(1);
    }
    if (!text.empty() && text.front() == '0') {
        spec.zeros = true;
        text.remove_prefix(1);
    }
    const char* at = text.data();
    const char* const end = at + text.size();
    if (at != end && *at >= '0' && *at <= '9') at = std::from_chars(at, end, spec.width).ptr;
    if (at != end && *at == '.') at = std::from_chars(at + 1, end, spec.precision).ptr;
    if (at != end && *at == 'x') {
        spec.hexadecimal = true;
        ++at;
    }
    TERN_ASSERT(at == end, "wrong placeholder in a layout: ", text);
    return spec;
}

void put_real(std::string& out, double value, int precision) {
    if (precision >= 0) {
        fmt::format_to(std::back_inserter(out), "{:.{}f}", value, precision);
    } else {
        fmt::format_to(std::back_inserter(out), "{}", value);
    }
}

void put_plain(std::string& out, const FieldValue& value, const Spec& spec) {
    using enum FieldValue::Kind;
    switch (value.kind()) {
        case text:
            out += value.text();
            return;
        case negative:
            fmt::format_to(std::back_inserter(out), "{}", value.negative());
            return;
        case number:
            if (spec.hexadecimal) {
                fmt::format_to(std::back_inserter(out), "{:x}", value.number());
            } else {
                fmt::format_to(std::back_inserter(out), "{}", value.number());
            }
            return;
        case real:
            put_real(out, value.real(), spec.precision);
            return;
        case flag:
            out += value.number() != 0 ? "true" : "false";
            return;
        case none:
            return;
    }
}

void put_field(std::string& out, const FieldValue& value, std::string_view spec_text) {
    const Spec spec = parse_spec(spec_text);
    const std::size_t start = out.size();
    put_plain(out, value, spec);
    const std::size_t length = out.size() - start;
    if (length >= spec.width) return;
    const std::size_t missing = spec.width - length;
    const bool is_text = value.kind() == FieldValue::Kind::text;
    const bool right = spec.align == '>' || (spec.align == 0 && !is_text);
    if (right) {
        out.insert(start, missing, spec.zeros ? '0' : ' ');
    } else {
        out.append(missing, ' ');
    }
}

}  // namespace

void format_layout(std::string& out, std::string_view layout, std::span<const Field> fields) {
    while (!layout.empty()) {
        const std::size_t brace = layout.find_first_of("{}");
        out += layout.substr(0, brace);
        if (brace == std::string_view::npos) return;
        const bool doubled = brace + 1 < layout.size() && layout[brace + 1] == layout[brace];
        if (doubled) {
            out += layout[brace];
            layout.remove_prefix(brace + 2);
            continue;
        }
        const std::size_t close = layout.find('}', brace);
        TERN_ASSERT(layout[brace] == '{' && close != std::string_view::npos,
                    "unbalanced brace in a layout");
        const std::string_view inside = layout.substr(brace + 1, close - brace - 1);
        const std::size_t colon = inside.find(':');
        const std::string_view name = inside.substr(0, colon);
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [&](const Field& one) { return one.name == name; });
        TERN_ASSERT(field != fields.end(), "a layout names no field: ", name);
        const bool has_spec = colon != std::string_view::npos;
        put_field(out, field->value, has_spec ? inside.substr(colon + 1) : std::string_view());
        layout.remove_prefix(close + 1);
    }
}

}  // namespace tern::cli
