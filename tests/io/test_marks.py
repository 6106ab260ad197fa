"""Marks neither vanish nor appear: which belong to a lead, which to the record, and which files hold any."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow import EcgDataset
from cardioflow.batch import Annotation, EcgBatch
from cardioflow.batch.annotation import BEATS
from cardioflow.cli.app import app
from cardioflow.errors import FormatError
from cardioflow.io._marks import CODES, with_owners
from cardioflow.io._recognise import recognise
from cardioflow.io.base import Format, ReadRequest, Record
from cardioflow.io.wfdb import Wfdb
from cardioflow.registry import formats

ALL = frozenset({"signal", "meta", "annotation"})
MARKS = frozenset({"annotation"})
_NUM, _CHAN = 60, 62

# File and annotator of every format that keeps marks; None is what is meant when none is named.
REAL = [
    *(("mitdb/119.hea", ext) for ext in ("atr",)),
    *(("qtdb/sel230.hea", ext) for ext in ("atr", "q1c", "qt1", "man", "pu", "pu0", "pu1")),
    ("qtdb/sele0106.hea", "atr"),
    ("ludb/7.hea", None),
    ("formats/dicom/pydicom_waveform_ecg.dcm", None),
    ("formats/hl7_aecg/Example_aECG.xml", None),
    ("formats/hl7_aecg/fda_subject1_0.xml", None),
    ("formats/ishne/ECG_P28.01.ecg", None),
    ("formats/muse_xml/braveheart_example1.xml", None),
    ("formats/muse_xml/introecg_example.xml", None),
    ("formats/schiller_xml/cardio_sample.xml", None),
]


def _marks(symbols: str, channels: list[int], apart: int = 200) -> Annotation:
    n = len(symbols)
    return Annotation(sample=np.arange(1, n + 1) * apart, symbol=np.array([*symbols]), channel=np.array(channels))


def _wfdb(folder: Path, leads: tuple[str, ...], marks: list[tuple[str, int]], apart: int = 200) -> Path:
    """Write a record at 250 Hz with a mark, (symbol, chan), every ``apart`` samples, and return its header."""
    words: list[int] = []
    chan = 0
    for symbol, own in marks:
        words.append(CODES.index(symbol) << 10 | apart)
        if own != chan:
            words.append(_CHAN << 10 | own)
            chan = own
    n = apart * (len(marks) + 2)
    lines = [f"r.dat 16 200 16 0 0 0 0 {lead}" for lead in leads]
    (folder / "r.hea").write_text("\n".join([f"r {len(leads)} 250 {n}", *lines]) + "\n")
    (folder / "r.dat").write_bytes(bytes(2 * n * len(leads)))
    (folder / "r.atr").write_bytes(b"".join(w.to_bytes(2, "little") for w in (*words, 0)))
    return folder / "r.hea"


def _told(marks: Annotation) -> Counter[str]:
    return Counter(marks.symbol.tolist())


EUROPEAN = [("N", 0)] * 5 + [("s", 1)] + [("N", 0)] * 5
# The European ST-T database numbers the beats by the lead in which they were seen, or leaves 0 there; the long-term
# databases leave numbers that have nothing to do with the two signals.
LONG_TERM = [("N", chan) for chan in (0, 34, 1, 7, 2, 0, 33, 1, 18, 3)]


@pytest.mark.parametrize("leads", [("MLIII",), ("V4",), ("MLIII", "V4"), ("V4", "MLIII")])
def test_beats_of_the_european_st_t_database_stay_whichever_lead_is_read(
    tmp_path: Path, leads: tuple[str, ...]
) -> None:
    path = _wfdb(tmp_path, ("V4", "MLIII"), EUROPEAN)
    chosen = Wfdb().read(path, ReadRequest(components=MARKS, channels=leads)).annotation
    assert chosen is not None
    assert _told(chosen) == Counter(N=10, s="MLIII" in leads)
    assert chosen.channel[chosen.symbol == "N"].tolist() == [0] * 10
    assert chosen.channel[chosen.symbol == "s"].tolist() == [i for i, lead in enumerate(leads, 1) if lead == "MLIII"]


def test_an_st_change_follows_its_lead_and_beats_are_cropped_from_the_other(tmp_path: Path) -> None:
    path = _wfdb(tmp_path, ("V4", "MLIII"), EUROPEAN)
    batch = EcgDataset(path).batch([0]).load(fmt="wfdb", components=["signal", "meta", "annotation"])
    assert _told(batch.keep_channels("MLIII").annotation[0]) == Counter(N=10, s=1)
    assert _told(batch.keep_channels("V4").annotation[0]) == Counter(N=10)
    assert _told(batch.drop_channels("V4").annotation[0]) == Counter(N=10, s=1)
    turned = batch.reorder_channels(["MLIII", "V4"]).annotation[0]
    assert (_told(turned), turned.channel[turned.symbol == "s"].tolist()) == (Counter(N=10, s=1), [1])
    for lead in ("MLIII", "V4"):
        assert len(batch.keep_channels(lead).crop_beats()) == 10
        read = EcgDataset(path).batch([0]).load(fmt="wfdb", components=["signal", "meta", "annotation"], channels=lead)
        assert len(read.crop_beats()) == 10


@pytest.mark.parametrize("new_order", [("ECG2", "ECG1"), ("ECG1", "ECG2"), ("ECG2",)])
def test_beats_of_long_term_databases_stay_in_any_order_of_leads(tmp_path: Path, new_order: tuple[str, ...]) -> None:
    path = _wfdb(tmp_path, ("ECG1", "ECG2"), LONG_TERM)
    batch = EcgDataset(path).batch([0]).load(fmt="wfdb", components=["signal", "meta", "annotation"])
    assert len(batch.reorder_channels(list(new_order)).annotation[0]) == 10
    read = Wfdb().read(path, ReadRequest(components=MARKS, channels=new_order)).annotation
    assert read is not None
    assert (_told(read), set(read.channel.tolist())) == (Counter(N=10), {0})


@pytest.mark.parametrize("symbol", [*sorted(BEATS), "+", '"', "~", "|", "!", "[", "]", "x", "^", "@"])
def test_annotations_of_the_whole_record_belong_to_no_lead_whatever_their_channel(symbol: str) -> None:
    found = with_owners(_marks(symbol * 4 + "(", [1, 2, 2, 1, 2]), 2, 250.0)
    assert found.channel.tolist() == [0, 0, 0, 0, 2]


@pytest.mark.parametrize("symbol", ["(", ")", "p", "t", "u", "=", "s", "T", "*", "D"])
def test_waves_and_measurements_belong_to_their_lead(symbol: str) -> None:
    assert with_owners(_marks(symbol * 3, [1, 2, 9]), 2, 250.0).channel.tolist() == [1, 2, 0]
    assert with_owners(_marks(symbol * 3, [1, 0, 1]), 2, 250.0).channel.tolist() == [1, 0, 1]
    # Nothing tells that the first lead is meant where the others are not of this record.
    assert with_owners(_marks(symbol * 3, [1, 1, 9]), 2, 250.0).channel.tolist() == [0, 0, 0]


def test_beats_that_are_marked_once_in_each_lead_belong_to_their_leads() -> None:
    both = Annotation(
        sample=np.array([100, 103, 300, 298, 500, 501]), symbol=np.array([*"NNNNNN"]), channel=np.array([1, 2] * 3)
    )
    assert with_owners(both, 2, 250.0).channel.tolist() == [1, 2] * 3
    apart = Annotation(sample=both.sample * 50, symbol=both.symbol, channel=both.channel)
    assert with_owners(apart, 2, 250.0).channel.tolist() == [0] * 6


def test_the_channel_of_a_note_is_kept_if_the_format_states_it() -> None:
    marks = _marks('"(N+~', [2, 2, 2, 2, 9])
    assert with_owners(marks, 2, 250.0, stated=True).channel.tolist() == [2, 2, 0, 0, 0]
    assert with_owners(marks, 2, 250.0).channel.tolist() == [0, 2, 0, 0, 0]


def test_a_channel_beyond_the_leads_of_a_batch_is_not_a_lead() -> None:
    marks = _marks("((((", [1, 2, 3, 35])
    signals = np.zeros((1, 2, 1000), np.float32)
    batch = EcgBatch.from_arrays(signals, fs=250, leads=["I", "V1"], annotations=[marks])
    assert batch.reorder_channels(["V1", "I"]).annotation[0].channel.tolist() == [2, 1, 0, 0]
    assert batch.keep_channels("I").annotation[0].channel.tolist() == [1, 0, 0]
    assert batch.drop_channels("I").annotation[0].channel.tolist() == [1, 0, 0]


@pytest.mark.parametrize(("file", "ext"), REAL, ids=[f"{file.split('/')[-1]}-{ext}" for file, ext in REAL])
def test_every_selection_of_leads_keeps_the_marks_of_the_record_and_of_these_leads(
    data: Path, file: str, ext: str | None
) -> None:
    path = data / file
    fmt = recognise(path)
    options = {} if ext is None else {"ann_ext": ext}
    reader = formats.get(fmt)()
    whole = reader.read(path, ReadRequest(components=ALL, **options))
    assert whole.annotation is not None
    assert len(whole.annotation) > 0
    if not whole.leads:
        return
    assert whole.annotation.channel.max(initial=0) <= len(whole.leads)
    batch = EcgDataset(path).batch([0]).load(fmt=fmt, components=["signal", "meta", "annotation"], **options)
    for lead in dict.fromkeys((whole.leads[0], whole.leads[-1])):
        number = whole.leads.index(lead) + 1
        own = np.isin(whole.annotation.channel, [0, number])
        expected = _told(whole.annotation.take(own))
        assert _told(batch.keep_channels(lead).annotation[0]) == expected
        if ext != ("pu1" if number == 1 else "none"):
            # QTDB's pu1 is refused for the first lead, because it delineates the second alone.
            read = reader.read(path, ReadRequest(components=MARKS, channels=(lead,), **options)).annotation
            assert read is not None
            assert _told(read) == expected
        if len(whole.leads) > 1:
            others = np.isin(whole.annotation.channel, [number], invert=True)
            assert _told(batch.drop_channels(lead).annotation[0]) == _told(whole.annotation.take(others))
    turned = batch.reorder_channels(list(whole.leads[::-1])).annotation[0]
    assert _told(turned) == _told(whole.annotation)
    back = np.where(turned.channel > 0, len(whole.leads) + 1 - turned.channel, 0)
    assert sorted(back.tolist()) == sorted(whole.annotation.channel.tolist())


@pytest.mark.parametrize("fmt", [name for name in formats.names() if formats.get(name).write is not Format.write])
@pytest.mark.parametrize(("file", "ext"), [("mitdb/119", "atr"), ("qtdb/sel230", "pu"), ("ludb/7", None)])
def test_selecting_leads_of_a_written_record_works_as_for_its_source(
    data: Path, tmp_path: Path, fmt: str, file: str, ext: str | None
) -> None:
    part = {"components": ALL, "ann_ext": ext, "stop_s": 9.5}
    source = Wfdb().read(data / file, ReadRequest(**part))  # type: ignore[arg-type]
    assert source.annotation is not None
    assert len(source.annotation) > 9
    written = formats.get(fmt)().write(source, tmp_path / "r1")[-1]
    for channels in (None, source.leads[:1], source.leads[1:2], source.leads[::-1]):
        ours = formats.get(fmt)().read(written, ReadRequest(components=MARKS, channels=channels)).annotation
        theirs = Wfdb().read(data / file, ReadRequest(**part, channels=channels)).annotation  # type: ignore[arg-type]
        assert theirs is not None
        assert sorted(zip(ours.sample.tolist(), ours.symbol.tolist(), ours.channel.tolist(), strict=True)) == sorted(
            zip(theirs.sample.tolist(), theirs.symbol.tolist(), theirs.channel.tolist(), strict=True)
        )


def test_a_delineation_of_both_leads_keeps_each_beat_with_its_lead(data: Path) -> None:
    def read(**options: object) -> Annotation:
        found = Wfdb().read(data / "qtdb/sel230", ReadRequest(components=MARKS, ann_ext="pu", **options)).annotation
        assert found is not None
        return found

    first, second = Wfdb().read(data / "qtdb/sel230", ReadRequest()).leads
    # ecgpuwave found 1076 beats in each of the two leads.
    assert (read().symbol == "N").sum() == 2152
    assert (read(channels=(first,)).symbol == "N").sum() == 1076
    assert (read(channels=(second,)).symbol == "N").sum() == 1076


def test_beats_of_a_lead_are_cropped_once_from_ludb(data: Path) -> None:
    batch = EcgDataset(data / "ludb/7.hea").batch([0]).load(fmt="wfdb", components=["signal", "meta", "annotation"])
    n = (Wfdb().read(data / "ludb/7", ReadRequest(components=MARKS, ann_ext="v1")).annotation.symbol == "N").sum()  # type: ignore[union-attr]
    found = batch.keep_channels("V1").annotation[0]
    assert (found.symbol == "N").sum() == n
    assert n > 5


# -- which files are annotation files ------------------------------------------


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("a.txt", "text")
    return content.getvalue()


def _npz() -> bytes:
    content = io.BytesIO()
    np.savez(content, signal=np.zeros((1, 10)))
    return content.getvalue()


# An annotation file of one beat at sample 5.
_BEAT = b"\x05\x04\0\0"
_OTHERS = {
    **dict.fromkeys(("npz", "npy", "xml", "pdf", "md", "log", "yaml", "zip", "parquet", "txt", "json"), _BEAT),
    **dict.fromkeys(("csv", "YAML", "gz", "png", "html", "bak", "h5", "dcm"), _BEAT),
    "foo": b"a text that nobody would take for marks\n",
    "odd": b"\x05\x04\0\0\0",
    "noend": b"\x05\x04\x06\x04",
    "zero": b"\0\0\0\0",
    "early": b"\x05\x04\0\0\x06\x04\0\0",
    "code": b"\x05\xd8\0\0",
    "late": b"\x05\x04\x00\xec\x10\x00\x00\x00\x05\x04\0\0",
    "back": b"\x05\x04\x00\xec\xff\xff\xfd\xff\x00\x04\0\0",
    "arc": _zip(),
    "arr": _npz(),
}


@pytest.mark.parametrize("ending", _OTHERS)
def test_a_file_that_is_not_an_annotation_file_is_not_read_as_one(tmp_path: Path, ending: str) -> None:
    path = _wfdb(tmp_path, ("II",), [("N", 0)])
    (tmp_path / "r.atr").unlink()
    (tmp_path / f"r.{ending}").write_bytes(_OTHERS[ending])
    with pytest.raises(FormatError, match=r"Beside it there are: none"):
        Wfdb().read(path, ReadRequest(components=MARKS))
    assert "annotations" not in CliRunner().invoke(app, ["info", str(path)]).output.replace("marks     none", "")
    # Beside a reference, and beside another annotator, it changes nothing.
    (tmp_path / "r.qrs").write_bytes(_BEAT)
    found = Wfdb().read(path, ReadRequest(components=MARKS)).annotation
    assert found is not None
    assert (found.sample.tolist(), found.symbol.tolist()) == ([5], ["N"])


@pytest.mark.parametrize("ending", ["qrs", "ecg", "ecg1", "wqrs", "q1c", "xyz", "man"])
def test_an_annotation_file_of_any_other_ending_is_found_by_its_structure(tmp_path: Path, ending: str) -> None:
    path = _wfdb(tmp_path, ("II",), [("N", 0)])
    (tmp_path / "r.atr").rename(tmp_path / f"r.{ending}")
    found = Wfdb().read(path, ReadRequest(components=MARKS)).annotation
    assert found is not None
    assert found.sample.tolist() == [200]


@pytest.mark.parametrize("ending", ["at_", "at-", "atr~", "new.atr"])
def test_a_backup_of_annotations_is_read_by_its_name_alone(tmp_path: Path, ending: str) -> None:
    # MIT-BIH has corrected annotations as 203.atr, and those before as 203.at_ and 203.at-.
    path = _wfdb(tmp_path, ("II",), [("N", 0)])
    (tmp_path / f"r.{ending}").write_bytes(_BEAT)
    named = Wfdb().read(path, ReadRequest(components=MARKS, ann_ext=ending)).annotation
    assert named is not None
    assert named.sample.tolist() == [5]
    (tmp_path / "r.atr").unlink()
    with pytest.raises(FormatError, match="Beside it there are: none"):
        Wfdb().read(path, ReadRequest(components=MARKS))


def test_a_holter_file_beside_a_header_is_no_annotation_file(data: Path, tmp_path: Path) -> None:
    path = _wfdb(tmp_path, ("II",), [("N", 0)])
    (tmp_path / "r.atr").unlink()
    for source in ("ishne/ECG_P28.01.ecg", "contec/0000037.ECG", "scp/Example.scp"):
        (tmp_path / "r.ecg").write_bytes((data / "formats" / source).read_bytes())
        with pytest.raises(FormatError, match="Beside it there are: none"):
            Wfdb().read(path, ReadRequest(components=MARKS))
        with pytest.raises(FormatError, match="does not have the structure of an annotation file"):
            Wfdb().read(path, ReadRequest(components=MARKS, ann_ext="ecg"))


def test_a_backup_of_a_header_is_no_annotation_file_even_by_its_name(tmp_path: Path) -> None:
    path = _wfdb(tmp_path, ("II",), [("N", 0)])
    (tmp_path / "r.hea-").write_bytes((tmp_path / "r.hea").read_bytes())
    with pytest.raises(FormatError, match=r"r\.hea-' does not have the structure of an annotation file"):
        Wfdb().read(path, ReadRequest(components=MARKS, ann_ext="hea-"))


def test_every_annotation_file_of_the_databases_is_found(data: Path) -> None:
    from cardioflow.io.reading import annotation_files

    assert annotation_files(data / "qtdb")["sel230"] == ["atr", "man", "pu", "pu0", "pu1", "q1c", "qt1"]
    assert sorted(annotation_files(data / "ludb")["7"]) == sorted(
        ["i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"]
    )
    assert annotation_files(data / "mitdb") == {"119": ["atr"], "208": ["atr"]}
    assert not any(annotation_files(data / "cinc2017").values())


def test_marks_with_a_resolution_of_their_own_are_found(tmp_path: Path) -> None:
    note = b"## time resolution: 25000"
    marks = (22 << 10).to_bytes(2, "little") + (63 << 10 | len(note)).to_bytes(2, "little") + note + b"\0"
    path = _wfdb(tmp_path, ("II",), [("N", 0)])
    (tmp_path / "r.atr").unlink()
    (tmp_path / "r.fine").write_bytes(marks + b"\x00\xec\x00\x00\x20\x4e\x00\x04\0\0")
    found = Wfdb().read(path, ReadRequest(components=MARKS)).annotation
    assert found is not None
    assert found.sample.tolist() == [200]


def test_a_folder_that_is_converted_into_itself_twice_gets_no_marks(cinc: Path, tmp_path: Path) -> None:
    for ending in (".hea", ".mat"):
        shutil.copy(cinc / f"A00015{ending}", tmp_path)
    for fmt in ("npz", "edf", "npz", "edf", "csv", "edf"):
        done = CliRunner().invoke(app, ["convert", str(tmp_path), str(tmp_path), "--fmt", fmt])
        assert done.exit_code == 0, done.output
    for file in tmp_path.iterdir():
        if file.suffix in {".hea", ".mat"} or file.name.startswith("."):
            continue
        found = formats.get(recognise(file))().read(file, ReadRequest(components=MARKS)).annotation
        assert not len(found or ()), file.name


@pytest.mark.parametrize(("file", "ext"), [("mitdb/119", "atr"), ("qtdb/sel230", "pu"), ("ludb/7", None)])
def test_selecting_leads_of_a_packed_store_works_as_for_its_source(
    data: Path, tmp_path: Path, file: str, ext: str | None
) -> None:
    source = data / f"{file}.hea"
    options = {} if ext is None else {"ann_ext": ext}
    components = ["signal", "meta", "annotation"]
    EcgDataset(source).pack(tmp_path / "store", fmt="wfdb", components=components, **options)
    packed = EcgDataset(tmp_path / "store").batch([0])
    leads = packed.load(components="meta").meta[0]["leads"]
    for channels in (list(leads), [leads[0]], [leads[1]], list(leads[::-1])):
        ours = packed.load(components=components, channels=channels).annotation[0]
        theirs = Wfdb().read(source, ReadRequest(components=MARKS, channels=tuple(channels), **options)).annotation
        assert ours == theirs


def test_computing_leads_keeps_the_marks_of_the_record(data: Path) -> None:
    batch = EcgDataset(data / "ludb/7.hea").batch([0]).load(fmt="wfdb", components=["signal", "meta", "annotation"])
    whole = batch.annotation[0]
    six = batch.keep_channels(["I", "II"]).derive_leads().annotation[0]
    assert _told(six) == _told(whole.take(np.isin(whole.channel, [1, 2])))
    path = data / "formats/muse_xml/introecg_example.xml"
    beats = EcgDataset(path).batch([0]).load(fmt="muse_xml", components=["signal", "meta", "annotation"])
    assert _told(beats.derive_vcg().annotation[0]) == _told(beats.annotation[0])
    assert _told(beats.derive_leads().annotation[0]) == _told(beats.annotation[0])


@pytest.mark.parametrize("fmt", [name for name in formats.names() if formats.get(name).write is not Format.write])
def test_annotations_of_the_first_lead_stay_separate_from_those_of_the_record(fmt: str, tmp_path: Path) -> None:
    marks = _marks("(N)+", [1, 0, 1, 0])
    source = Record(np.zeros((2, 1000), np.float32), 250.0, ("II", "V1"), ("mV", "mV"), {}, marks)
    path = formats.get(fmt)().write(source, tmp_path / "r1")[-1]
    for channels, told in ((None, "(N)+"), (("II",), "(N)+"), (("V1",), "N+")):
        found = formats.get(fmt)().read(path, ReadRequest(components=MARKS, channels=channels)).annotation
        assert "".join(found.symbol.tolist()) == told
