from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("fluent.py")


def test_a_type_checker_refuses_misspelt_actions_and_wrong_arguments_and_keeps_subclasses():
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    found = {int(m[1]): m[2] for m in re.finditer(r"fluent\.py:(\d+): error: .*\[([a-z-]+)\]", done.stdout)}
    lines = FILE.read_text().splitlines()
    expected = {i: m[1] for i, line in enumerate(lines, 1) if (m := re.search(r"# error: ([a-z-]+)$", line))}
    assert found == expected, done.stdout + done.stderr
