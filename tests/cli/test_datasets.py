"""The commands ``datasets`` and ``audit`` list public data sets and what two folders share."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cardioflow import registry
from cardioflow.cli.app import app
from cardioflow.errors import InputError, UnknownNameError


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    return done.exit_code, done.stdout


def test_every_public_data_set_is_listed_with_its_records_licence_and_page() -> None:
    status, text = call("datasets")
    assert status == 0
    for name in registry.datasets.names():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        card = registry.datasets.get(name).card
        assert card.licence in line
        assert card.url in line
    assert "ptbxl            21 799  CC BY 4.0           https://physionet.org/content/ptb-xl/1.0.3/" in text


def test_one_data_set_is_described_with_its_citation() -> None:
    text = call("datasets", "mitdb")[1]
    assert "records  48" in text
    assert "doi:10.1109/51.932724" in text
    assert json.loads(call("datasets", "mitdb", "--json")[1])[0]["n_records"] == 48
    with pytest.raises(UnknownNameError, match="There is no data set 'mitbd'"):
        call("datasets", "mitbd")


def test_the_audit_of_two_folders_lists_what_they_share(cinc: Path, tmp_path: Path) -> None:
    for folder, names in (("train", ("A00015", "A00017")), ("test/a", ("A00041", "A00015"))):
        (tmp_path / folder).mkdir(parents=True)
        for name in names:
            for suffix in (".hea", ".mat"):
                shutil.copy(cinc / f"{name}{suffix}", tmp_path / folder)
    status, text = call("audit", tmp_path / "train", tmp_path / "test")
    assert status == 1
    assert "1 leak (1 × same samples) between 2 and 2 records" in text
    assert "same samples  A00015             a/A00015" in text
    status, text = call("audit", tmp_path / "train", "--json")
    assert (status, json.loads(text)) == (0, [])
    with pytest.raises(InputError, match="audit got 3 databases"):
        call("audit", tmp_path / "train", *(["--database", "mitdb"] * 3))


def test_the_audit_knows_public_databases_by_name(data: Path) -> None:
    status, text = call("audit", data / "mitdb", data / "qtdb", "--database", "mitdb", "--database", "qtdb", "--json")
    rows = json.loads(text)
    assert status == (1 if rows else 0)
    assert {row["kind"] for row in rows} <= {"same tape", "overlap"}
