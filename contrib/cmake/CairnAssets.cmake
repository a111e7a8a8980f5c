# The page of cairn-lab in the program: every file of src/lab/page as a row of lab_assets (src/lab/web.h).
# Included, it adds the generated source to cairn_lab; run with -P, it writes that source. Nothing but CMake is needed.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(page "${PROJECT_SOURCE_DIR}/src/lab/page")
  set(generated "${PROJECT_BINARY_DIR}/generated/lab_assets.c")
  file(GLOB_RECURSE assets CONFIGURE_DEPENDS RELATIVE "${page}" "${page}/*")
  list(FILTER assets EXCLUDE REGEX "(^|/)\\.|~$") # hidden files, and what editors leave
  list(TRANSFORM assets PREPEND "${page}/" OUTPUT_VARIABLE asset_paths)
  list(JOIN assets ":" asset_names)
  add_custom_command(OUTPUT "${generated}"
    COMMAND ${CMAKE_COMMAND} -D "OUT=${generated}" -D "FOLDER=${page}" -D "NAMES=${asset_names}"
            -P "${CMAKE_CURRENT_LIST_FILE}"
    DEPENDS ${asset_paths} "${CMAKE_CURRENT_LIST_FILE}"
    COMMENT "Embedding the page of cairn-lab" VERBATIM)
  target_sources(cairn_lab PRIVATE "${generated}")
  return()
endif()

cmake_minimum_required(VERSION 3.25)
set(type_html "text/html; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_mjs "text/javascript; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_json "application/json")
set(type_txt "text/plain; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_png "image/png")
set(type_ico "image/x-icon")
set(type_woff2 "font/woff2")
set(type_webmanifest "application/manifest+json")

string(REPLACE ":" ";" names "${NAMES}")
set(arrays "")
set(rows "")
set(number 0)
foreach(name IN LISTS names)
  string(REGEX REPLACE ".*\\." "" ending "${name}")
  if(NOT DEFINED type_${ending})
    set(type_${ending} "application/octet-stream")
  endif()
  file(READ "${FOLDER}/${name}" digits HEX)
  string(LENGTH "${digits}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "(................................................................)" "\\1\n" digits "${digits}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," digits "${digits}")
  # The zero at the end is not counted: an empty file is an array, too.
  string(APPEND arrays "static const unsigned char file_${number}[] = {\n${digits}0};\n\n")
  string(APPEND rows "    {\"${name}\", \"${type_${ending}}\", file_${number}, ${length}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUT}" "/* Generated from src/lab/page by contrib/cmake/CairnAssets.cmake. */
#include \"lab/web.h\"

${arrays}const struct lab_asset lab_assets[] = {
${rows}    {0},
};
const size_t lab_asset_count = ${number};
")
