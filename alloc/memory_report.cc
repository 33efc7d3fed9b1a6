#include "alloc/memory_report.h"

#include "alloc/pool.h"

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

// The largest --------------------------------------------------------------------------------

void MemoryLargest::offer(std::initializer_list<locking::TextPiece> pieces,
                          const MemoryUsage& usage) {
    std::size_t at = count_;
    while (at > 0 && entries_[at - 1].usage.total() < usage.total()) {
        --at;
    }
    if (count_ == entries_max) ++left_out_;
    if (at == entries_max) return;
    const std::size_t moved = std::min(count_, entries_max - 1);
    std::copy_backward(entries_ + at, entries_ + moved, entries_ + moved + 1);
    count_ = moved + 1;
    Entry& entry = entries_[at];
    entry.usage = usage;
    entry.length = 0;
    for (const locking::TextPiece& piece : pieces)
        entry.length += piece.write(entry.text + entry.length, text_max - entry.length);
}

void MemoryLargest::enter_pool(std::string_view name, std::string_view) {
    const std::size_t separator = path_length_ + path_cut_ == 0 ? 0 : 1;
    const std::size_t added = std::min(name.size() + separator, text_max - path_length_);
    path_cut_ += name.size() + separator - added;
    if (added == 0) return;
    if (separator != 0) path_[path_length_] = '/';
    std::copy_n(name.data(), added - separator, path_ + path_length_ + separator);
    path_length_ += added;
}

void MemoryLargest::resource(std::string_view kind,
                             std::string_view name,
                             const MemoryUsage& usage) {
    offer({kind, name.empty() ? "" : " ", name, " in pool ", path()}, usage);
}

void MemoryLargest::leave_pool(std::string_view name, const MemoryUsage& usage) {
    offer({"pool ", path()}, usage);
    const std::size_t separator = path_length_ + path_cut_ == name.size() ? 0 : 1;
    const std::size_t uncut = std::min(path_cut_, name.size() + separator);
    path_cut_ -= uncut;
    path_length_ -= name.size() + separator - uncut;
}

void MemoryLargest::tell(locking::TextBuffer& report) const {
    report.add({"\nbytes in use + overhead, the largest first:"});
    for (std::size_t i = 0; i < count_; ++i) {
        const Entry& entry = entries_[i];
        report.add({"\n  ", std::string_view(entry.text, entry.length), ": ", entry.usage.effective,
                    " + ", entry.usage.overhead});
    }
    if (left_out_ != 0) report.add({"\n  and ", left_out_, " more"});
}

void tell_largest(void* root, locking::TextBuffer& report) noexcept {
    MemoryLargest largest;
    static_cast<Pool*>(root)->report_without_waiting(largest);
    largest.tell(report);
}

}  // namespace tern::alloc
