"""Leads that a device found off are flagged in ``meta["lead_off"]``, whatever the format calls them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import scp_writer as scp

from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.scp import Scp
from cardioflow.report.check import check_file

# SCP-ECG numbers of I, II, V1 to V6.
CODES = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8}
ELECTRODE, NOISE, PACEMAKER = 10, 0, 12


def _measured(codes: dict[str, int], *, n_values: int = 31) -> bytes:
    """Return section 10 with a quality code for each lead, all other measurements "not computed"."""
    body = struct.pack("<HH", len(codes), 0)
    for name, quality in codes.items():
        values = [29999] * n_values
        if n_values > 25:
            values[25] = quality
        body += struct.pack(f"<HH{n_values}H", CODES[name], 2 * n_values, *values)
    return body


def _record(folder: Path, tenth: bytes | None, request: ReadRequest | None = None) -> Record:
    rows = np.random.default_rng(1).integers(-300, 300, (8, 500))
    bodies = {1: scp.tags(), 3: scp.leads(list(CODES.values()), 1, 500), 6: scp.block([scp.plain(r) for r in rows])}
    path = folder / "a.scp"
    path.write_bytes(scp.record({**bodies, 10: tenth} if tenth is not None else bodies))
    return Scp().read(path, request or ReadRequest())


def _off(record: Record) -> set[str]:
    return {lead for lead, is_off in zip(record.leads, record.meta["lead_off"], strict=True) if is_off}


@pytest.mark.parametrize(
    ("name", "quality", "off"),
    [
        ("V3", 1 << ELECTRODE, {"V3"}),
        ("V6", 2 << ELECTRODE, {"V6"}),
        ("II", 2 << ELECTRODE, {"II", "III", "aVR", "aVL", "aVF"}),
        ("V3", 3 << ELECTRODE, set()),
        ("V3", 2 << NOISE | 2 << PACEMAKER, set()),
        ("V3", 0xFFFF & ~(3 << ELECTRODE), set()),
        ("V3", 0xFFFF & ~(2 << ELECTRODE), {"V3"}),
    ],
)
def test_5_13_an_electrode_of_scp_ecg_that_is_loose_or_off_is_flagged(
    tmp_path: Path, name: str, quality: int, off: set[str]
) -> None:
    record = _record(tmp_path, _measured({**dict.fromkeys(CODES, 0), name: quality}))
    assert len(record.leads) == 12
    assert _off(record) == off
    part = _record(
        tmp_path, _measured({**dict.fromkeys(CODES, 0), name: quality}), ReadRequest(channels=("V6", "II", "V3"))
    )
    assert part.meta["lead_off"] == tuple(lead in off for lead in ("V6", "II", "V3"))
    warned = any("the device found disconnected" in text for text in check_file(tmp_path / "a.scp").warnings)
    assert warned == bool(off)


@pytest.mark.parametrize("number", [29999, 29998, 19999])
def test_5_10_3_a_quality_code_that_was_not_computed_is_no_finding(tmp_path: Path, number: int) -> None:
    # The bits of 29999 and of 29998 would say that the electrode is loose.
    assert "lead_off" not in _record(tmp_path, _measured(dict.fromkeys(CODES, number))).meta
    some = _record(tmp_path, _measured({**dict.fromkeys(CODES, number), "V1": 1 << ELECTRODE}))
    assert _off(some) == {"V1"}


def test_records_without_quality_codes_report_no_leads_as_off(tmp_path: Path) -> None:
    assert "lead_off" not in _record(tmp_path, None).meta
    assert "lead_off" not in _record(tmp_path, _measured(dict.fromkeys(CODES, 0), n_values=20)).meta
    assert "lead_off" not in _record(tmp_path, b"a manufacturer's own").meta


def test_a_section_10_that_breaks_off_or_is_damaged_keeps_the_record(tmp_path: Path) -> None:
    whole = _measured(dict.fromkeys(CODES, 1 << ELECTRODE))
    cut = _record(tmp_path, whole[: 4 + 2 * 66 + 10])
    assert _off(cut) == {"I", "II", "III", "aVR", "aVL", "aVF"}
    content = scp.record({1: scp.tags(), 3: scp.leads([3], 1, 3), 6: scp.block([scp.plain([1, 2, 3])]), 10: whole})
    at = content.index(whole)
    path = tmp_path / "b.scp"
    path.write_bytes(scp.summed_up(content[:at] + b"\xff" + content[at + 1 :]))
    damaged = Scp().read(path, ReadRequest())
    assert "lead_off" not in damaged.meta
    assert damaged.meta["checksum_ok"] is False
    assert damaged.meta["unread_sections"] == (10,)
