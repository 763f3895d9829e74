# SPDX-License-Identifier: Apache-2.0
# How every target of the project is compiled, and how a folder becomes a library.

add_library(mvb_flags INTERFACE)
target_compile_options(mvb_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wwrite-strings -Wundef -Wvla -Wformat=2 -fno-common -fstack-protector-strong)
target_compile_definitions(mvb_flags INTERFACE _GNU_SOURCE MVB_VERSION="${PROJECT_VERSION}")
if(MVB_SANITIZE)
  target_compile_options(mvb_flags INTERFACE
    -fsanitize=${MVB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mvb_flags INTERFACE -fsanitize=${MVB_SANITIZE})
else()
  target_compile_definitions(mvb_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()
if(MVB_FUZZ)
  target_compile_options(mvb_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# mvb_library(proto FILE... LINKS TARGET...): the library mvb_proto of the folder it is called in. Its headers are
# reached as "proto/x.h", and only by those that link it: the include path holds one link, to this folder. Modules that
# are loaded hold what they need of it, and show none of it.
function(mvb_library name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)
  add_library(mvb_${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(mvb_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_include_directories(mvb_${name} PUBLIC ${view})
  target_link_libraries(mvb_${name} PUBLIC ${ARG_LINKS} PRIVATE mvb_flags)
endfunction()
