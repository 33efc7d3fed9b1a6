#pragma once

/// Reads a configuration: text in, complete typed Config or one positioned error out.
/// Stops at the first error; warnings are kept in the Config. The caller owns the result and keeps
/// the SyntaxRegistry alive for as long. Runs on the loop that asked; opens nothing but the files
/// of the SourceReader.

#include "router/config/config.h"
#include "router/config/source.h"
#include "router/config/syntax.h"

#include <memory>
#include <string>

namespace tern::config {

using ParsedConfig = Result<std::unique_ptr<Config>, ConfigError>;

[[nodiscard]] ParsedConfig parse_config(SourceReader& reader,
                                        const std::string& path,
                                        const SyntaxRegistry& syntax);

/// A command line that is read in the scope of the running configuration. Names and filters it
/// defines live as long as this object and leave the configuration as it was.
class CommandText {
  public:
    CommandText(Config& running, std::string line);

    CommandText(const CommandText&) = delete;
    CommandText& operator=(const CommandText&) = delete;

    [[nodiscard]] Parser& parser() { return parser_; }

  private:
    MemoryReader reader_;
    SourceSet sources_;
    std::uint32_t file_;
    std::unique_ptr<FilterLanguage> language_;
    Scope scope_;
    Parser parser_;
};

}  // namespace tern::config
