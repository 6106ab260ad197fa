"""The page in headless Chromium: what its script does, that nothing is requested, and what is printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pdf_strokes import page_size, pulses, strokes

from cardioflow.report.write_report import write_reports

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

# The page forbids foreign scripts, so that another page, of the same folder, looks into it.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><iframe id="f" src="{page}" width="1400" height="1200"></iframe>
<pre id="out"></pre><script>
const frame = document.getElementById("f");
frame.addEventListener("load", () => {{
  const page = frame.contentDocument, found = {{}};
  const button = (name) => Array.from(page.querySelectorAll("#tools button")).find((b) => b.textContent === name);
  const svg = page.querySelector(".scroll svg.paper"), pulse = page.querySelector("path.pulse");
  const size = () => {{ const r = pulse.getBoundingClientRect(); return [r.width, r.height]; }};
  const reading = () => page.querySelector(".reading").textContent;
  found.pulse = size();
  button("Zoom in").click();
  found.zoomed = size();
  button("True size").click();
  found.again = size();
  button("Calipers").click();
  found.pressed = button("Calipers").getAttribute("aria-pressed");
  const at = svg.getScreenCTM();
  const event = (type, x, y) => svg.dispatchEvent(new frame.contentWindow.PointerEvent(type, {{
    clientX: at.e + at.a * x, clientY: at.f + at.d * y, pointerId: 1, bubbles: true }}));
  svg.setPointerCapture = () => {{}};
  event("pointerdown", 5000, 9000);
  event("pointermove", 7000, 8000);
  event("pointerup", 7000, 8000);
  found.dragged = reading();
  const key = (key, shiftKey) => svg.parentElement.dispatchEvent(new frame.contentWindow.KeyboardEvent("keydown", {{
    key, shiftKey, bubbles: true }}));
  for (let i = 0; i < 5; i++) key("ArrowRight", false);
  found.moved = reading();
  for (let i = 0; i < 5; i++) key("ArrowLeft", true);
  found.other = reading();
  key("Escape", false);
  found.off = reading();
  found.boxes = page.querySelectorAll(".caliper").length;
  found.contrast = frame.contentWindow.getComputedStyle(page.body).color;
  document.getElementById("out").textContent = JSON.stringify(found);
}});
</script>"""


def chromium(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    quiet = ("--no-first-run", "--disable-background-networking", "--disable-component-update")
    own = ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}")
    command = [str(CHROMIUM), *own, *quiet, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)


@pytest.fixture(scope="module")
def page(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    path = data / "formats" / "schiller_xml" / "cardio_sample.xml"
    return write_reports([path], folder).pages[0]


def test_zoom_and_calipers_work_by_pointer_and_keyboard_without_an_error_or_a_request(page, tmp_path):
    harness = page.parent / "harness.html"
    harness.write_text(HARNESS.format(page=page.name))
    log = tmp_path / "net.json"
    done = chromium(
        "--allow-file-access-from-files", "--virtual-time-budget=4000", "--enable-logging=stderr",
        f"--log-net-log={log}", "--dump-dom", harness.as_uri(), folder=tmp_path,
    )  # fmt: skip
    found = json.loads(re.search(r'<pre id="out">(.*?)</pre>', done.stdout).group(1))
    per_mm = 96 / 25.4
    # The outline of the pulse: 2 × 0.2 s wide and 1 mV high, at 25 mm/s and 10 mm/mV.
    assert found["pulse"] == pytest.approx([10 * per_mm, 10 * per_mm], abs=0.1)
    assert found["zoomed"] == pytest.approx([12.5 * per_mm, 12.5 * per_mm], abs=0.1)
    assert found["again"] == pytest.approx(found["pulse"])
    assert found["pressed"] == "true"
    # 20 mm across are 0.8 s, 10 mm up are 1 mV; an arrow key moves a leg by 0.1 mm, 4 ms.
    assert found["dragged"] == "800 ms · 75 per minute · 1.00 mV"
    assert found["moved"] == "820 ms · 73 per minute · 1.00 mV"
    assert found["other"] == "840 ms · 71 per minute · 1.00 mV"
    assert (found["off"], found["boxes"]) == ("Calipers are off.", 0)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    asked = set(re.findall(r'"url":"((?:https?|wss?):[^"]+)"', log.read_text()))
    assert {url for url in asked if "google" not in url and "gvt1" not in url} == set()  # the browser's own


def test_the_printed_page_is_a4_and_a_millivolt_is_10_mm(page, tmp_path):
    out = tmp_path / "page.pdf"
    chromium("--no-pdf-header-footer", f"--print-to-pdf={out}", page.as_uri(), folder=tmp_path)
    pdf = out.read_bytes()
    assert page_size(pdf) == pytest.approx((297, 210), abs=0.5)
    found = np.array(pulses(strokes(pdf), tolerance=0.1))
    paper = found[np.abs(found[:, 1] - 5.0) < 0.3]
    assert len(paper) >= 16  # 4 rows and 12 rows
    assert paper == pytest.approx(np.tile([10.0, 5.0], (len(paper), 1)), abs=0.05)
