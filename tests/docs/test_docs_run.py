"""The code in the documentation runs as printed, on real records."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


FRAGMENTS = {"actions.md", "formats.md"}
"""Pages that show calls without the data around them."""
PAGES = sorted(
    str(path.relative_to(DOCS))
    for path in [*DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md")]
    if path.name not in FRAGMENTS and "```python" in path.read_text()
)


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_runs(page: str, data: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    assert blocks
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "CARDIOFLOW_DATA": str(data), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
