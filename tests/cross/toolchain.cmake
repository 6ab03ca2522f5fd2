# SPDX-License-Identifier: Apache-2.0
# A CMake toolchain for aarch64 and riscv64: Debian's cross compilers, and the sysroot of the script
# beside this file.  Wants CMAKE_SYSTEM_PROCESSOR on the command line or from a preset.
set(CMAKE_SYSTEM_NAME Linux)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CMAKE_SYSTEM_PROCESSOR CMAKE_SYSROOT)
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|riscv64)$")
  message(FATAL_ERROR "CMAKE_SYSTEM_PROCESSOR is '${CMAKE_SYSTEM_PROCESSOR}', wanted aarch64 or riscv64")
endif()
if(NOT CMAKE_SYSROOT)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/sysroot ${CMAKE_SYSTEM_PROCESSOR}
    OUTPUT_VARIABLE CMAKE_SYSROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()

set(triple ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
set(CMAKE_C_COMPILER ${triple}-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE ${triple})

# The compiler's own package brings a libc, which may be an older one than that of the sysroot: the
# sysroot's headers, start files and libraries go first.
set(CMAKE_C_FLAGS_INIT
  "-isystem ${CMAKE_SYSROOT}/usr/include/${triple} -isystem ${CMAKE_SYSROOT}/usr/include")
set(link "-B${CMAKE_SYSROOT}/usr/lib/${triple} -L${CMAKE_SYSROOT}/usr/lib/${triple}")
string(APPEND link " -L${CMAKE_SYSROOT}/lib/${triple} -Wl,-rpath-link,${CMAKE_SYSROOT}/usr/lib/${triple}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${link}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${link}")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "${link}")

set(CMAKE_FIND_ROOT_PATH ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
  ${CMAKE_SYSROOT}/usr/lib/${triple}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)
