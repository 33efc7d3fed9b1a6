// The one main() of all unit tests; compiled once because Catch2's implementation is large.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
