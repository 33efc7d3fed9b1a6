// Any text is a configuration or an error with a place; reading it never fails in another way.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/attr/core_attributes.h"
#include "router/config/config.h"
#include "router/config/parse_config.h"
#include "router/config/parse_filter.h"

#include <string>

TERN_FUZZ(config_text, data, size) {
    tern::attr::AttributeRegistry attributes;
    tern::attr::register_core_attributes(attributes);
    const tern::config::SyntaxRegistry syntax(tern::config::make_filter_language, &attributes);
    tern::config::MemoryReader files;
    files.add("/main", std::string(reinterpret_cast<const char*>(data), size));
    files.add("/other", "define OTHER = 1;\n");
    const tern::config::ParsedConfig parsed = tern::config::parse_config(files, "/main", syntax);
    if (parsed) return;
    TERN_ASSERT(!parsed.error().text.empty(), "an error says what it is");
    TERN_ASSERT(!parsed.error().render().empty(), "and can be shown");
}
