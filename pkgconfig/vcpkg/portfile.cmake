# Builds the tree that this port is in; see "vcpkg and Conan" in pkgconfig/README.md.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

set(OPTIONS -Dexamples=disabled -Dtests=disabled)
foreach(feature IN ITEMS redis server)
  if(feature IN_LIST FEATURES)
    list(APPEND OPTIONS "-D${feature}=enabled")
  else()
    list(APPEND OPTIONS "-D${feature}=disabled")
  endif()
endforeach()

vcpkg_configure_meson(SOURCE_PATH "${SOURCE_PATH}" OPTIONS ${OPTIONS})
vcpkg_install_meson()
vcpkg_fixup_pkgconfig()

# The package for CMake names absolute paths, which change when vcpkg installs what it has built.
file(REMOVE_RECURSE
  "${CURRENT_PACKAGES_DIR}/debug/include"
  "${CURRENT_PACKAGES_DIR}/debug/lib/cmake"
  "${CURRENT_PACKAGES_DIR}/lib/cmake"
)
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/COPYING")
