# Every test/fuzz/NAME_fuzz.c is a program that libFuzzer drives; test/fuzz/README.md says how. Such a build has no other.
if(ARB_FUZZ)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/fuzz/*_fuzz.c)
  foreach(source IN LISTS fuzz_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/test)
    target_link_libraries(${name} PRIVATE arb_engine)
    if(name MATCHES "^flight_sql")
      target_link_libraries(${name} PRIVATE arb_flight_sql)
    endif()
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endforeach()
  return()
endif()

# Every test/unit/LIBRARY/NAME_test.c is a program that uses cmocka, may use its library and those below, and is a ctest
# of the same name.
enable_testing()
find_library(ARB_CMOCKA cmocka)

# System calls that a test takes the place of, in the libraries too: it has a function __wrap_NAME for each.
set(ARB_WRAPPED_io_torture_test open openat pread preadv2 pwrite write fsync close renameat)
set(ARB_WRAPPED_open_beneath_test syscall)
set(ARB_WRAPPED_descriptor_pool_test syscall open)

if(ARB_CMOCKA)
  foreach(library IN LISTS ARB_LIBRARIES ARB_CLUSTER_LIBRARIES)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/unit/${library}/*_test.c)
    if(NOT TARGET arb_scheduler_process) # which executor's tests use where it is there
      list(FILTER tests EXCLUDE REGEX "scheduler_process_test")
    endif()
    foreach(source IN LISTS tests)
      get_filename_component(name ${source} NAME_WE)
      add_executable(${name} ${source})
      target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/test)
      target_compile_definitions(${name} PRIVATE ARB_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      target_link_libraries(${name} PRIVATE arb_${library} ${ARB_CMOCKA})
      foreach(call IN LISTS ARB_WRAPPED_${name})
        target_link_options(${name} PRIVATE -Wl,--wrap=${call})
      endforeach()
      add_test(NAME ${library}/${name} COMMAND ${name})
    endforeach()
  endforeach()
endif()

file(GLOB slt_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/slt/*.c)
if(slt_sources AND TARGET arb_engine)
  if(TARGET arb_server)
    add_executable(arbalest-slt ${slt_sources})
    target_link_libraries(arbalest-slt PRIVATE arb_server)
    target_compile_definitions(arbalest-slt PRIVATE SLT_EXECUTORS)
  else()
    list(FILTER slt_sources EXCLUDE REGEX "flight_host|whole_cluster")
    add_executable(arbalest-slt ${slt_sources})
    target_link_libraries(arbalest-slt PRIVATE arb_engine)
  endif()
endif()

# A whole cluster with what its operators see, for a script that asks.
if(TARGET arb_server AND TARGET arb_rest)
  add_executable(rest_test_host ${CMAKE_SOURCE_DIR}/test/rest/rest_test_host.c
                 ${CMAKE_SOURCE_DIR}/test/slt/whole_cluster.c ${CMAKE_SOURCE_DIR}/test/slt/wire_tables.c)
  target_include_directories(rest_test_host PRIVATE ${CMAKE_SOURCE_DIR}/test)
  target_link_libraries(rest_test_host PRIVATE arb_server)
endif()

# Every test/tools/NAME.c is a program for people and scripts, which may use the libraries up to formats.
file(GLOB tool_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/tools/*.c)
if(TARGET arb_formats)
  foreach(source IN LISTS tool_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE arb_formats)
  endforeach()
endif()

# Every bench/NAME.c is a program that measures what a script cannot; see bench/README.md.
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.c)
if(TARGET arb_engine)
  foreach(source IN LISTS bench_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE arb_engine)
  endforeach()
endif()

# Every test/rpc/NAME.c is such a program that speaks to others over gRPC.
if(TARGET arb_rpc)
  file(GLOB rpc_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/rpc/*.c)
  foreach(source IN LISTS rpc_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/test)
    target_link_libraries(${name} PRIVATE arb_rpc)
  endforeach()
endif()

# Every test/flight_sql/NAME.c likewise, for Flight SQL's clients.
if(TARGET arb_flight_sql)
  file(GLOB flight_sql_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/flight_sql/*.c)
  foreach(source IN LISTS flight_sql_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE arb_flight_sql)
  endforeach()
endif()

# Scripts that drive a tool; they say themselves what they skip.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND TARGET parquet_dump)
  foreach(script IN ITEMS parquet_generated parquet_corpus)
    add_test(NAME formats/${script}
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/test/${script}.py $<TARGET_FILE:parquet_dump>)
    set_tests_properties(formats/${script} PROPERTIES RESOURCE_LOCK venv_pyarrow TIMEOUT 900)
  endforeach()
endif()
if(Python3_FOUND AND TARGET rest_test_host)
  add_test(NAME rest/rest_http
           COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/test/rest/rest_http.py $<TARGET_FILE:rest_test_host>)
  set_tests_properties(rest/rest_http PROPERTIES TIMEOUT 300)
endif()
if(Python3_FOUND AND TARGET flight_test_server AND NOT ARB_SANITIZE MATCHES "thread")
  add_test(NAME rpc/flight_pyarrow
           COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/test/rpc/flight_pyarrow.py $<TARGET_FILE:flight_test_server>)
  set_tests_properties(rpc/flight_pyarrow PROPERTIES RESOURCE_LOCK venv_pyarrow TIMEOUT 900)
endif()
if(Python3_FOUND AND TARGET sql_test_server AND NOT ARB_SANITIZE MATCHES "thread")
  foreach(script IN ITEMS flight_sql_raw flight_sql_adbc flight_sql_jdbc flight_sql_tpch)
    add_test(NAME flight_sql/${script}
             COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/test/flight_sql/${script}.py $<TARGET_FILE:sql_test_server>
                     $<TARGET_FILE:arbalest>)
    set_tests_properties(flight_sql/${script} PROPERTIES RESOURCE_LOCK venv_flight_sql TIMEOUT 900)
  endforeach()
endif()
if(Python3_FOUND AND TARGET ipc_dump)
  add_test(NAME columnar/ipc_golden
           COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/test/tools/ipc_golden.py $<TARGET_FILE:ipc_dump>
                   ${CMAKE_SOURCE_DIR}/../shared/corpora/arrow-testing/arrow-ipc-stream/integration)
  set_tests_properties(columnar/ipc_golden PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900)
endif()

# Clusters in simulated time, in one process.
file(GLOB simulator_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/cluster/*.c)
if(simulator_sources AND TARGET arb_executor)
  add_executable(arbalest-simulate ${simulator_sources})
  target_link_libraries(arbalest-simulate PRIVATE arb_executor)
endif()
