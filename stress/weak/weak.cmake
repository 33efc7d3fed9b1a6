# Real code in all interleavings on a weak machine: tern_weak(). It is compiled as for the thread sanitizer and linked
# with what answers the sanitizer's calls instead; nothing of that is in the libraries.
set(TERN_WEAK_FOLDER ${CMAKE_CURRENT_LIST_DIR})

# tern_weak(name SOURCES files... CODE files... DEPENDS names...) makes the Catch2 program test_<name> of the test's
# sources and of the code it is about, which is taken from there and not from the libraries, and the ctest <name>.
function(tern_weak name)
    if(NOT TERN_TESTS OR TERN_SANITIZE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR CMAKE_CROSSCOMPILING)
        return()
    endif()
    cmake_parse_arguments(ARG "" "" "SOURCES;CODE;DEPENDS" ${ARGN})
    if(NOT TARGET tern_weak)
        add_library(tern_weak OBJECT ${TERN_WEAK_FOLDER}/arena.cc ${TERN_WEAK_FOLDER}/compiler.cc
            ${TERN_WEAK_FOLDER}/explorer.cc ${TERN_WEAK_FOLDER}/machine.cc)
        target_include_directories(tern_weak PRIVATE ${TERN_ROOT})
        target_link_libraries(tern_weak PRIVATE tern_flags)
    endif()
    tern_test(${name}
        SOURCES ${ARG_SOURCES} ${ARG_CODE} $<TARGET_OBJECTS:tern_weak>
        DEPENDS ${ARG_DEPENDS})
    target_compile_options(test_${name} PRIVATE -fsanitize=thread)
endfunction()
