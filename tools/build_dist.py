"""Build the wheel and the sdist in ``dist/``, try the wheel in an empty environment, and write what it brings along.

``python tools/build_dist.py`` does it for the Python that runs it. The software bill of materials, in CycloneDX's
format, lists the packages of that environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""Without paths to a checkout, which would pass for the installed package."""

SMOKE = """
import sys
import cardioflow as ds
batch = ds.EcgDataset.simulated(2, duration_s=10).next_batch(2).load(fmt="simulated")
done = batch.detect_beats().delineate().measure()
assert 40 < done.measurements[0]["heart_rate"] < 150, done.measurements[0]
(answer,) = ds.load("af").predict("simulated:SR?duration_s=10&fs=300&leads=I")
assert answer.judged and set(answer.probabilities) == {"A", "N", "O", "~"}, answer
assert not {"torch", "jax", "tensorflow", "keras"} & sys.modules.keys()
print("cardioflow", ds.__version__, "works on", sys.version.split()[0])
"""


def main() -> None:
    """Build, install, try, list."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", DIST, ROOT)
    wheel = next(DIST.glob("*.whl"))
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = next(Path(folder).glob("[bS]*/python*"))
        run(python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", wheel)
        run(python, "-c", SMOKE, cwd=folder)
        run(python.with_name("cardioflow"), "--version", cwd=folder)
        run(python.with_name("cardioflow"), "--help", cwd=folder, stdout=subprocess.DEVNULL)
        run(python.with_name("cardioflow"), "report", "simulated:SR?duration_s=10&leads=I,II", "--out", "r", cwd=folder)
        run(sys.executable, "-m", "cyclonedx_py", "environment", "-o", DIST / "sbom.cdx.json", python)
    print("In dist/:", ", ".join(sorted(path.name for path in DIST.iterdir())))


def run(*command: object, cwd: str | None = None, stdout: int | None = None) -> None:
    """Run ``command``, and end with its exit status if it fails."""
    done = subprocess.run([str(part) for part in command], check=False, cwd=cwd, stdout=stdout, env=ENVIRONMENT)
    if done.returncode:
        sys.exit(f"{command[0]} … failed with status {done.returncode}.")


if __name__ == "__main__":
    main()
