from __future__ import annotations

import pytest

from cardioflow.batch.leads import GROUPS, resolve, standard_name
from cardioflow.errors import InputError


@pytest.mark.parametrize(
    ("written", "standard"),
    [
        ("i", "I"),
        ("avf", "aVF"),
        ("AVR", "aVR"),
        ("MDC_ECG_LEAD_AVR", "aVR"),
        ("MDC_ECG_LEAD_V3R", "V3R"),
        ("Lead I (Einthoven)", "I"),
        ("Lead II", "II"),
        ("LEAD_III", "III"),
        ("aVR, augmented voltage, right", "aVR"),
        ("V1 ECG", "V1"),
        ("ECG I", "I"),
        ("ECG_I", "I"),
        ("ECG Lead II", "II"),
        ("EKG V6", "V6"),
        ("ECGaVL", "aVL"),
        ("I (mV)", "I"),
        (" v4 ", "V4"),
        ("DII", "II"),
        ("vx", "X"),
        ("mlii", "MLII"),
        ("-avr", "-aVR"),
    ],
)
def test_names_of_devices_become_standard_names(written: str, standard: str) -> None:
    assert standard_name(written) == standard


@pytest.mark.parametrize("name", ["ECG", "ECG1", "D3", "mod.V1", "CM5", "C3", "Resp", "II+", "ABP", "", "-"])
def test_an_unknown_name_is_unchanged(name: str) -> None:
    assert standard_name(name) == name


@pytest.mark.parametrize("name", ["MLI", "MLII", "MLIII", "ML II", "Mason-Likar II"])
def test_a_mason_likar_lead_is_never_taken_for_a_limb_lead(name: str) -> None:
    assert standard_name(name).startswith("ML")


def test_standard_names_are_unchanged() -> None:
    assert [standard_name(name) for name in GROUPS["standard"]] == list(GROUPS["standard"])


def test_leads_are_selected_by_name_number_and_group_in_the_given_order() -> None:
    names = ["V1", "i", "ii", "iii", "AVR", "AVL", "AVF"]
    assert resolve(names, "II") == (2,)
    assert resolve(names, ["Lead II", -1, 0]) == (2, 6, 0)
    assert resolve(names, "limb") == (1, 2, 3, 4, 5, 6)
    assert resolve(names, ["V1", "limb"]) == (0, 1, 2, 3, 4, 5, 6)


def test_an_exact_name_takes_precedence_over_its_standard_name() -> None:
    assert resolve(["MLII", "ml ii"], ["ml ii"]) == (1,)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("V7", "There is no lead 'V7'. Available: 'I', 'II', 'V2'. A number from 0 to 2 works too."),
        ("V11", "There is no lead 'V11'. Available: 'I', 'II', 'V2'. A number from 0 to 2 works too."),
        ("VII", "There is no lead 'VII'. Did you mean 'II'? A number from 0 to 2 works too."),
        (3, "There is no lead number 3: numbers go from 0 to 2. There are 'I', 'II', 'V2'."),
        ([], "No leads were chosen. Name some of 'I', 'II', 'V2'."),
        (["II", 1], "Lead 'II' is chosen twice in ['II', 1]. Name each lead once."),
        ([True], "True is not the name or number of a lead. Pass one of 'I', 'II', 'V2'."),
    ],
)
def test_an_error_for_a_wrong_selection_says_what_exists_and_what_to_do(wanted: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(["I", "II", "V2"], wanted)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_name_that_two_leads_share_is_refused() -> None:
    with pytest.raises(InputError, match=r"2 leads are named 'II', at \[0, 1\]. Choose by number."):
        resolve(["II", "II"], "II")
