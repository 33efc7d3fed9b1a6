#include "alloc/memory_report.h"

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

}  // namespace tern::alloc
