# Fails if a library has a variable that is not in the list: shared state is named here, or does not
# exist. Called as cmake -DNM=… -DLIBRARY=… -P statics.cmake
cmake_minimum_required(VERSION 3.25)
set(allowed
    "last_serial"          # locks are numbered, so that pairs have an order
    "locks_alive"          # and counted
    "violation_handler"    # one place for all bugs of the process
    "long_wait_ns" "long_wait_handler"  # and one for its long waits
    "reports_running"      # locks outlive the reports about them
    "thread_list" "exit_key" "thread_state" "outside_of_the_list" "fork_depth"  # the threads of the process
    "reader_view" "state"  # grace periods are the process's
)
execute_process(COMMAND ${NM} -C -f sysv --defined-only ${LIBRARY}
    OUTPUT_VARIABLE symbols RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "cannot read ${LIBRARY}")
endif()
string(REPLACE ";" "," symbols "${symbols}")
string(REPLACE "\n" ";" lines "${symbols}")
set(seen 0)
foreach(line IN LISTS lines)
    if(NOT line MATCHES "\\|\\.(data|bss|tdata|tbss)[^|]*$" OR line MATCHES "\\|\\.data\\.rel\\.ro")
        continue()
    endif()
    string(REGEX REPLACE " *\\|.*" "" name "${line}")
    string(REPLACE "(anonymous namespace)::" "" name "${name}")
    string(REGEX REPLACE ".*::" "" last "${name}")
    math(EXPR seen "${seen} + 1")
    if(name MATCHES "\\)::" OR NOT last IN_LIST allowed)
        message(SEND_ERROR "${name} is not a variable that the library may have")
    endif()
endforeach()
message(STATUS "${seen} variables, all known")
