"""What a function does is one text in every process, and another text for another function."""

from __future__ import annotations

import os
import subprocess
import sys

from cardioflow.core.function_code import closed_over, code_lines


def text(function):
    return "\n".join(code_lines(function.__code__))


def test_functions_that_do_the_same_have_one_text_wherever_they_stand():
    def one(x):
        return [y for y in x if y in {"I", "II"}]

    first = text(one)

    def one(x):  # the same code on other lines
        return [y for y in x if y in {"I", "II"}]

    assert text(one) == first


def test_another_constant_name_or_exception_handler_is_another_text():
    def one(x):
        try:
            return x.mean(1)
        except ValueError:
            return x.sum()

    def constant(x):
        try:
            return x.mean(2)
        except ValueError:
            return x.sum()

    def name(x):
        try:
            return x.max(1)
        except ValueError:
            return x.sum()

    def inner(x):
        return [y + 1 for y in x]

    def another_inner(x):
        return [y + 2 for y in x]

    texts = [text(own) for own in (one, constant, name, inner, another_inner)]
    assert len(set(texts)) == 5


def test_a_set_of_texts_has_the_same_text_in_every_process():
    code = (
        "from cardioflow.core.function_code import code_lines\n"
        "def f(x): return x in {'I', 'II', 'III', 'aVR', ('aVL', 3)}\n"
        "print('\\n'.join(code_lines(f.__code__)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in "123"
    }
    assert len(found) == 1
    assert b"{" in found.pop()


def test_values_from_outside_are_told_from_variables_that_have_none_yet():
    factor = 3

    def one(x):
        return x * factor + later

    assert closed_over(one) == ([3], [1])
    later = 4
    assert closed_over(one) == ([3, 4], [])
    assert closed_over(len) == ([], [])
