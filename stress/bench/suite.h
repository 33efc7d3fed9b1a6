#pragma once

/// The rows of one library as a program: runs those named on the command line, contestants in turn,
/// prints tables as it goes and leaves them, CSV, JSON and pictures behind. Each bench program
/// fills one suite in main() and returns what it returns. It measures from its only thread;
/// contestants may start their own but must have joined them when they return.

#include "stress/bench/result.h"
#include "stress/bench/row.h"

#include <string>
#include <string_view>
#include <vector>

namespace tern::bench {

class Suite {
  public:
    /// The name is that of the library and of the files: "locking".
    explicit Suite(std::string_view name) : name_(name) {}

    /// A row to be filled in place with contestants. The reference is good until the next call.
    Row& add(Row row);

    /// Usage: [--rounds N] [--output DIRECTORY] [--list] [ROW...]. Exit status 1 if tern failed in
    /// a row, 2 if the command line is wrong; a missed target is not a failure.
    int main(int argc, char** argv);

  private:
    struct Options {
        unsigned rounds = 0;  ///< 0: as the rows say
        std::string output = "build/bench";
        bool list = false;
        std::vector<std::string> rows;
    };

    bool parse(int argc, char** argv, Options& options) const;
    const Row* find(std::string_view id) const;
    int run_cell(int argc, char** argv) const;
    int list() const;
    bool write_files(const std::vector<Result>& results, const std::string& directory) const;

    std::string name_;
    std::vector<Row> rows_;
};

/// Runs a row: one round that does not count, then the others.
Result run_row(const Row& row, unsigned rounds);

}  // namespace tern::bench
