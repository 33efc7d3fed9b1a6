# What `cmake --install` leaves for other projects: tern_install() makes a library a component of the package
# tern. Headers go to include/tern, so that `#include "locking/domain.h"` works for users as it does here;
# warnings, sanitizers and the compiler cache stay at home.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# tern_install(name): tern_<name>, the headers of the present folder and what find_package(tern) reads.
function(tern_install name)
    set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tern)
    set(folder ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    set_target_properties(tern_${name} PROPERTIES EXPORT_NAME ${name})
    target_include_directories(tern_${name}
        PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tern>)
    install(TARGETS tern_${name} EXPORT tern-${name}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT toolkit)
    install(EXPORT tern-${name} NAMESPACE tern:: DESTINATION ${package} COMPONENT toolkit)
    install(DIRECTORY ./ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tern/${name} COMPONENT toolkit
        FILES_MATCHING PATTERN "*.h" PATTERN "*_test.h" EXCLUDE PATTERN "test_*.h" EXCLUDE PATTERN "*_testing.h" EXCLUDE)
    write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tern-config-version.cmake
        VERSION ${TERN_VERSION} COMPATIBILITY SameMinorVersion)
    install(FILES ${folder}/tern-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/tern-config-version.cmake
        DESTINATION ${package} COMPONENT toolkit)
endfunction()
