from __future__ import annotations

import json
import tracemalloc

import numpy as np
from typer.testing import CliRunner

from cardioflow import EcgDataset
from cardioflow.cli.app import app
from cardioflow.cli.info import describe
from cardioflow.errors import FormatError, InputError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.registry import formats


def call(*arguments):
    return CliRunner().invoke(app, ["info", *(str(a) for a in arguments)])


def test_a_record_is_described_with_leads_rate_and_duration(data):
    path = data / "cinc2017" / "A00015.hea"
    facts = describe(path)
    assert (facts["format"], facts["leads"], facts["fs"]) == ("wfdb", ["ECG"], 300.0)
    assert facts["duration_s"] == facts["n_samples"] / 300.0 > 5
    text = call(path).output
    assert text.startswith(str(path))
    assert "300 Hz" in text


def test_json_holds_every_file_in_the_order_given(data):
    paths = [data / "mitdb" / "208.hea", data / "cinc2017" / "A00015.hea"]
    found = json.loads(call(*paths, "--json").stdout)
    assert [f["file"] for f in found] == [str(p) for p in paths]
    assert found[0]["units"] == ["mV", "mV"]


def test_annotations_are_counted_by_symbol(data):
    (found,) = json.loads(call(data / "mitdb" / "208.hea", "--ann-ext", "atr", "--json").stdout)
    assert found["annotations"]["N"] == 1586  # the database's own table of beats: 1 586 N, 992 V, 373 F
    assert found["annotations"]["V"] == 992
    assert found["annotations"]["F"] == 373


def test_age_and_sex_are_shown_if_the_file_has_them(data):
    (found,) = json.loads(call(data / "mitdb" / "208.hea", "--json").stdout)
    assert (found["age"], found["sex"]) == (23, "F")
    assert "23 years" in call(data / "mitdb" / "208.hea").output


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_described(data, tmp_path):
    bad = tmp_path / "bad.hea"
    bad.write_text("no header at all\n")
    done = call(bad, data / "cinc2017" / "A00015.hea")
    assert done.exit_code == 2
    assert f"cardioflow: {bad} is not recognised as one of the known formats" in done.stderr
    assert "A00015" in done.stdout


def test_a_simulated_record_needs_no_file():
    (found,) = json.loads(call("simulated:AF?duration_s=10&leads=I,V1", "--fmt", "simulated", "--json").stdout)
    assert (found["leads"], found["duration_s"], found["format"]) == (["I", "V1"], 10.0, "simulated")
    assert found["annotations"]["N"] > 5


def test_reading_options_reach_the_reader(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 1000), np.float32))
    (found,) = json.loads(call(tmp_path / "a.npy", "-o", "fs=500", "--json").stdout)
    assert (found["fs"], found["duration_s"]) == (500.0, 2.0)
    assert "It is an option of" in call(tmp_path / "a.npy", "-o", "waveform=Median").stderr


def test_a_file_with_annotations_only_is_described(data):
    (found,) = json.loads(call(data / "formats/edf/wfdb_test_edfann.edf", "--json").stdout)
    assert (found["leads"], found["n_samples"]) == ([], 0)
    assert sum(found["annotations"].values()) > 100
    assert "leads       none" in call(data / "formats/edf/wfdb_test_edfann.edf").stdout


def test_measurements_are_written_as_json(data):
    (found,) = json.loads(call(data / "formats/muse_xml/introecg_example.xml", "--json").stdout)
    assert found["meta"]["measurements"]["qrs_ms"] == 94.0


def test_an_error_names_the_file_once(tmp_path):
    (tmp_path / "a.edf").write_bytes(b"0       " + bytes(100))
    assert call(tmp_path / "a.edf", "--fmt", "edf").stderr.count("a.edf") == 1


