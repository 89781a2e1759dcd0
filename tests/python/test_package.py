"""The wheel and the source distribution are built without a network, and the wheel is all that is needed."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

PACKAGE = os.environ["PACKAGE"]


class Package(unittest.TestCase):
    def test_wheel_and_source_distribution(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "source")
            shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
            subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source],
                           stdout=subprocess.DEVNULL, check=True)  # fmt: skip
            self.assertEqual(len(glob.glob(os.path.join(folder, "ws*manager-*.tar.gz"))), 1)
            (wheel,) = glob.glob(os.path.join(folder, "ws_manager-*.whl"))
            installed = os.path.join(folder, "installed")
            with zipfile.ZipFile(wheel) as archive:
                self.assertIn("ws_manager/py.typed", archive.namelist())
                archive.extractall(installed)
            program = ("import ws_manager, ws_manager.asgi; ws_manager.emit_order_created({});"
                       "print(ws_manager.__file__)")  # fmt: skip
            answer = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": installed},
                                    stdout=subprocess.PIPE, text=True, check=True)  # fmt: skip
            self.assertTrue(answer.stdout.startswith(installed))

    def test_a_missing_library_is_said(self):
        answer = subprocess.run([sys.executable, "-c", "import ws_manager"], stderr=subprocess.PIPE, text=True,
                                env={**os.environ, "WS_MANAGER_LIBRARY": "/none.so"}, check=False)  # fmt: skip
        self.assertEqual(answer.returncode, 1)
        self.assertIn("set WS_MANAGER_LIBRARY", answer.stderr)


if __name__ == "__main__":
    unittest.main()
