# libcairn, what other programs link (include/cairn): src/lib over the rooms of the node.
#   libcairn.so  shared; everything but cairn_* is hidden
#   libcairn.a   static; one object whose hidden symbols were made local, so that our names cannot meet the user's
file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/lib/*.c")
if(NOT sources OR NOT TARGET cairn_store)
  return()
endif()
foreach(room IN ITEMS store chain consensus script primitives crypto base)
  if(TARGET cairn_${room})
    list(APPEND library_rooms cairn_${room})
  endif()
endforeach()

add_library(cairn_library STATIC ${sources})
target_compile_definitions(cairn_library PRIVATE CAIRN_VERSION_TEXT="${PROJECT_VERSION}")
target_include_directories(cairn_library PUBLIC "${PROJECT_SOURCE_DIR}/include" PRIVATE "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(cairn_library PUBLIC ${library_rooms})

# The rooms' archives have no prefix in common with the public names, so that nothing but src/lib is exported.
add_library(cairn_shared SHARED ${sources})
set_target_properties(cairn_shared PROPERTIES OUTPUT_NAME cairn VERSION ${PROJECT_VERSION} SOVERSION 0)
target_compile_definitions(cairn_shared PRIVATE CAIRN_VERSION_TEXT="${PROJECT_VERSION}")
target_include_directories(cairn_shared PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(cairn_shared PRIVATE ${library_rooms})
if(NOT CAIRN_SANITIZE)
  target_link_options(cairn_shared PRIVATE -Wl,--no-undefined)
endif()

if(NOT CAIRN_SANITIZE)
  set(archive "${PROJECT_BINARY_DIR}/lib/libcairn.a")
  set(object "${PROJECT_BINARY_DIR}/lib/libcairn.o")
  foreach(target IN LISTS library_rooms)
    list(APPEND archives $<TARGET_FILE:${target}>)
  endforeach()
  add_custom_command(OUTPUT "${archive}"
    COMMAND ${CMAKE_LINKER} -r -o "${object}" --whole-archive $<TARGET_FILE:cairn_library> --no-whole-archive
            --start-group ${archives} --end-group
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden "${object}"
    COMMAND ${CMAKE_COMMAND} -E rm -f "${archive}"
    COMMAND ${CMAKE_AR} rcs "${archive}" "${object}"
    COMMAND ${CMAKE_COMMAND} -E rm -f "${object}"
    DEPENDS cairn_library ${library_rooms}
    COMMENT "Combining libcairn.a" VERBATIM)
  add_custom_target(cairn_static ALL DEPENDS "${archive}")
endif()
