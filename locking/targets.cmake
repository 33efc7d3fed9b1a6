# Compiler settings and the functions every folder uses: tern_library(), tern_test() and
# tern_acceptance().
# It lives in the lowest layer so that each library can also be configured alone.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
get_filename_component(TERN_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

# Objects do not depend on where the tree lies, so one cache serves all checkouts.
find_program(TERN_CCACHE ccache)
if(TERN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env CCACHE_BASEDIR=${TERN_ROOT} CCACHE_NOHASHDIR=1 ${TERN_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
find_package(Threads REQUIRED)

add_library(tern_flags INTERFACE)
target_include_directories(tern_flags INTERFACE ${TERN_ROOT})
target_compile_options(tern_flags INTERFACE
    -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wconversion -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror
    -fno-omit-frame-pointer -ffile-prefix-map=${TERN_ROOT}/= $<$<CXX_COMPILER_ID:GNU>:-Wno-attributes>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
target_link_libraries(tern_flags INTERFACE Threads::Threads)
if(TERN_SANITIZE)
    target_compile_options(tern_flags INTERFACE -fsanitize=${TERN_SANITIZE} -fno-sanitize-recover=all
        # That check needs RTTI, which the libraries do without.
        -fno-sanitize=vptr)
    target_link_options(tern_flags INTERFACE -fsanitize=${TERN_SANITIZE})
endif()
if(TERN_FUZZ)
    target_compile_options(tern_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# tern_library(name SOURCES files... [DEPENDS names...] [LINK libraries...] [EXCEPTIONS])
# makes the static library tern_<name> with the alias tern::<name>.
function(tern_library name)
    cmake_parse_arguments(ARG "EXCEPTIONS" "" "SOURCES;DEPENDS;LINK" ${ARGN})
    add_library(tern_${name} STATIC ${ARG_SOURCES})
    add_library(tern::${name} ALIAS tern_${name})
    list(TRANSFORM ARG_DEPENDS PREPEND tern_)
    target_link_libraries(tern_${name} PUBLIC tern_flags ${ARG_DEPENDS} ${ARG_LINK})
    if(NOT ARG_EXCEPTIONS)
        target_compile_options(tern_${name} PRIVATE -fno-exceptions -fno-rtti)
    endif()
endfunction()

# tern_test(name SOURCES files... [DEPENDS names...] [LINK libraries...] [LABELS labels...] [TIMEOUT seconds])
# makes the Catch2 executable test_<name> and the ctest of that name.
function(tern_test name)
    if(NOT TERN_TESTS)
        return()
    endif()
    cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS;LINK;LABELS" ${ARGN})
    if(NOT TARGET tern_catch_main)
        add_library(tern_catch_main STATIC ${TERN_ROOT}/locking/catch_main.cc)
        target_link_libraries(tern_catch_main PUBLIC tern_flags)
        # GCC 12 with the address sanitizer sees uninitialised members in std::regex, which is not ours.
        target_compile_options(tern_catch_main PRIVATE -Wno-maybe-uninitialized)
    endif()
    add_executable(test_${name} ${ARG_SOURCES})
    list(TRANSFORM ARG_DEPENDS PREPEND tern_)
    target_link_libraries(test_${name} PRIVATE tern_catch_main ${ARG_DEPENDS} ${ARG_LINK})
    add_test(NAME ${name} COMMAND test_${name})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 300)
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "unit;${ARG_LABELS}"
        WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()

# tern_acceptance(AT-NAME-1 test_target [LABELS labels...] [TIMEOUT seconds])
# makes the ctest AT-NAME-1, which runs the cases of that Catch2 executable tagged [AT-NAME-1]. It
# fails if there is none. `ctest -R AT-` runs all acceptance tests, `-L acceptance` as well.
function(tern_acceptance name target)
    if(NOT TERN_TESTS OR NOT TARGET ${target})
        return()
    endif()
    cmake_parse_arguments(ARG "" "TIMEOUT" "LABELS" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 300)
    endif()
    add_test(NAME ${name} COMMAND ${target} "[${name}]" --warn NoTests)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "acceptance;${ARG_LABELS}"
        WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
