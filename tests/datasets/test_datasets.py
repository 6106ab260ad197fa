"""Public data sets are read from their published layouts, with labels, patients, folds, licence and citation."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardioflow import EcgDataset, Pipeline, datasets, registry
from cardioflow.batch.location import Location
from cardioflow.datasets.aami import AAMI
from cardioflow.datasets.snomed import CLASSES, challenge_weights, scored
from cardioflow.errors import ConfigError, FormatError, InputError
from cardioflow.pipeline.checkpoint.identity import _content
from cardioflow.pipeline.data.locations import DescribedLocation, Hdf5Location

Write = Callable[..., None]


def loaded(dataset: EcgDataset, n: int = 4) -> tuple[list[tuple[int, ...]], list[float]]:
    batch = next(iter((dataset >> Pipeline().load()).batches(n)))
    return [signal.shape for signal in batch.signal], [row["fs"] for row in batch.meta]


@pytest.mark.parametrize("name", datasets.names())
def test_every_data_set_says_where_it_is_and_how_to_cite_it(name: str, tmp_path: Path) -> None:
    card = registry.datasets.get(name).card
    assert card.name == name
    assert card.url.startswith("http")
    assert "doi:" in card.citation
    assert card.n_records > 0
    assert card.licence
    with pytest.raises(InputError, match=rf"^{name}: there is no folder .* Get the data set from http"):
        getattr(datasets, name)(tmp_path / "none")
    with pytest.raises(InputError, match=rf"^{name}: .*Get the data set from {card.url.partition('?')[0]}"):
        getattr(datasets, name)(tmp_path)


def test_a_name_that_there_is_not_has_a_nearest_one_and_help_shows_the_parameters() -> None:
    with pytest.raises(AttributeError, match=r"There is no data set 'ptb_xl'\. Did you mean 'ptbxl'"):
        datasets.ptb_xl  # noqa: B018
    assert "ptbxl" in dir(datasets)
    parameters = inspect.signature(datasets.ptbxl).parameters
    assert parameters["task"].default == "superdiagnostic"
    assert "strat" not in parameters
    assert "SCP statements" in (datasets.ptbxl.__doc__ or "")


# -- PTB-XL ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "n"),
    # Strodthoff et al. (2021), table 1.
    [("all", 71), ("diagnostic", 44), ("subdiagnostic", 23), ("superdiagnostic", 5), ("form", 19), ("rhythm", 12)],
)
def test_the_tasks_of_ptbxl_have_the_classes_of_the_benchmark(data: Path, task: str, n: int) -> None:
    found = datasets.ptbxl(data / "ptbxl", task=task)
    assert found.classes is not None
    assert len(found.classes) == n
    assert found.labels is not None
    assert all(set(own) <= set(found.classes) for own in found.labels.values())


def test_superclasses_of_ptbxl_are_those_of_its_statements(data: Path) -> None:
    found = datasets.ptbxl(data / "ptbxl", rate=500, missing="drop")
    assert found.labels is not None
    # {'NORM': 100.0, 'LVOLT': 0.0, 'SR': 0.0}, of which NORM alone is diagnostic.
    assert found.labels["00001_hr"] == ("NORM",)
    rows = pd.read_csv(data / "ptbxl/ptbxl_database.csv", index_col="ecg_id")
    statements = pd.read_csv(data / "ptbxl/scp_statements.csv", index_col=0)
    superclass = statements[statements.diagnostic == 1].diagnostic_class
    for name, own in found.labels.items():
        codes = eval(rows.scp_codes[int(name[:5])])
        assert set(own) == {superclass[code] for code in codes if code in superclass.index}
    shapes, rates = loaded(found)
    assert (shapes[0], rates[0]) == ((12, 5000), 500.0)


def test_records_of_ptbxl_without_a_label_are_left_out_as_in_the_benchmark(data: Path) -> None:
    every, labelled = (
        datasets.ptbxl(data / "ptbxl", task="form", unlabelled="keep"),
        datasets.ptbxl(data / "ptbxl", task="form"),
    )
    assert len(every) == 60
    assert every.labels is not None
    assert len(labelled) == sum(bool(own) for own in every.labels.values()) < 60


def test_a_likelihood_below_the_threshold_is_no_label(data: Path) -> None:
    sure = datasets.ptbxl(data / "ptbxl", task="all", min_likelihood=50)
    assert sure.labels is not None
    assert sure.labels["00001_lr"] == ("NORM",)


def test_the_folds_and_patients_of_ptbxl_are_the_published_ones(data: Path) -> None:
    found = datasets.ptbxl(data / "ptbxl", task="all")
    rows = pd.read_csv(data / "ptbxl/ptbxl_database.csv", index_col="ecg_id")
    by_fold = Counter(rows.strat_fold)
    parts = found.split(by="fold")
    assert {name: len(part) for name, part in zip(parts.names, parts, strict=True)} == {
        str(fold): n for fold, n in by_fold.items()
    }
    named = found.split(by="part")
    assert set(named.names) <= {"train", "validation", "test"}
    assert len(named["train"]) == sum(n for fold, n in by_fold.items() if fold <= 8)
    assert found.table.column("patient", ["00001_lr"]) == [f"ptbxl/{int(rows.patient_id[1])}"]
    assert found.table.column("sex", ["00001_lr"]) == ["F" if rows.sex[1] else "M"]


def test_the_target_of_a_part_has_a_column_for_every_class(data: Path) -> None:
    one = datasets.ptbxl(data / "ptbxl").subset(["00001_lr"])
    batch = next(iter((one >> Pipeline().load(components="target").binarize_labels()).batches(1)))
    assert batch.classes == ("CD", "HYP", "MI", "NORM", "STTC")
    np.testing.assert_array_equal(batch.target, [[0, 0, 0, 1, 0]])


def test_wrong_parameters_are_refused(data: Path) -> None:
    with pytest.raises(ConfigError, match=r"Ptbxl\(task='super'\): expected 'all', .* or 'rhythm'"):
        datasets.ptbxl(data / "ptbxl", task="super")
    with pytest.raises(ConfigError, match=r"Ptbxl\(rate=250\): expected 100 or 500"):
        datasets.ptbxl(data / "ptbxl", rate=250)
    with pytest.raises(ConfigError, match=r"min_likelihood=101\): expected a number from 0 to 100"):
        datasets.ptbxl(data / "ptbxl", min_likelihood=101)


def test_a_table_without_a_column_and_a_damaged_cell_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "scp_statements.csv").write_text(",diagnostic,form,rhythm,diagnostic_class\nNORM,1.0,,,NORM\n")
    table = tmp_path / "ptbxl_database.csv"
    table.write_text("ecg_id,patient_id,scp_codes,filename_lr\n")
    with pytest.raises(FormatError, match=r"ptbxl_database\.csv has no column 'strat_fold'; its columns are ecg_id,"):
        datasets.ptbxl(tmp_path)
    table.write_text("ecg_id,patient_id,scp_codes,strat_fold,filename_lr\n1,2,{'NORM',3,a\n")
    with pytest.raises(FormatError, match=r"the scp_codes \"\{'NORM'\" are not a dict of likelihoods"):
        datasets.ptbxl(tmp_path)
    table.write_text("ecg_id,patient_id,scp_codes,strat_fold,filename_lr\n1,2,{}\n")
    with pytest.raises(FormatError, match=r"line 2: 3 cells under 5 names"):
        datasets.ptbxl(tmp_path)


# -- missing files ------------------------------------------------------------------


def test_missing_records_are_counted_and_left_out_when_one_says_so(data: Path) -> None:
    with pytest.raises(
        InputError, match=r"mitdb: 46 of 48 records have no file, .*/100\.hea.*physionet.*missing='drop'"
    ):
        datasets.mitdb(data / "mitdb")
    found = datasets.mitdb(data / "mitdb", missing="drop")
    assert found.ids == ("119", "208")
    assert len(found.all_ids) == 48


# -- MIT-BIH, QT ------------------------------------------------------------------


def test_the_parts_of_mitdb_are_de_chazals(data: Path) -> None:
    reader = registry.datasets.get("mitdb")(data)
    found = reader.records(data)
    assert Counter(found.columns["part"]) == {"DS1": 22, "DS2": 22, "paced": 4}
    part = dict(zip(found.locations, found.columns["part"], strict=True))
    assert [part[name] for name in ("101", "201", "230", "100", "202", "234", "217")] == [
        "DS1", "DS1", "DS1", "DS2", "DS2", "DS2", "paced",
    ]  # fmt: skip
    patient = dict(zip(found.locations, found.columns["patient"], strict=True))
    assert patient["201"] == patient["202"] == "mitdb/201"
    assert len(set(patient.values())) == 47


def test_annotation_codes_map_to_the_classes_of_ec57() -> None:
    assert Counter(AAMI.values()) == {"N": 5, "S": 4, "V": 2, "F": 1, "Q": 3}
    assert [AAMI[code] for code in "LjEe/f"] == ["N", "N", "V", "N", "Q", "Q"]


def test_qtdb_has_the_origins_of_its_documentation(data: Path) -> None:
    found = registry.datasets.get("qtdb")(data).records(data)
    # Laguna et al. (1997), table 1; sel17152, whose origin its header does not tell, is the 24th of the last.
    assert Counter(found.columns["origin"]) == {
        "mitdb": 15, "stdb": 6, "svdb": 13, "ltdb": 4, "edb": 33, "nsrdb": 10, "sddb": 23, None: 1,
    }  # fmt: skip
    assert datasets.qtdb(data / "qtdb", missing="drop").table.column("tape", ["sel230"]) == ["mitdb/230"]


# -- challenges ------------------------------------------------------------------


def test_cinc2017_takes_the_third_version_of_its_labels(tmp_path: Path, write: Write) -> None:
    write(["training2017/A00001", "training2017/A00002"], leads=("I",), fs=300)
    (tmp_path / "training2017/REFERENCE.csv").write_text("A00001,N\nA00002,A\n")
    (tmp_path / "REFERENCE-v3.csv").write_text("A00001,N\nA00002,~\n")
    found = datasets.cinc2017(tmp_path)
    assert found.labels == {"A00001": "N", "A00002": "~"}
    assert found.classes == ("A", "N", "O", "~")
    assert loaded(found)[1] == [300.0, 300.0]
    (tmp_path / "REFERENCE-v3.csv").unlink()
    with pytest.raises(InputError, match=r"has no REFERENCE-v3\.csv\. Its REFERENCE\.csv may be of an earlier version"):
        datasets.cinc2017(tmp_path / "training2017")
    assert datasets.cinc2017(tmp_path, reference="REFERENCE.csv").labels == {"A00001": "N", "A00002": "A"}


def test_cinc2021_reads_the_codes_of_headers_of_both_spellings(tmp_path: Path, write: Write) -> None:
    write(["g1/JS00001"], comments="#Age: 85\n#Sex: Male\n#Dx: 164889003,59118001,164934002\n#Rx: Unknown\n")
    write(["g1/HR06000"], comments="# Age: NaN\n# Sex: Female\n# Dx: 164934002,426783006,733534002\n")
    write(["g2/E00001"], comments="#Age: 40\n#Sex: Unknown\n#Dx: 55930002\n")
    found = datasets.cinc2021(tmp_path)
    assert found.labels == {
        "E00001": (),
        "HR06000": ("164934002", "426783006", "733534002|164909002"),
        "JS00001": ("164889003", "713427006|59118001", "164934002"),
    }
    assert found.classes == CLASSES[2021]
    assert found.table.column("age", found.ids) == [None, 85, 40]
    assert found.table.column("sex", found.ids) == ["F", "M", None]
    assert found.table.column("database", found.ids) == ["PTB-XL", "Chapman-Shaoxing-Ningbo", "Georgia"]
    assert found.table.column("tape", found.ids) == ["ptbxl/06000", "chapman/JS00001", "challenge2021/E00001"]
    assert datasets.cinc2021(tmp_path, labels="all").labels["E00001"] == ("55930002",)
    assert datasets.cinc2021(tmp_path, labels="abbreviations").labels["JS00001"] == ("AF", "CRBBB|RBBB", "TAb")
    # In 2020, the complete left bundle branch block of 733534002 was not scored.
    assert datasets.cinc2020(tmp_path).labels["HR06000"] == ("164934002", "426783006")


def test_the_weights_of_the_challenges_are_the_published_ones() -> None:
    names = {year: [own.abbreviation for own in scored(year)] for year in (2020, 2021)}
    assert {year: len(own) for year, own in names.items()} == {2020: 24, 2021: 26}
    # Rows of weights.csv of both evaluation repositories, by the classes' abbreviations.
    published = {
        (2020, "AF", "IAVB"): 0.3, (2020, "AF", "AFL"): 0.5, (2020, "QAb", "NSR"): 0.15, (2020, "LBBB", "QAb"): 0.375,
        (2020, "PAC|SVPB", "NSR"): 0.4125, (2020, "PVC|VPB", "LQT"): 0.425, (2020, "LAD", "LAnFB"): 0.5,
        (2021, "AF", "BBB"): 0.475, (2021, "BBB", "CLBBB|LBBB"): 0.475, (2021, "LQRSV", "PRWP"): 0.475,
        (2021, "AF", "PRWP"): 0.425, (2021, "Brady", "BBB"): 0.325, (2021, "TInv", "TInv"): 1.0,
        (2021, "NSR", "STach"): 0.375,
    }  # fmt: skip
    for (year, one, other), value in published.items():
        weights = challenge_weights(year)
        i, j = names[year].index(one), names[year].index(other)
        assert weights[i, j] == weights[j, i] == pytest.approx(value)


def test_cpsc2018_knows_the_rate_that_its_files_do_not_tell(tmp_path: Path) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    (tmp_path / "TrainingSet1").mkdir()
    for name in ("A0001", "A0002"):
        ecg = {"sex": "Male", "age": 74, "data": np.zeros((12, 1500)) + 0.25}
        savemat(tmp_path / f"TrainingSet1/{name}.mat", {"ECG": ecg})
    (tmp_path / "REFERENCE.csv").write_text("Recording,First_label,Second_label,Third_label\nA0001,5,,\nA0002,2,9,\n")
    found = datasets.cpsc2018(tmp_path)
    assert found.labels == {"A0001": ("RBBB",), "A0002": ("AF", "STE")}
    assert loaded(found) == ([(12, 1500)] * 2, [500.0] * 2)
    batch = next(iter((found >> Pipeline().load(fmt="mat", fs=250)).batches(2)))
    assert batch.meta[0]["fs"] == 250.0
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/A0001.mat").write_bytes((tmp_path / "TrainingSet1/A0001.mat").read_bytes())
    with pytest.raises(InputError, match=r"Two files are the record 'A0001': .*TrainingSet1/A0001.mat and .*copy"):
        datasets.cpsc2018(tmp_path)
    (tmp_path / "copy/A0001.mat").unlink()
    for cell in ("10", "0", "-1", "2.5"):
        (tmp_path / "REFERENCE.csv").write_text(f"Recording,First_label,Second_label,Third_label\nA0001,{cell},,\n")
        with pytest.raises(FormatError, match=rf"the labels \['{cell}', '', ''\] of A0001 are not numbers from 1 to 9"):
            datasets.cpsc2018(tmp_path)


def test_chapman_reads_the_codes_of_its_headers(tmp_path: Path, write: Write) -> None:
    write(["WFDBRecords/01/010/JS00001"], comments="#Age: 85\n#Sex: Male\n#Dx: 164889003,59118001\n")
    (tmp_path / "ConditionNames_SNOMED-CT.csv").write_text("Acronym Name,Full Name,Snomed_CT\nAFIB,x,164889003\n")
    assert datasets.chapman(tmp_path).labels == {"JS00001": ("164889003", "59118001")}
    found = datasets.chapman(tmp_path, labels="acronyms")
    assert found.labels == {"JS00001": ("AFIB", "59118001")}
    assert found.table.column("patient", found.ids) == ["chapman/JS00001"]
    assert loaded(found)[0] == [(2, 1000)]


def test_ludb_reads_its_table_with_line_ends_inside_of_cells(tmp_path: Path, write: Write) -> None:
    write(["data/1", "data/2"])
    (tmp_path / "ludb.csv").write_text(
        'ID,Sex,Age,Rhythms,Cardiac pacing\n1,"F\n","51\n",Sinus bradycardia,\n2,"M\n","64\n",Sinus rhythm,yes\n'
    )
    found = datasets.ludb(tmp_path)
    assert found.labels == {"1": "Sinus bradycardia", "2": "Sinus rhythm"}
    assert found.filter(age=51).ids == ("1",)
    assert found.filter(sex="M").ids == ("2",)
    assert found.table.column("Cardiac pacing", found.ids) == [None, "yes"]


# -- CODE-15, MIMIC ------------------------------------------------------------------


def test_code15_reads_the_rows_of_its_hdf5_files_by_exam(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(3, 4096, 12)).astype(np.float32)
    with h5py.File(tmp_path / "exams_part0.hdf5", "w") as file:
        file["exam_id"], file["tracings"] = [30, 10, 20], signal
    names = "exam_id,age,is_male,nn_predicted_age,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,death,timey,normal_ecg,trace_file"
    rows = [
        "10,38,True,40.1,True,True,False,False,False,False,523632,False,2.1,False,exams_part0.hdf5",
        "20,73,False,67.0,False,False,False,False,False,False,1724173,False,6.6,True,exams_part0.hdf5",
    ]
    (tmp_path / "exams.csv").write_text("\n".join([names, *rows]) + "\n")
    found = datasets.code15(tmp_path)
    assert found.labels == {"10": ("1dAVb", "RBBB"), "20": ()}
    assert found.table.column("patient", found.ids) == ["code15/523632", "code15/1724173"]
    assert found.filter(sex="M").ids == ("10",)
    batch = next(iter((found >> Pipeline().load()).batches(2)))
    np.testing.assert_array_equal(batch.signal[0], signal[1].T)
    np.testing.assert_array_equal(batch.signal[1], signal[2].T)
    assert batch.meta[0]["fs"] == 400.0
    assert batch.meta[0]["leads"][3:7] == ("aVR", "aVL", "aVF", "V1")
    tenths = next(iter((datasets.code15(tmp_path, mv_per_unit=0.1) >> Pipeline().load()).batches(2)))
    np.testing.assert_allclose(tenths.signal[0], 0.1 * signal[1].T, rtol=1e-6)
    assert datasets.code15(tmp_path, mv_per_unit=0.1).fingerprint() != found.fingerprint()
    with h5py.File(tmp_path / "exams_part0.hdf5", "w") as file:
        file["exam_id"] = [30]
    with pytest.raises(FormatError, match=r"has no exam 10, which exams\.csv says is in it"):
        datasets.code15(tmp_path)
    (tmp_path / "exams_part0.hdf5").unlink()
    with pytest.raises(InputError, match=r"code15: 2 of 2 records have no file, .*exams_part0\.hdf5"):
        datasets.code15(tmp_path)


def test_a_cache_knows_the_scale_and_the_files_of_rows_of_hdf5_and_of_described_files(tmp_path: Path) -> None:
    h5py, savemat = pytest.importorskip("h5py"), pytest.importorskip("scipy.io").savemat

    def write(value: float) -> None:
        with h5py.File(tmp_path / "a.hdf5", "w") as file:
            file["tracings"] = np.full((1, 100, 1), value, np.float32)
        savemat(tmp_path / "b.mat", {"ECG": {"sex": "Male", "age": 74, "data": np.full((12, 100), value)}})
        for path in (tmp_path / "a.hdf5", tmp_path / "b.mat"):
            os.utime(path, (1e9 + value, 1e9 + value))

    def first(place: Location) -> tuple[float, float]:
        batch = next(iter((EcgDataset({"r": place}) >> Pipeline().load().cache(tmp_path / "cache")).batches(1)))
        return float(batch.signal[0][0, 0]), batch.meta[0]["fs"]

    row = Hdf5Location(tmp_path / "a.hdf5", "tracings", 0, 400.0, ("I",), 1.0)
    described = DescribedLocation(tmp_path / "b.mat", "mat", (("fs", 500.0),))
    places = (row, replace(row, mv_per_unit=0.5), described, replace(described, options=(("fs", 250.0),)))
    assert len({EcgDataset({"r": place}).fingerprint() for place in places}) == 4
    assert len({_content(place) for place in places}) == 4
    for value in (1.0, 2.0):
        write(value)
        assert [first(place) for place in places] == [
            (value, 400.0), (0.5 * value, 400.0), (value, 500.0), (value, 250.0)
        ]  # fmt: skip


def test_mimic_iv_ecg_reads_its_list_of_records(tmp_path: Path, write: Write) -> None:
    paths = ["files/p1000/p10000032/s40689238/40689238", "files/p1000/p10000032/s44458630/44458630"]
    write(paths)
    rows = [f"10000032,{path[-8:]},{path[-8:]},2180-07-23 08:44:00,{path}" for path in paths]
    (tmp_path / "record_list.csv").write_text("\n".join(["subject_id,study_id,file_name,ecg_time,path", *rows]) + "\n")
    found = datasets.mimic_iv_ecg(tmp_path)
    assert found.ids == ("40689238", "44458630")
    assert found.labels is None
    assert set(found.table.column("patient", found.ids)) == {"mimic/10000032"}
    assert loaded(found)[0] == [(2, 1000)] * 2
    (tmp_path / "machine_measurements.csv").write_text(
        "subject_id,study_id,cart_id,ecg_time,report_0,report_1,bandwidth,filtering,rr_interval\n"
        "10000032,40689238,6848296,2180-07-23 08:44:00,Sinus rhythm,,0.005-150 Hz,60 Hz notch,659\n"
        "10000032,44458630,6848296,2180-07-23 08:44:00,,,,,29999\n"
    )
    table = datasets.mimic_iv_ecg(tmp_path, measurements=True).table
    # 29999 is what the carts write for an interval that they could not measure.
    assert table.column("rr_interval", found.ids) == [659, None]
    assert table.column("report_0", found.ids) == ["Sinus rhythm", None]


def test_joined_data_sets_keep_their_cards_tapes_and_patients(data: Path, tmp_path: Path, write: Write) -> None:
    write(["HR00001"], comments="#Dx: 426783006\n")
    joined = EcgDataset.concat({"a": datasets.ptbxl(data / "ptbxl"), "b": datasets.cinc2021(tmp_path)})
    assert [card.name for card in joined.cards] == ["ptbxl", "cinc2021"]
    assert joined.classes is None
    assert joined.table.column("tape", ["a-00001_lr", "b-HR00001"]) == ["ptbxl/00001"] * 2
    assert joined.filter(part="train", missing="drop").table is joined.table


def test_the_age_that_ptbxl_writes_for_everybody_over_89_is_not_taken_for_300_years(tmp_path: Path) -> None:
    (tmp_path / "scp_statements.csv").write_text(
        ",description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass\nNORM,normal,1.0,,,NORM,NORM\n"
    )
    (tmp_path / "ptbxl_database.csv").write_text(
        "ecg_id,patient_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr\n"
        + "".join(
            f"{i},{i},{age},0,{{'NORM': 100.0}},1,r/{i}_lr,r/{i}_hr\n" for i, age in ((1, 56.0), (2, 300.0), (3, ""))
        )
    )
    (tmp_path / "r").mkdir()
    for i in (1, 2, 3):
        (tmp_path / f"r/{i}_lr.hea").write_text(f"{i}_lr 1 100 10\n{i}_lr.dat 16 1000 16 0 0 0 0 I\n")
    table = datasets.ptbxl(tmp_path).table
    ids = ["1_lr", "2_lr", "3_lr"]
    assert table.column("age", ids) == [56, None, None]
    assert table.column("age_over_89", ids) == [False, True, None]


def test_a_row_that_hdf5_cannot_give_is_one_error_of_ours_with_its_place(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["tracings"] = np.zeros((2, 100, 1), np.float32)
        file["texts"] = np.full((1, 3, 1), b"ab", "S2")
    for table, row, said in (
        ("tracings", 2, r"has 2 rows in 'tracings', and not row 2"),
        ("nothing", 0, r"has no table 'nothing' of shape \(record, time, 1\): found none"),
        ("texts", 0, "cannot be read"),
    ):
        place = Hdf5Location(tmp_path / "a.hdf5", table, row, 400.0, ("I",), 1.0)
        with pytest.raises(FormatError, match=said) as caught:
            EcgDataset({"r": place}).next_batch(1).load()
        assert caught.value.record == "r"
