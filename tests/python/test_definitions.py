"""What the package knows of the headers is what a C compiler makes of them."""
import glob
import os
import re
import subprocess
import tempfile
import unittest

from ws_manager import _definitions
from ws_manager._library import ABI, ffi, lib, open_server_library
from ws_manager.errors import BY_CODE

STRUCTS = re.findall(r"^typedef struct (\w+) \{", _definitions.TYPES, re.MULTILINE)
CONSTANTS = re.findall(r"\bWS_\w+(?= = )", _definitions.CONSTANTS)


def declarations(text):
    """Every function, as NAME and the number of its parameters."""
    return {name: parameters.count(",") + 1 for name, parameters in re.findall(r"(\w+)\(([^)]*)\);", text)}


class Definitions(unittest.TestCase):
    def compiled(self):
        """Offsets, sizes and numbers by the compiler, keyed by the expression."""
        places = [f"offsetof({s}, {m})" for s in STRUCTS for m, _ in ffi.typeof(s).fields]
        sizes = [f"sizeof((({s} *)0)->{m})" for s in STRUCTS for m, _ in ffi.typeof(s).fields]
        prints = "".join(f'printf("{e}=%ld\\n", (long)({e}));' for e in [*places, *sizes, *CONSTANTS])
        source = ("#include <stdio.h>\n#include <ws_manager/server.h>\n#include <ws_manager/ws_manager.h>\n"
                  "int main(void) { " + prints + " return 0; }")  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "program")
            subprocess.run([*os.environ["COMPILE"].split("\n"), "-xc", "-", "-o", program], input=source, text=True,
                           check=True)  # fmt: skip
            lines = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        return {line.rpartition("=")[0]: int(line.rpartition("=")[2]) for line in lines}

    def test_structs_and_constants(self):
        compiled = self.compiled()
        self.assertGreater(len(compiled), 150)
        for struct in STRUCTS:
            for member, field in ffi.typeof(struct).fields:
                with self.subTest(struct=struct, member=member):
                    self.assertEqual(compiled[f"offsetof({struct}, {member})"], field.offset)
                    self.assertEqual(compiled[f"sizeof((({struct} *)0)->{member})"], ffi.sizeof(field.type))
        for name in CONSTANTS:
            self.assertEqual(compiled[name], getattr(lib, name), name)

    def test_the_version_of_the_interface(self):
        self.assertEqual(ABI, os.environ["ABI_VERSION"])

    def test_each_error_is_an_exception(self):
        for name in CONSTANTS:
            if name.startswith("WS_ERR_"):
                error = BY_CODE[getattr(lib, name)]
                self.assertEqual(error.__name__, "".join(part.capitalize() for part in name.split("_")))

    def test_functions(self):
        headers = ""
        for name in glob.glob("*.h", root_dir=os.environ["HEADERS"]):
            with open(os.path.join(os.environ["HEADERS"], name), encoding="utf-8") as header:
                headers += header.read()
        known = declarations(headers)
        server_library = open_server_library()
        for text, library in ((_definitions.FUNCTIONS, lib), (_definitions.SERVER_FUNCTIONS, server_library)):
            for name, parameters in declarations(text).items():
                self.assertEqual(known[name], parameters, name)
                self.assertTrue(getattr(library, name))


if __name__ == "__main__":
    unittest.main()
