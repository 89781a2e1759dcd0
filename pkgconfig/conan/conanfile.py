"""Builds the tree that this recipe is in with Conan 2; see "vcpkg and Conan" in pkgconfig/README.md."""
import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, rmdir
from conan.tools.gnu import PkgConfigDeps
from conan.tools.layout import basic_layout
from conan.tools.meson import Meson, MesonDeps, MesonToolchain

TREE = os.path.join("..", "..")


class WsManagerConan(ConanFile):
    name = "libwsmanager"
    version = "0.1.0"
    description = "Live updates to browsers from a C or C++ backend"
    license = "MIT"
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "redis": [True, False], "server": [True, False]}
    default_options = {"shared": False, "redis": False, "server": True, "hiredis/*:with_ssl": True}

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("libwsmanager was tried on Linux only")

    def configure(self):
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def export_sources(self):
        tree = os.path.join(self.recipe_folder, TREE)
        for name in ("COPYING", "meson.build", "meson_options.txt", "include/*", "lib/*", "pkgconfig/*"):
            copy(self, name, src=tree, dst=self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def build_requirements(self):
        self.tool_requires("meson/[>=1.0.1 <2]")
        self.tool_requires("pkgconf/[>=2 <3]")

    def requirements(self):
        self.requires("http_parser/2.9.4")
        self.requires("openssl/[>=3 <4]")
        self.requires("wslay/1.1.1")
        self.requires("xxhash/[>=0.8 <1]")
        self.requires("zlib/[>=1.2.11 <2]")
        if self.options.redis:
            self.requires("hiredis/[>=1.1 <2]")

    def generate(self):
        toolchain = MesonToolchain(self)
        for name in ("redis", "server"):
            toolchain.project_options[name] = "enabled" if self.options.get_safe(name) else "disabled"
        toolchain.project_options["examples"] = "disabled"
        toolchain.project_options["tests"] = "disabled"
        toolchain.generate()
        PkgConfigDeps(self).generate()
        # For wslay and http_parser, which meson.build finds without pkg-config.
        MesonDeps(self).generate()

    def build(self):
        meson = Meson(self)
        meson.configure()
        meson.build()

    def package(self):
        Meson(self).install()
        copy(self, "COPYING", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        # Conan writes these itself, for the places where its packages are.
        for name in ("cmake", "pkgconfig"):
            rmdir(self, os.path.join(self.package_folder, "lib", name))

    def package_info(self):
        core = self.cpp_info.components["ws-manager"]
        core.libs = ["wsmanager"]
        core.requires = [
            "http_parser::http_parser", "openssl::crypto", "wslay::wslay", "xxhash::xxhash", "zlib::zlib",
        ]  # fmt: skip
        core.system_libs = ["pthread"]
        parts = {"redis": ["hiredis::hiredis", "openssl::ssl"], "server": ["http_parser::http_parser", "openssl::ssl"]}
        for name, requires in parts.items():
            if self.options.get_safe(name):
                part = self.cpp_info.components[f"ws-manager-{name}"]
                part.libs = [f"wsmanager-{name}"]
                part.requires = ["ws-manager", *requires]
        for name, component in self.cpp_info.components.items():
            if name:
                component.set_property("pkg_config_name", name)
                component.set_property("cmake_target_name", "ws-manager::" + name.removeprefix("ws-manager-"))
