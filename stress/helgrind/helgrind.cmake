# Races in the libraries, looked for by Valgrind's Helgrind: tern_helgrind(). Their sources are compiled once more
# with their atomics as calls, which atomics.cc explains to Helgrind; nothing of that is in the libraries.
set(TERN_HELGRIND_FOLDER ${CMAKE_CURRENT_LIST_DIR})
find_program(TERN_VALGRIND valgrind)
find_path(TERN_HELGRIND_HEADER valgrind/helgrind.h)
set(TERN_HELGRIND OFF)
if(TERN_TESTS AND NOT TERN_SANITIZE AND TERN_VALGRIND AND TERN_HELGRIND_HEADER
        AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CROSSCOMPILING)
    set(TERN_HELGRIND ON)
endif()

# A library, with the atomics it shares with the test as calls.
function(tern_helgrind_library name)
    if(TARGET tern_${name}_helgrind)
        return()
    endif()
    if(NOT TARGET tern_helgrind_atomics)
        add_library(tern_helgrind_atomics STATIC ${TERN_HELGRIND_FOLDER}/atomics.cc)
        target_link_libraries(tern_helgrind_atomics PRIVATE tern_flags)
    endif()
    get_target_property(sources tern_${name} SOURCES)
    list(TRANSFORM sources PREPEND ${TERN_ROOT}/${name}/)
    add_library(tern_${name}_helgrind STATIC ${sources})
    target_include_directories(tern_${name}_helgrind PUBLIC ${TERN_ROOT})
    target_compile_options(tern_${name}_helgrind PUBLIC -fno-inline-atomics)
    target_link_libraries(tern_${name}_helgrind PUBLIC tern_flags Threads::Threads tern_helgrind_atomics)
endfunction()

# tern_helgrind(name SOURCES files... DEPENDS names... [PLANTED file]) makes the program test_<name>_helgrind of the
# test's sources and the libraries, each before those it needs, and the ctest helgrind_<name>, without suppressions.
# The ctest helgrind_<name>_planted runs the hidden case [planted] of that file, whose race Helgrind must find.
function(tern_helgrind name)
    if(NOT TERN_HELGRIND)
        return()
    endif()
    cmake_parse_arguments(ARG "" "PLANTED" "SOURCES;DEPENDS" ${ARGN})
    add_executable(test_${name}_helgrind ${ARG_SOURCES} ${ARG_PLANTED})
    target_link_libraries(test_${name}_helgrind PRIVATE tern_catch_main)
    foreach(library ${ARG_DEPENDS})
        tern_helgrind_library(${library})
        target_link_libraries(test_${name}_helgrind PRIVATE tern_${library}_helgrind)
    endforeach()
    set(helgrind ${TERN_VALGRIND} --quiet --tool=helgrind --error-exitcode=9 --track-lockorders=no
        --fair-sched=yes --child-silent-after-fork=yes $<TARGET_FILE:test_${name}_helgrind>)
    add_test(NAME helgrind_${name} COMMAND ${helgrind})
    set_tests_properties(helgrind_${name} PROPERTIES LABELS valgrind TIMEOUT 300 ENVIRONMENT "TERN_STRESS=2")
    if(ARG_PLANTED)
        add_test(NAME helgrind_${name}_planted COMMAND ${helgrind} [planted])
        set_tests_properties(helgrind_${name}_planted PROPERTIES
            LABELS valgrind TIMEOUT 300 PASS_REGULAR_EXPRESSION "Possible data race.*${ARG_PLANTED}")
    endif()
endfunction()
