from __future__ import annotations

import csv
import json

import pytest

from cardioflow.cli.demo import Demo, _cinc2017, _threshold
from cardioflow.errors import InputError


def test_without_data_the_demo_runs_on_simulated_ecgs_and_says_so(tmp_path, capsys):
    figures = Demo(out=tmp_path / "demo", epochs=1, seed=0, n_simulated=24).run(None)
    printed = capsys.readouterr().out
    assert printed.startswith("SIMULATED ECGs, no real data")
    for expected in ("Loss ", "F1 ", "AUC ", "95 % interval", "In a new process: cardioflow predict", "to 1e-6"):
        assert expected in printed
    assert 0.0 <= figures["AUC"]["low"] <= figures["AUC"]["value"] <= figures["AUC"]["high"] <= 1.0
    assert json.loads((tmp_path / "demo" / "result.json").read_text()) == figures
    assert (tmp_path / "demo" / "three-records.png").read_bytes().startswith(b"\x89PNG")


def test_real_records_are_held_out_by_the_folds_and_fold_4_is_never_used(data):
    material = _cinc2017(data)
    with (data.parent / "splits" / "cinc2017.csv").open(newline="") as file:
        fold = {row["record"]: int(row["fold"]) for row in csv.DictReader(file)}
    assert {fold[i] for i in material.test.ids} == {3}
    assert {fold[i] for i in material.train.ids} == {0, 1, 2}
    assert (len(material.train), len(material.test)) == (184, 76)
    assert sum(material.labels[i] == "AF" for i in material.test.ids) == 18


def test_without_a_folds_file_a_fraction_of_the_records_is_held_out(data, tmp_path):
    (tmp_path / "cinc2017").symlink_to(data / "cinc2017")
    material = _cinc2017(tmp_path)
    assert "30 %" in material.name
    assert not set(material.train.ids) & set(material.test.ids)
    assert len(material.train) + len(material.test) == 260  # 300 less the 40 noisy ones


def test_an_error_for_a_folder_without_records_says_what_to_do(tmp_path):
    with pytest.raises(InputError) as caught:
        Demo(out=tmp_path, epochs=1, seed=0).run(tmp_path)
    assert f"'{tmp_path}' has no folder cinc2017. Set CARDIOFLOW_DATA, or pass --simulated." in str(caught.value)


def test_the_threshold_maximises_f1_and_lies_halfway_between_two_records():
    import numpy as np

    y = np.array([1, 1, 0, 1, 0, 0])
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.2, 0.1])
    assert _threshold(y, p) == pytest.approx(0.4)
