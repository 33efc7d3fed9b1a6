#pragma once

/// Results as text: the table people read, CSV and JSON for programs. Pure functions over results;
/// writing the files is the suite's. The CSV has one line per contestant and round, so that any
/// other statistic can be taken from it later; the JSON has the statistics shown in the table.

#include "stress/bench/result.h"

#include <string>
#include <vector>

namespace tern::bench {

/// Where and how the figures were taken.
struct Surroundings {
    std::string date;  ///< UTC
    std::string processor;
    unsigned cores = 0;
    std::string kernel;
    std::string compiler;
};

/// Three significant digits, as in "4.83", "1310", "0.0214".
std::string figure(double value);

std::string table_of(const Result& result);
/// One line per row: verdicts at a glance.
std::string overview_of(const std::vector<Result>& results);
/// The table of docs/performance.md, one line per row.
std::string markdown_of(const std::vector<Result>& results);
std::string csv_of(const std::vector<Result>& results);
std::string json_of(const std::vector<Result>& results, const Surroundings& where);

}  // namespace tern::bench
