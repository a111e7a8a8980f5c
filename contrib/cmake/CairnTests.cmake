# Everything ctest runs, by label:
#   unit        test/unit/ROOM/*.c and test/model/ROOM/*.c: the Criterion programs test_ROOM and model_ROOM, which link
#               their room and what that room may see
#   sim         test/sim: virtual networks from every seed that ever failed, and from new ones each day
#   fuzz        (also unit) test/fuzz/NAME.c over the files of test/fuzz/corpus/NAME, without libFuzzer
#   thread      test/thread/*.c: one plain program a file (Criterion does not run under ThreadSanitizer)
#   lab         cairn-lab check: the scenarios and lessons of conf/lab against the figures in their files
#   lint        test/lint/*.py, each with a run that plants a violation and must find it
#   browser     test/browser: the laboratory's page, its reducer in node and the whole of it in Chromium; skipped without them
#   functional  test/functional/test_*.py: real daemons; CAIRN_BIN_DIR in the environment names the folder of the programs
pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
# The system's own Python where there is one: it sees the system's modules (python3-bitcoinlib).
find_program(CAIRN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(CAIRN_PYTHON python3 REQUIRED)

# Criterion passes a test that leaks: in sanitizer builds a wrapper fails where the sanitizer wrote a report. There tests
# run one after the other, because with two jobs Criterion's runner itself leaks now and then.
set(CAIRN_TEST_JOBS 2)
if(CAIRN_SANITIZE)
  set(CAIRN_TEST_WRAPPER "${PROJECT_SOURCE_DIR}/contrib/cmake/run_sanitized")
  set(CAIRN_TEST_JOBS 1)
endif()

# Helpers that tests of several rooms share (reading data files, hex): test/support/*.c
file(GLOB support CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/support/*.c")
if(support)
  add_library(cairn_test_support STATIC ${support})
  target_include_directories(cairn_test_support PUBLIC "${PROJECT_SOURCE_DIR}/test")
  target_link_libraries(cairn_test_support PUBLIC cairn_base PkgConfig::ZSTD PkgConfig::JANSSON)
endif()

# cairn_criterion(PROGRAM LIBRARY FOLDER): FOLDER/*.c as one Criterion program with LIBRARY. Nothing without sources.
function(cairn_criterion program library folder)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.c")
  if(NOT sources OR NOT TARGET ${library})
    return()
  endif()
  add_executable(${program} ${sources})
  target_compile_definitions(${program} PRIVATE CAIRN_TEST_DATA="${CAIRN_TEST_DATA}")
  target_link_libraries(${program} PRIVATE ${library} PkgConfig::CRITERION)
  if(TARGET cairn_test_support)
    target_link_libraries(${program} PRIVATE cairn_test_support)
  endif()
  string(REGEX REPLACE "^test_" "unit_" name "${program}")
  add_test(NAME ${name} COMMAND ${CAIRN_TEST_WRAPPER} $<TARGET_FILE:${program}> --jobs ${CAIRN_TEST_JOBS})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 900)
endfunction()

get_property(rooms GLOBAL PROPERTY CAIRN_ROOMS)
foreach(room IN LISTS rooms)
  cairn_criterion(test_${room} cairn_${room} "${PROJECT_SOURCE_DIR}/test/unit/${room}")
  cairn_criterion(model_${room} cairn_${room} "${PROJECT_SOURCE_DIR}/test/model/${room}")
endforeach()
# Their chains lie on the stores in memory, which belong to a room above them.
foreach(room IN ITEMS chain index mempool p2p miner node rpc)
  if(TARGET test_${room})
    target_link_libraries(test_${room} PRIVATE cairn_store)
  endif()
endforeach()
cairn_criterion(test_lib cairn_library "${PROJECT_SOURCE_DIR}/test/unit/lib")

# What the fuzz targets (CairnFuzz.cmake) found worth keeping, replayed.
file(GLOB corpora CONFIGURE_DEPENDS LIST_DIRECTORIES true "${PROJECT_SOURCE_DIR}/test/fuzz/corpus/*")
set(every_room ${rooms})
list(TRANSFORM every_room PREPEND cairn_)
foreach(corpus IN LISTS corpora)
  get_filename_component(name "${corpus}" NAME)
  add_executable(replay_${name} "${PROJECT_SOURCE_DIR}/test/fuzz/${name}.c" "${PROJECT_SOURCE_DIR}/test/fuzz/replay/main.c")
  target_include_directories(replay_${name} PRIVATE "${PROJECT_SOURCE_DIR}/test")
  target_link_libraries(replay_${name} PRIVATE ${every_room})
  add_test(NAME replay_${name} COMMAND ${CAIRN_TEST_WRAPPER} $<TARGET_FILE:replay_${name}> "${corpus}")
  set_tests_properties(replay_${name} PROPERTIES LABELS "unit;fuzz" TIMEOUT 300)
endforeach()

# Thread tests: exit status 0 or the test failed.
file(GLOB threads CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/thread/*.c")
foreach(source IN LISTS threads)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(thread_${name} "${source}")
  target_compile_definitions(thread_${name} PRIVATE CAIRN_TEST_DATA="${CAIRN_TEST_DATA}")
  target_link_libraries(thread_${name} PRIVATE cairn_daemon cairn_test_support)
  add_test(NAME thread_${name} COMMAND ${CAIRN_TEST_WRAPPER} $<TARGET_FILE:thread_${name}>)
  set_tests_properties(thread_${name} PROPERTIES LABELS thread TIMEOUT 300)
  list(APPEND thread_targets thread_${name})
endforeach()
add_custom_target(thread_tests DEPENDS ${thread_targets})

# Lints: the sources are one tree whatever the build, so that only plain builds run them.
if(NOT CAIRN_SANITIZE)
  foreach(lint include_direction no_globals purity file_size forbidden_words clang_format sanitizer_wrapper test_counts generated option_rows
          doc_links)
    set(command "${CAIRN_PYTHON}" "${PROJECT_SOURCE_DIR}/test/lint/${lint}.py")
    add_test(NAME lint_${lint} COMMAND ${command} --source "${PROJECT_SOURCE_DIR}" --build "${PROJECT_BINARY_DIR}")
    add_test(NAME lint_${lint}_finds COMMAND ${command} --self-test)
    set_tests_properties(lint_${lint} lint_${lint}_finds PROPERTIES
      LABELS lint TIMEOUT 120 ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;CC=${CMAKE_C_COMPILER}")
  endforeach()
endif()

# Functional tests need the programs.
file(GLOB functional CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/functional/test_*.py")
if(TARGET cairnd AND NOT CAIRN_SANITIZE STREQUAL "thread")
  foreach(source IN LISTS functional)
    get_filename_component(name "${source}" NAME_WE)
    string(REGEX REPLACE "^test_" "functional_" name "${name}")
    add_test(NAME ${name} COMMAND "${CAIRN_PYTHON}" "${source}")
    set_tests_properties(${name} PROPERTIES LABELS functional TIMEOUT 600
      ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;CAIRN_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};CAIRN_TEST_DATA_DEFAULT=${CAIRN_TEST_DATA}")
  endforeach()
endif()

# The laboratory's page. Status 77: skipped, because node, Chromium or Playwright (test/browser/package.json) are not there.
if(TARGET cairn-lab AND NOT CAIRN_SANITIZE)
  add_test(NAME browser_state COMMAND "${PROJECT_SOURCE_DIR}/test/browser/run" state.test.mjs)
  add_test(NAME browser_page COMMAND "${PROJECT_SOURCE_DIR}/test/browser/run" test_page.mjs)
  set_tests_properties(browser_state browser_page PROPERTIES LABELS browser TIMEOUT 900 SKIP_RETURN_CODE 77
    ENVIRONMENT "CAIRN_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  set_tests_properties(browser_page PROPERTIES RUN_SERIAL TRUE)
endif()

# Virtual networks.
if(TARGET cairn-sim AND NOT CAIRN_SANITIZE STREQUAL "thread")
  add_test(NAME sim_seeds COMMAND $<TARGET_FILE:cairn-sim> --file "${PROJECT_SOURCE_DIR}/test/sim/seeds" --jobs 2)
  add_test(NAME sim_new_seeds COMMAND "${PROJECT_SOURCE_DIR}/test/sim/new_seeds" $<TARGET_FILE:cairn-sim>)
  set_tests_properties(sim_seeds sim_new_seeds PROPERTIES LABELS sim TIMEOUT 600)
endif()

# The laboratory's scenarios and lessons, each to its end and against its figures.
if(TARGET cairn-lab AND NOT CAIRN_SANITIZE)
  add_test(NAME lab_check COMMAND $<TARGET_FILE:cairn-lab> check)
  set_tests_properties(lab_check PROPERTIES LABELS lab TIMEOUT 600
    ENVIRONMENT "CAIRN_LAB_DIR=${PROJECT_SOURCE_DIR}/conf/lab")
endif()

# Benchmarks: one program each, never run as tests.
file(GLOB benches CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/bench/*.c")
foreach(source IN LISTS benches)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} EXCLUDE_FROM_ALL "${source}")
  target_compile_definitions(${name} PRIVATE CAIRN_TEST_DATA="${CAIRN_TEST_DATA}")
  target_link_libraries(${name} PRIVATE cairn_daemon cairn_test_support)
  if(name STREQUAL "bench_lab")
    target_link_libraries(${name} PRIVATE cairn_lab)
  endif()
  list(APPEND bench_targets ${name})
endforeach()
add_custom_target(bench DEPENDS ${bench_targets})

# Random transactions for test/interop/mempool_with_core.py, which compares the pool with Bitcoin Core's.
file(GLOB stream CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/interop/*.c")
add_executable(tx_stream EXCLUDE_FROM_ALL ${stream})
target_link_libraries(tx_stream PRIVATE cairn_consensus)
