# Fails if a library has a variable that is not in its list: shared state is named here, or does not
# exist. Called as cmake -DNM=… -DNAME=… -DLIBRARY=… -P look.cmake
cmake_minimum_required(VERSION 3.25)
set(allowed_locking
    "last_serial"          # locks are numbered, so that pairs have an order
    "locks_alive"          # and counted
    "violation_handler"    # one place for all bugs of the process
    "long_wait_ns" "long_wait_handler"  # and one for its long waits
    "reports_running"      # locks outlive the reports about them
    "thread_list" "exit_key" "thread_state" "outside_of_the_list" "fork_depth"  # the threads of the process
    "reader_view" "state"  # grace periods are the process's
)
set(allowed_alloc
    "thread_magazines"     # what a thread has in stock
    "thread_exit" "thread_ended" "__tls_guard"  # and gives back when it ends
    "registry" "fork_depth"  # the stocks of all threads of the process, whose fork nobody else hears of
    "scratch()::arena"     # one for each thread
    "next_page_holder()::last"  # slabs of different caches are told apart
    "PageCache::process()::made" "PageCache::process()::source" "PageCache::process()::cache"
)
set(allowed_loops
    "running_loop" "running_turn"  # what the thread is doing, by which a send knows its own loop
    "EventInbox::end_"     # an address that ends the lists, never written
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
    # A variable of a function keeps the function's name, and its guard goes with it.
    string(REGEX REPLACE "guard variable for |\\(anonymous namespace\\)::|tern::|${NAME}::|detail::|rcu::" ""
        short "${name}")
    math(EXPR seen "${seen} + 1")
    if(NOT short IN_LIST allowed_${NAME})
        message(SEND_ERROR "${name} is not a variable that the library may have")
    endif()
endforeach()
message(STATUS "${seen} variables, all known")
