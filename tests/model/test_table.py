#!/usr/bin/env python3
"""This folder's README.md has the figures of the model. Not here: whether the model is right (test_model.py)."""
import pathlib
import unittest

from table import figures, table

README = pathlib.Path(__file__).parent / "README.md"


class Table(unittest.TestCase):
    text = README.read_text(encoding="utf-8")

    def test_readme_has_it(self):
        self.assertTrue(table() in self.text, f"tests/model/run prints:\n{table()}")

    def test_readme_has_the_figures(self):
        words = " ".join(self.text.split())
        for figure in figures():
            self.assertTrue(figure in words, f"not in README.md: {figure}")


if __name__ == "__main__":
    unittest.main()
