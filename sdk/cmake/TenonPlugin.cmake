# SPDX-License-Identifier: Apache-2.0
# tenon_add_plugin(NAME SOURCES FILE... [LIBRARIES LIBRARY...] [CHECK OPTION...]
#                  [CHECK_UNDER COMMAND [ARGUMENT...]])
#
# Builds the module NAME.so as the core wants it: C17 with the system's extensions, nothing visible
# but the entry symbol, every symbol bound at load.  Installs it into the plugin folder of its ABI
# and, where there is one beside it, the manual page tenon-NAME.7.  Where tenon-plugin-check is at
# hand, a test runs it on the module, with the options of CHECK; COMMAND is run with it as arguments,
# for what the module needs meanwhile.  The target is plugin-NAME.
include_guard(GLOBAL)
include(GNUInstallDirs)
if(NOT DEFINED TENON_PLUGIN_SUBDIR)
  set(TENON_PLUGIN_SUBDIR tenon/0)
endif()

function(tenon_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES;CHECK;CHECK_UNDER")
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tenon_add_plugin(NAME SOURCES FILE... [LIBRARIES LIBRARY...] [CHECK OPTION...] [CHECK_UNDER COMMAND...])")
  endif()
  set(target plugin-${name})
  add_library(${target} MODULE ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} SUFFIX .so
    C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
    CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/${TENON_PLUGIN_SUBDIR})
  if(APPLE)
    target_compile_definitions(${target} PRIVATE _DARWIN_C_SOURCE)
  else()
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  endif()
  if(TARGET tenon-sdk)
    target_link_libraries(${target} PRIVATE tenon-sdk)
  else()
    target_link_libraries(${target} PRIVATE Tenon::sdk)
  endif()
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  if(NOT APPLE) # its linker does all of that by itself
    target_link_options(${target} PRIVATE -Wl,-z,now -Wl,-z,relro)
  endif()
  if(NOT APPLE AND NOT TENON_SANITIZE) # a sanitizer's own symbols come from the program
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
  install(TARGETS ${target} LIBRARY
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/${TENON_PLUGIN_SUBDIR} COMPONENT ${target})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/tenon-${name}.7)
    install(FILES tenon-${name}.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7 COMPONENT ${target})
  endif()
  set_property(GLOBAL APPEND PROPERTY TENON_PLUGINS ${name})
  tenon_check_plugin_(${target} "${arg_CHECK_UNDER}" ${arg_CHECK})
endfunction()

# The test that runs tenon-plugin-check, which is built here or installed.
function(tenon_check_plugin_ target under)
  if(TARGET tenon-plugin-check)
    set(check $<TARGET_FILE:tenon-plugin-check>)
  elseif(Tenon_PLUGIN_CHECK)
    set(check ${Tenon_PLUGIN_CHECK})
  else()
    return()
  endif()
  add_test(NAME ${target}-check COMMAND ${under} ${check} --verbose ${ARGN} $<TARGET_FILE:${target}>)
  set_tests_properties(${target}-check PROPERTIES LABELS check TIMEOUT 600)
endfunction()

# tenon_add_plugin_test(PLUGIN SOURCES FILE...)
#
# Builds a program of the test kit (tenon/testkit.h) that tests the module made by
# tenon_add_plugin(PLUGIN ...), and adds it as a test for each source file, named for it.
function(tenon_add_plugin_test plugin)
  if(DEFINED BUILD_TESTING AND NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  foreach(source ${arg_SOURCES})
    get_filename_component(name ${source} NAME_WE)
    set(target plugin-${plugin}-${name})
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_compile_definitions(${target} PRIVATE
      TENON_TESTKIT_PLUGIN="$<TARGET_FILE:plugin-${plugin}>")
    if(TARGET tenon-testkit)
      target_link_libraries(${target} PRIVATE tenon-testkit)
    else()
      target_link_libraries(${target} PRIVATE Tenon::testkit)
    endif()
    add_dependencies(${target} plugin-${plugin})
    add_test(NAME ${target} COMMAND ${target})
    set_tests_properties(${target} PROPERTIES LABELS unit TIMEOUT 300)
  endforeach()
endfunction()
