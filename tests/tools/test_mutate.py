"""Changes of a source text: each is of one place, and what is not worth a change is left alone."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "mutate.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("mutate", TOOL)
    module = sys.modules["mutate"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutate"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = a is not b", ["x = a is b"]),
        ("x = a + b", ["x = a - b"]),
        ("x = f(a, seed=s)", ["x = f(a)"]),
        ("x = not a", ["x = a"]),
        ("x = a and b", ["x = a or b"]),
        ("x = True", ["x = False"]),
        ("x = 7", ["x = 8"]),
        ("x = -a", ["x = a"]),
        ("return a", ["return None"]),
        ("return", []),
        ("raise ValueError(1 + 1)", ["pass"]),
        ("f(a)", ["pass"]),
        ("self.a = b", ["pass"]),
        ("x = f'{a + 1}' + 'text'", []),
        ("if a:\n    x", ["if not a:\n    x"]),
    ],
)
def test_each_change_is_in_one_place(tool, statement, expected):
    source = "def f(self, a, b):\n" + "".join(f"    {line}\n" for line in statement.splitlines())
    made = list(tool.mutants_of(source))
    assert [ast.unparse(m.tree().body[0].body[0]) for m in made] == expected
    assert all((m.function, m.line) == ("f", 2) for m in made)


def test_methods_have_qualified_names_and_compiled_functions_are_left_out(tool):
    source = "class A:\n    def f(self):\n        return 1\n\n@njit\ndef g():\n    return 1\n"
    assert [(m.function, m.before, m.after) for m in tool.mutants_of(source)] == [
        ("A.f", "return 1", "return None"),
        ("A.f", "1", "2"),
    ]
