from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest, Record
from cardioflow.io.csv import Csv


def read(path: Path, text: str | bytes, **request: object) -> Record:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Csv().read(path, ReadRequest(**request))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "x.csv"


SAME = [[0.5, 0.25, 0.0, -1.0], [1.0, 1.5, 2.0, 3.0]]


@pytest.mark.parametrize(
    "text",
    [
        "time_s,V1,V2\n0,0.5,1\n0.002,0.25,1.5\n0.004,0,2\n0.006,-1,3\n",
        "# fs: 500\nV1,V2\n0.5,1\n0.25,1.5\n0,2\n-1,3\n",
        "# Sampling rate (Hz) = 500\r\n\r\nV1;V2\r\n0,5;1\r\n0,25;1,5\r\n0;2\r\n-1;3\r\n",
        "t (ms)\tV1\tV2\n0\t.5\t1\n2\t.25\t1.5\n4\t0\t2\n6\t-1\t3\n",
        "time [s],V1 (uV),V2 [V]\n0,500,0.001\n.002,250,0.0015\n.004,0,0.002\n.006,-1000,0.003\n",
        "'Elapsed time','V1','V2'\n'seconds','mV','mV'\n0.000,0.50,1\n0.002,0.25,1.5\n0.004,0.00,2\n0.006,-1.0,3\n",
        "\ufeffsample,time,V1,V2\n0,0,0.5,1\n1,0.002,0.25,1.5\n2,0.004,0,2\n3,0.006,-1,3\n",
    ],
    ids=["time", "rate line", "decimal commas", "tabs and ms", "units", "rdsamp", "byte order mark and index"],
)
def test_tables_of_many_kinds_are_the_same_record(path, text):
    found = read(path, text)
    assert Csv.recognises(path.read_bytes()[:4096])
    assert (found.fs, found.leads, found.units) == (500.0, ("V1", "V2"), ("mV", "mV"))
    np.testing.assert_allclose(found.signal, SAME, rtol=1e-6)


def test_missing_samples_are_nan(path):
    found = read(path, "# fs: 1\nV1,V2\n1,-\n,2\nNaN,3\n")
    np.testing.assert_array_equal(found.signal, [[1, np.nan, np.nan], [np.nan, 2, 3]])


def test_a_table_without_names_has_numbers_for_names(path):
    assert read(path, "# fs: 100\n1,2\n3,4\n").leads == ("signal 0", "signal 1")


def test_a_channel_that_is_no_voltage_keeps_its_unit(path):
    assert read(path, "# fs: 100\nV1,ABP (mmHg)\n1,80\n2,81\n").units == ("mV", "mmHg")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("V1,V2\n1,2\n", "holds no sampling rate; expected a column 'time_s', or a line '# fs: 500'"),
        ("# fs: 0\nV1\n1\n", "says that its sampling rate is '0'"),
        ("# fs: 5\n", "holds no table"),
        ("", "is empty"),
        ("time_s,V1\n0,1\n1,2\n5,3\n", "is not sampled evenly"),
        ("time_s,V1\n5,1\n5,2\n", "no rising time"),
        ("# fs: 5\nV1,V2\n1,2\n1\n", "is no table of numbers"),
        ("# fs: 5\nV1,V2\n1,x\n", "is no table of numbers"),
        ("time_s\n1\n2\n", "has no column of samples"),
        ("# fs: 5\n# told: {\nV1\n1\n", "metadata that is no JSON"),
        ("# fs: 5\n# marks: {\"sample\": [1], \"symbol\": []}\nV1,V2\n1,2\n", "columns have lengths [0, 1]"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_samples_says_why(path, text, says):
    with pytest.raises(FormatError) as caught:
        read(path, text)
    assert says in str(caught.value)
    assert "x.csv" in str(caught.value)


def test_texts_and_other_tables_are_not_recognised(data):
    assert not Csv.recognises((data / "cinc2017/REFERENCE.csv").read_bytes()[:4096])
    assert not Csv.recognises(b"a text, with commas\nand lines, of it\n")
