from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io.base import ReadRequest
from cardioflow.io.simulated import Simulated
from cardioflow.registry import formats

ALL = frozenset({"signal", "meta", "annotation"})


def read(text, **request):
    return Simulated().read(Path(text), ReadRequest(**{"components": ALL, **request}))


def test_the_folder_knows_the_format():
    assert formats.get("simulated") is Simulated


def test_the_path_says_all_about_the_record():
    record = read("simulated:AF?seed=3&fs=250&duration_s=8&leads=II,V1")
    assert record.signal.shape == (2, 2000)
    assert record.signal.dtype == np.float32
    assert (record.fs, record.leads, record.units) == (250.0, ("II", "V1"), ("mV", "mV"))
    assert record.meta["comments"] == ("Simulated ECG, AF, seed 3",)
    assert "N" in record.annotation.symbol


def test_everything_after_the_rhythm_may_be_left_out():
    record = read("simulated:SR")
    assert record.signal.shape == (1, 9000)
    assert record.leads == ("I",)


def test_the_same_text_gives_the_same_samples_in_any_folder():
    first, again, other = (read(f"{p}?seed=5") for p in ("simulated:SR", "/some/where/simulated:SR", "simulated:AF"))
    assert np.array_equal(first.signal, again.signal)
    assert not np.array_equal(first.signal, other.signal)


def test_a_part_of_a_record_is_cut_from_the_whole_with_its_marks():
    whole = read("simulated:SR?seed=1&leads=I,II")
    part = read("simulated:SR?seed=1&leads=I,II", start_s=10.0, stop_s=12.0, channels=("II", 0))
    assert part.leads == ("II", "I")
    assert np.array_equal(part.signal, whole.signal[::-1, 3000:3600])
    assert part.annotation == whole.annotation.window(3000, 3600)


def test_components_that_are_not_requested_are_absent():
    record = read("simulated:SR", components=frozenset({"meta"}))
    assert record.signal is None
    assert record.annotation is None


def test_no_file_is_recognised_as_simulated():
    assert not Simulated.recognises(b"simulated:AF")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A00001.hea", "'A00001.hea' is not a simulated ECG. Its path must read 'simulated:RHYTHM?seed=3"),
        ("simulated:", "'simulated:' asks for the rhythm ''. Available: 'AF', 'SR'."),
        ("simulated:sr", "asks for the rhythm 'sr'. Available: 'AF', 'SR'."),
        ("simulated:AF?sed=3", "has an unknown option 'sed'. Did you mean 'seed'?"),
        ("simulated:AF?seed=x", "seed='x' is not a number."),
        ("simulated:AF?seed=1&seed=2", "gives 'seed' twice. Keep one."),
        ("simulated:AF?fs=nan", "cannot be simulated: simulate_ecg(fs=nan) is not between 20 and 10000 Hz."),
        ("simulated:AF?leads=", "cannot be simulated: simulate_ecg() has no lead ''."),
    ],
)
def test_a_text_that_cannot_be_simulated_says_why(text, message):
    with pytest.raises(FormatError) as caught:
        read(text)
    assert message in str(caught.value)


def test_a_lead_that_the_path_does_not_have_says_how_to_get_it():
    with pytest.raises(FormatError) as caught:
        read("simulated:AF", channels=("V1",))
    assert "'simulated:AF' has no lead 'V1', only I. Add it to its leads=." in str(caught.value)


def test_a_window_after_the_end_says_how_long_the_record_is():
    with pytest.raises(FormatError) as caught:
        read("simulated:AF?duration_s=10", start_s=20.0)
    assert "has no samples from 20.0 s to None s: it lasts 10 s." in str(caught.value)
