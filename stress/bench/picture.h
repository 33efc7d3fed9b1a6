#pragma once

/// A group of rows as one SVG of bars: tern in colour above its peers in grey, the middle half of
/// the rounds as a whisker, the target as a dashed line. Each row has a scale of its own that
/// begins at zero; a bar many times longer than the shortest is cut and says so by its broken end
/// and its figure. A pure function over results; it needs no font of its own and no script.

#include "stress/bench/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace tern::bench {

/// Those of the results that belong to the group, in their order.
std::string picture_of(const std::vector<Result>& results, std::string_view group);

/// Groups in the order of their first rows.
std::vector<std::string> groups_of(const std::vector<Result>& results);

/// A group's name as part of a file name: small letters, digits and hyphens.
std::string file_name_of(std::string_view group);

}  // namespace tern::bench
