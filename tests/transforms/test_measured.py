"""All actions that measure follow one rule: they write to their own component, or to the metadata."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.errors import InputError

MEASURES = ("calc_ecg_parameters", "check_limb_leads", "detect_lead_off", "detect_powerline", "signal_quality")


@pytest.fixture
def batch(twelve):
    states = tuple(np.tile(np.repeat([14, 0, 5, 11], 125), -(-n // 500))[:n] for n in twelve.signal.lengths)
    return twelve.with_component("states", states)


def measured(batch, name, **options):
    args = ("states",) if name == "calc_ecg_parameters" else ()
    return getattr(batch, name)(*args, **options)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("calc_ecg_parameters", "ecg_parameters"),
        ("check_limb_leads", "limb_leads"),
        ("detect_lead_off", "lead_off"),
        ("detect_powerline", "powerline"),
        ("signal_quality", "quality"),
    ],
)
def test_measurements_are_a_component_of_their_own_or_on_request_in_meta(batch, name, place):
    done = measured(batch, name)
    assert done.signal is batch.signal
    assert done.meta is batch.meta
    own = getattr(done, place)
    assert len(own) == len(batch)
    assert done.take([1]).component(place)[0] is not None
    elsewhere = measured(batch, name, dst="here")
    assert str(elsewhere.here[0]) == str(own[0])
    in_meta = measured(batch, name, dst="meta")
    if isinstance(own[0], (bool, float, tuple, np.floating, np.ndarray)):
        np.testing.assert_array_equal(in_meta.meta[place][0], own[0])
    else:
        assert {key: in_meta.meta[0][key] for key in own[0]} == dict(own[0])


def test_heart_rate_and_intervals_are_read_by_name_and_for_all_records(batch):
    done = batch.calc_ecg_parameters("states")
    assert (done.ecg_parameters[0]["pq"], done.ecg_parameters[0]["qrs"]) == (0.25, 0.25)
    assert len(done.ecg_parameters["pq"]) == len(batch)
    again = type(done).concat([done, done.take([0])])
    assert again.ecg_parameters[len(batch)]["pq"] == 0.25


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("dst", ["signal", "annotation", "target"])
def test_measurements_do_not_overwrite_other_components(batch, name, dst):
    with pytest.raises(InputError, match=f"{name}\\(dst='{dst}'\\) would write over the {dst}s"):
        measured(batch, name, dst=dst)
