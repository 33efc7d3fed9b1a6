# Compiler settings and the functions every folder uses: tern_needs(), tern_library(), tern_program(),
# tern_test(), tern_acceptance() and tern_first_program(); tern_install() is in package.cmake.
# It lives in the lowest layer so that each library can also be configured alone.
include_guard(GLOBAL)

include(${CMAKE_CURRENT_LIST_DIR}/version.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/package.cmake)
get_filename_component(TERN_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

# Whether this build is ours, and not that of a project that added one of our folders.
set(TERN_OWN_BUILD OFF)
cmake_path(RELATIVE_PATH CMAKE_SOURCE_DIR BASE_DIRECTORY ${TERN_ROOT} OUTPUT_VARIABLE top_folder)
if(top_folder MATCHES "^(\\.|(stress/)?(locking|alloc|loops))$")
    set(TERN_OWN_BUILD ON)
endif()
option(TERN_TESTS "build the unit tests" ${TERN_OWN_BUILD})
option(TERN_WERROR "warnings are errors" ${TERN_OWN_BUILD})
option(TERN_FUZZ "build the fuzz targets with libFuzzer (clang)" OFF)
set(TERN_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ${TERN_OWN_BUILD})

# Objects do not depend on where the tree lies, so one cache serves all checkouts.
find_program(TERN_CCACHE ccache)
if(TERN_OWN_BUILD AND TERN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env CCACHE_BASEDIR=${TERN_ROOT} CCACHE_NOHASHDIR=1 ${TERN_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
find_package(Threads REQUIRED)

# How our own sources are compiled. Linked privately everywhere: it is nothing for users. Places in messages are
# named from the root of the tree, also where ccache has made the names of files relative.
cmake_path(RELATIVE_PATH TERN_ROOT BASE_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_VARIABLE root_from_build)
add_library(tern_flags INTERFACE)
target_compile_options(tern_flags INTERFACE
    -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wconversion -Wnon-virtual-dtor -Wimplicit-fallthrough
    $<$<BOOL:${TERN_WERROR}>:-Werror>
    -fno-omit-frame-pointer -ffile-prefix-map=${TERN_ROOT}/= -ffile-prefix-map=${root_from_build}/=
    $<$<CXX_COMPILER_ID:GNU>:-Wno-attributes>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
if(TERN_SANITIZE)
    target_compile_options(tern_flags INTERFACE -fsanitize=${TERN_SANITIZE} -fno-sanitize-recover=all
        # That check needs RTTI, which the libraries do without.
        -fno-sanitize=vptr
        # GCC's null checks jump on the flags of the addition that made the address of a thread-local object, which
        # the linker turns into a LEA that sets none; addresses that need no linker's help are computed as written.
        $<$<CXX_COMPILER_ID:GNU>:-ftls-model=local-exec>)
    target_link_options(tern_flags INTERFACE -fsanitize=${TERN_SANITIZE})
endif()
if(TERN_FUZZ)
    target_compile_options(tern_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# tern_needs(names...): libraries beside this folder, added unless they are there already. So one folder can be
# configured alone, or added alone by another project.
function(tern_needs)
    foreach(name ${ARGN})
        if(NOT TARGET tern_${name})
            add_subdirectory(${TERN_ROOT}/${name} ${CMAKE_BINARY_DIR}/tern/${name})
        endif()
    endforeach()
endfunction()

# tern_library(name SOURCES files... [DEPENDS names...] [LINK libraries...] [EXCEPTIONS])
# makes the static library tern_<name> with the alias tern::<name>.
function(tern_library name)
    cmake_parse_arguments(ARG "EXCEPTIONS" "" "SOURCES;DEPENDS;LINK" ${ARGN})
    add_library(tern_${name} STATIC ${ARG_SOURCES})
    add_library(tern::${name} ALIAS tern_${name})
    list(TRANSFORM ARG_DEPENDS PREPEND tern_)
    set_target_properties(tern_${name} PROPERTIES CXX_EXTENSIONS OFF)
    target_compile_features(tern_${name} PUBLIC cxx_std_20)
    target_include_directories(tern_${name} PUBLIC $<BUILD_INTERFACE:${TERN_ROOT}>)
    target_link_libraries(tern_${name}
        PUBLIC Threads::Threads ${ARG_DEPENDS} ${ARG_LINK}
        PRIVATE $<BUILD_INTERFACE:tern_flags>)
    if(NOT ARG_EXCEPTIONS)
        target_compile_options(tern_${name} PRIVATE -fno-exceptions -fno-rtti)
    endif()
endfunction()

# tern_program(name SOURCES files... [DEPENDS names...] [LINK libraries...])
# makes the program <name> in bin/ of the build.
function(tern_program name)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    list(TRANSFORM ARG_DEPENDS PREPEND tern_)
    target_link_libraries(${name} PRIVATE tern_flags ${ARG_DEPENDS} ${ARG_LINK})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
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
        target_include_directories(tern_catch_main PUBLIC ${TERN_ROOT})
        target_link_libraries(tern_catch_main PUBLIC tern_flags Threads::Threads)
        # It is not what is tested, and takes half a minute to optimise.
        target_compile_options(tern_catch_main PRIVATE -O0)
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

# tern_first_program(name) builds the first program in README.md of the library, the very text that stands there, and
# makes the ctest <name>_first_program.
function(tern_first_program name)
    if(NOT TERN_TESTS)
        return()
    endif()
    file(READ README.md readme)
    string(REGEX MATCH "```cpp\n([^`]*)```" program "${readme}")
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/first_program.cc CONTENT "${CMAKE_MATCH_1}" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS README.md)
    add_executable(${name}_first_program ${CMAKE_CURRENT_BINARY_DIR}/first_program.cc)
    target_link_libraries(${name}_first_program PRIVATE tern_flags tern_${name})
    add_test(NAME ${name}_first_program COMMAND ${name}_first_program)
    set_tests_properties(${name}_first_program PROPERTIES LABELS unit TIMEOUT 60)
endfunction()
