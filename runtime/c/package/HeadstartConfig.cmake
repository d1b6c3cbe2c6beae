# find_package(Headstart) gives the targets Headstart::headstart, the shared library, and Headstart::static where that is installed.
get_filename_component(_headstart "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET Headstart::headstart)
  add_library(Headstart::headstart SHARED IMPORTED)
  set_target_properties(Headstart::headstart PROPERTIES
    IMPORTED_LOCATION "${_headstart}/lib/libheadstart.so.0"
    IMPORTED_SONAME "libheadstart.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_headstart}/include")
  if(EXISTS "${_headstart}/lib/libheadstart.a")
    add_library(Headstart::static STATIC IMPORTED)
    set_target_properties(Headstart::static PROPERTIES
      IMPORTED_LOCATION "${_headstart}/lib/libheadstart.a"
      INTERFACE_INCLUDE_DIRECTORIES "${_headstart}/include"
      INTERFACE_LINK_LIBRARIES "pthread;dl;m")
  endif()
endif()
unset(_headstart)
