# The libraries of src/, lowest first. A library includes itself and those before it, nothing else: test/lint checks it
# against this very list.
set(ARB_LIBRARIES
    base runtime io columnar kernels wire expr formats catalog plan sql optimizer execution exchange engine)

# What each needs from outside.
set(ARB_NEEDS_base mimalloc m)
set(ARB_NEEDS_runtime Threads::Threads)
set(ARB_NEEDS_io zstd lz4 snappy deflate brotlidec)
set(ARB_NEEDS_kernels pcre2-8 utf8proc)
set(ARB_NEEDS_wire protobuf-c)
set(ARB_NEEDS_exchange xxhash)

# A *_kernel.c is compiled once for each x86-64 level; see src/base/cpu.h.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(ARB_LEVELS v2 v3 v4)
else()
  set(ARB_LEVELS v2)
endif()

# Files that are written name the version that wrote them.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/formats/parquet/parquet_write_footer.c PROPERTIES
                            COMPILE_DEFINITIONS ARB_VERSION="${PROJECT_VERSION}")

set(ARB_BELOW "")
# proto/NAME.proto becomes proto/NAME.pb-c.h and .c, which belong to wire.
find_program(ARB_PROTOC_C protoc-c REQUIRED)
file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/proto/*.proto)
set(ARB_GENERATED "")
foreach(proto IN LISTS protos)
  get_filename_component(name ${proto} NAME_WE)
  set(made ${CMAKE_BINARY_DIR}/proto/${name}.pb-c.c ${CMAKE_BINARY_DIR}/proto/${name}.pb-c.h)
  add_custom_command(OUTPUT ${made} DEPENDS ${protos}
                     COMMAND ${ARB_PROTOC_C} --proto_path=${CMAKE_SOURCE_DIR} --c_out=${CMAKE_BINARY_DIR} proto/${name}.proto
                     WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  list(APPEND ARB_GENERATED ${made})
endforeach()
set_source_files_properties(${ARB_GENERATED} PROPERTIES COMPILE_OPTIONS -w)
add_custom_target(arb_protos DEPENDS ${ARB_GENERATED})
include_directories(${CMAKE_BINARY_DIR})

foreach(library IN LISTS ARB_LIBRARIES)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${library}/*.c)
  if(NOT sources)
    continue()
  endif()
  set(kernels ${sources})
  list(FILTER kernels INCLUDE REGEX "_kernel\\.c$")
  list(FILTER sources EXCLUDE REGEX "_kernel\\.c$")
  add_library(arb_${library} STATIC ${sources})
  if(kernels)
    foreach(level IN LISTS ARB_LEVELS)
      add_library(arb_${library}_${level} OBJECT ${kernels})
      target_compile_definitions(arb_${library}_${level} PRIVATE ARB_LEVEL=${level} ARB_LEVEL_${level}=1)
      target_compile_options(arb_${library}_${level} PRIVATE $<$<CONFIG:Release>:-O3>)
      if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        target_compile_options(arb_${library}_${level} PRIVATE -march=x86-64-${level})
      endif()
      target_sources(arb_${library} PRIVATE $<TARGET_OBJECTS:arb_${library}_${level}>)
    endforeach()
  endif()
  set(reversed ${ARB_BELOW})
  list(REVERSE reversed)
  target_link_libraries(arb_${library} PUBLIC ${reversed} ${ARB_NEEDS_${library}})
  if(library STREQUAL "wire")
    target_sources(arb_wire PRIVATE ${ARB_GENERATED})
  endif()
  if("arb_wire" IN_LIST ARB_BELOW)
    add_dependencies(arb_${library} arb_protos)
  endif()
  list(APPEND ARB_BELOW arb_${library})
endforeach()

file(GLOB cli_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/*.c)
if(cli_sources AND NOT ARB_FUZZ)
  list(REVERSE ARB_BELOW)
  add_executable(arbalest ${cli_sources})
  target_link_libraries(arbalest PRIVATE ${ARB_BELOW} edit)
  target_compile_definitions(arbalest PRIVATE ARB_VERSION="${PROJECT_VERSION}")
endif()
