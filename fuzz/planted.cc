// A failure that is planted, to show that it is found and made small: an input in which the three
// letters of "bug" come in this order, whatever stands between them.

#include "fuzz/fuzz_target.h"

#include <cstdlib>
#include <string_view>

TERN_FUZZ(planted, data, size) {
    std::string_view left = "bug";
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] == static_cast<std::uint8_t>(left.front())) left.remove_prefix(1);
        if (left.empty()) std::abort();
    }
}
