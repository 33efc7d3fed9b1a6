// Real configurations of other people, each with the reference's verdict. What the reference
// accepts has to be read here too, unless this build says that it lacks a protocol, option or net
// type; what it refuses has to be refused, unless this language knows an older form of it and
// warns. The files are no part of the project: TERN_CORPUS names their folder, the test skips
// without it.

#include "router/attr/core_attributes.h"
#include "router/config/config.h"
#include "router/config/parse_config.h"
#include "router/config/parse_filter.h"
#include "router/config/source.h"
#include "router/daemon/protocols.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace tern::config {
namespace {

struct Verdict {
    std::string file;
    bool good = false;
    std::string complaint;
};

std::filesystem::path corpus_folder() {
    const char* const set = std::getenv("TERN_CORPUS");
    const std::filesystem::path root = set != nullptr ? set : "../../shared/corpus";
    return root / "configs";
}

std::vector<Verdict> read_verdicts(const std::filesystem::path& folder) {
    std::vector<Verdict> verdicts;
    std::ifstream file(folder / "verdicts.tsv");
    std::string line;
    while (std::getline(file, line)) {
        const std::size_t first = line.find('\t');
        const std::size_t second = line.find('\t', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        verdicts.push_back({line.substr(0, first),
                            line.substr(first + 1, second - first - 1) == "ok",
                            line.substr(second + 1)});
    }
    return verdicts;
}

/// One configuration in a language of its own, as the daemon would read it.
class Reader {
  public:
    explicit Reader(const std::string& path) : syntax_(make_filter_language, &attributes_) {
        attr::register_core_attributes(attributes_);
        daemon::register_protocol_attributes(attributes_);
        for (const engine::ProtocolDescriptor* descriptor : daemon::protocol_descriptors())
            syntax_.add(*descriptor->syntax);
        parsed_ = parse_config(files_, path, syntax_);
    }

    [[nodiscard]] bool good() const { return parsed_.has_value(); }

    [[nodiscard]] const ConfigError& error() const { return parsed_.error(); }

    [[nodiscard]] const std::vector<Diagnostic>& warnings() const { return (*parsed_)->warnings; }

  private:
    attr::AttributeRegistry attributes_;
    SyntaxRegistry syntax_;
    FileReader files_;
    ParsedConfig parsed_;
};

bool says_unavailable(const std::string& text) {
    return text.ends_with("available in this build");
}

}  // namespace

TEST_CASE("real configurations get the verdict of the reference") {
    const std::filesystem::path folder = corpus_folder();
    const std::vector<Verdict> verdicts = read_verdicts(folder);
    if (verdicts.empty()) {
        WARN("no corpus at " << folder << ", set TERN_CORPUS; skipped");
        return;
    }
    std::map<std::string, unsigned> count;
    std::vector<std::string> problems;
    for (const Verdict& verdict : verdicts) {
        const Reader reader((folder / verdict.file).string());
        if (reader.good() == verdict.good) {
            ++count[verdict.good ? "read" : "refused as they should be"];
        } else if (reader.good()) {
            const bool warned = !reader.warnings().empty();
            ++count[warned ? "read with a warning, the reference refuses them" : "read wrongly"];
            if (!warned) problems.push_back(verdict.file + ": read, but " + verdict.complaint);
            if (warned && std::getenv("TERN_VERBOSE") != nullptr) {
                fmt::print("{}: {}\n  but {}\n", verdict.file, verdict.complaint,
                           reader.warnings().front().summary());
            }
        } else if (says_unavailable(reader.error().text)) {
            ++count["need what this build lacks"];
            ++count["  " + reader.error().text];
        } else {
            ++count["refused wrongly"];
            problems.push_back(reader.error().render());
        }
    }
    for (const auto& [what, files] : count)
        fmt::print("{:>5} {}\n", files, what);
    for (const std::string& problem : problems)
        fmt::print("{}\n", problem);
    CHECK(problems.empty());
}

}  // namespace tern::config
