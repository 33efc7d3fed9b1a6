// Boost headers built without exceptions call this instead of throwing; it is the one definition of
// the program. What they would throw for is a bug here, so it ends the process.
#include "locking/check.h"

#include <exception>

namespace boost {

struct source_location;

[[noreturn]] void throw_exception(const std::exception& e) {
    tern::locking::fatal(tern::locking::Here::now(), {"Boost: ", e.what()});
}

[[noreturn]] void throw_exception(const std::exception& e, const source_location&) {
    tern::locking::fatal(tern::locking::Here::now(), {"Boost: ", e.what()});
}

}  // namespace boost
