#include "alloc/memory_report.h"

#include <algorithm>
#include <array>

#include <unistd.h>

namespace tern::alloc {

void MemoryText::line(std::string_view label, std::string_view name, const MemoryUsage* usage) {
    text_.append(2 * depth_, ' ');
    text_.append(label);
    if (!name.empty()) {
        text_.append(" ");
        text_.append(name);
    }
    if (usage != nullptr) {
        text_.append(": ");
        text_.append(std::to_string(usage->effective));
        text_.append(" + ");
        text_.append(std::to_string(usage->overhead));
    }
    text_.append("\n");
}

void MemoryText::enter_pool(std::string_view name, std::string_view domain) {
    std::string label("pool ");
    label.append(name);
    label.append(" in domain");
    line(label, domain, nullptr);
    ++depth_;
}

void MemoryText::resource(std::string_view kind, std::string_view name, const MemoryUsage& usage) {
    line(kind, name, &usage);
}

void MemoryText::leave_pool(std::string_view name, const MemoryUsage& usage) {
    line("all of", name, &usage);
    --depth_;
}

// JSON ---------------------------------------------------------------------------------------

void MemoryJson::comma() {
    if (!text_.empty() && text_.back() != '[') text_ += ',';
}

void MemoryJson::string(std::string_view value) {
    constexpr std::string_view digits = "0123456789abcdef";
    text_ += '"';
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += c;
        } else if (byte < 0x20) {
            text_ += "\\u00";
            text_ += digits[byte >> 4];
            text_ += digits[byte & 15];
        } else {
            text_ += c;
        }
    }
    text_ += '"';
}

void MemoryJson::usage(const MemoryUsage& usage) {
    text_ += "\"effective\":";
    text_ += std::to_string(usage.effective);
    text_ += ",\"overhead\":";
    text_ += std::to_string(usage.overhead);
}

void MemoryJson::enter_pool(std::string_view name, std::string_view domain) {
    comma();
    text_ += "{\"pool\":";
    string(name);
    text_ += ",\"domain\":";
    string(domain);
    text_ += ",\"contents\":[";
}

void MemoryJson::resource(std::string_view kind, std::string_view name, const MemoryUsage& usage) {
    comma();
    text_ += "{\"kind\":";
    string(kind);
    text_ += ",\"name\":";
    string(name);
    text_ += ',';
    this->usage(usage);
    text_ += '}';
}

void MemoryJson::leave_pool(std::string_view, const MemoryUsage& usage) {
    text_ += "],";
    this->usage(usage);
    text_ += '}';
}

// Lines without memory -----------------------------------------------------------------------

void MemoryLines::line(std::initializer_list<locking::TextPiece> pieces) {
    std::array<char, 512> text;
    std::size_t length = std::min(2 * depth_, std::size_t{64});
    std::fill_n(text.begin(), length, ' ');
    for (const locking::TextPiece& piece : pieces) {
        length += piece.write(text.data() + length, text.size() - 1 - length);
    }
    text[length++] = '\n';
    // Nobody is there to be told of an error.
    if (::write(descriptor_, text.data(), length) < 0) return;
}

void MemoryLines::enter_pool(std::string_view name, std::string_view domain) {
    line({"pool ", name, " in domain ", domain});
    ++depth_;
}

void MemoryLines::resource(std::string_view kind, std::string_view name, const MemoryUsage& usage) {
    line({kind, name.empty() ? "" : " ", name, ": ", usage.effective, " + ", usage.overhead});
}

void MemoryLines::leave_pool(std::string_view name, const MemoryUsage& usage) {
    line({"all of ", name, ": ", usage.effective, " + ", usage.overhead});
    --depth_;
}

}  // namespace tern::alloc