def test_a_recording_of_eight_gigabytes_is_described_by_its_header_and_beginning(tmp_path):
    n = 2_000_000_000
    (tmp_path / "r.hea").write_text(f"r 2 250 {n}\nr.dat 16 200 16 0 0 0 0 I\nr.dat 16 200 16 0 0 0 0 II\n")
    with (tmp_path / "r.dat").open("wb") as file:
        file.truncate(4 * n)  # sparse: it takes no room
    tracemalloc.start()
    facts = describe(tmp_path / "r.hea")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (facts["n_samples"], facts["duration_s"], facts["leads"]) == (n, n / 250, ["I", "II"])
    assert peak < 50 << 20
    assert f"{n} samples per lead" in call(tmp_path / "r.hea").output


def test_a_file_that_needs_too_much_memory_is_an_error(data):
    def read_many(*_):
        raise MemoryError

    from cardioflow.io.reading import _read

    reader = formats.get("wfdb")()
    reader.read_many = read_many
    paths = [data / "cinc2017" / "A00015.hea"] * 2
    for found in _read(reader, paths, ReadRequest()):
        assert isinstance(found, FormatError)
        assert "needs more memory than there is. Read a part of it" in str(found)


def test_a_long_edf_file_is_described_without_its_samples(tmp_path):
    record = Record(np.zeros((1, 5000), np.float32), 500.0, ("II",), ("mV",), {"adc_gain": (1000.0,)})
    (path,) = formats.get("edf")().write(record, tmp_path / "r")
    assert formats.get("edf")().n_samples(path) == 5000


def test_a_packed_store_is_described_and_checked_on_demand(data, tmp_path):
    store = EcgDataset(data / "cinc2017" / "A0001*.hea").pack(tmp_path / "s.packed", fmt="wfdb")
    facts = describe(tmp_path / "s.packed")
    assert (facts["format"], facts["n_records"], facts["checksums"]) == ("packed", len(store), True)
    assert "checksums   one per 256 KiB" in call(tmp_path / "s.packed").output
    shard = next((tmp_path / "s.packed").glob("*.arrow"))
    raw = bytearray(shard.read_bytes())
    raw[len(raw) // 2] ^= 1
    shard.write_bytes(bytes(raw))
    done = call(tmp_path / "s.packed", "-o", "verify=open")
    assert done.exit_code == 2
    assert "do not have their checksum" in done.output


def test_terminal_control_characters_in_files_are_escaped(tmp_path):
    path = tmp_path / "r.hea"
    path.write_text("r 1 300 10\nr.dat 16 200 16 0 0 0 0 I\x1b[31m\n# wiped \x1b[2J\n")
    (tmp_path / "r.dat").write_bytes(bytes(20))
    lines = call(path).output.splitlines()
    assert r"  leads       1: I\x1b[31m" in lines
    assert all(line.isprintable() for line in lines)
    assert "\x1b" not in call(path, "--json").stdout
    (found,) = json.loads(call(path, "--json").stdout)
    assert found["leads"] == ["I\x1b[31m"]


def test_the_text_shows_time_device_statements_and_measurements(data):
    said = call(data / "formats" / "muse_xml" / "introecg_example.xml").stdout
    assert "time        2020-09-22 09:03:32" in said
    assert "device      MAC55" in said
    assert "statements  Sinus bradycardia with sinus arrhythmia with 1st degree A-V block; Otherwise normal ECG" in said
    assert "qrs_ms 94" in said
    assert "time        unknown" in call(data / "mitdb" / "208.hea").stdout
    assert "numbers without a unit, not mV" in call(data / "formats" / "wav" / "cardio_sample.wav").stdout


def test_a_folder_stands_for_the_records_in_it(data, tmp_path):
    found = json.loads(call(data / "mitdb", "--json").stdout)
    assert [f["file"] for f in found] == [str(data / "mitdb" / f"{name}.hea") for name in ("119", "208")]
    (tmp_path / "notes.txt").write_text("no ECG")
    done = call(tmp_path)
    assert isinstance(done.exception, InputError)
    assert "is a known ECG format" in str(done.exception)
