"""Hints of the library reach the command line as its options."""

from __future__ import annotations

import pytest

from cardioflow.cli.wording import in_options


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("holds no sampling rate. Pass it: load(fmt='csv', fs=500).", "holds no sampling rate. Pass it: -o fs=500."),
        ("Choose one: load(fmt='mat', variable='ecg').", "Choose one: -o variable=ecg."),
        ("load() takes no 'f' for fmt='csv'. Did you mean 'fs'?",
         "-o f=… is not an option of the format csv. Did you mean 'fs'?"),
        ("It is an option of csv; name the format: load(fmt='csv', unit=…).",
         "It is an option of csv; name the format: -o unit=…."),
        ("Pass fmt= if it is.", "Pass --fmt if it is."),
        ("Pass damaged='read' to read it.", "Pass -o damaged=read to read it."),
        ("Pass another folder with data=…, or another ann_ext=….",
         "Pass another folder with --data …, or another --ann-ext …."),
        ("mm_per_s=-3.0 is not between 0.1 and 500.", "--speed -3.0 is not between 0.1 and 500."),
        ("layout='9x9' is not a layout.", "--layout 9x9 is not a layout."),
        ("x.csv: is damaged. [record 'x.csv', step 1, load(components=['signal', 'meta'])]", "x.csv: is damaged."),
        ("x.csv is not recognised. Pass fmt= if it is. [step 1, load(components=['signal', 'meta'])]",
         "x.csv is not recognised. Pass --fmt if it is."),
        # What is not a parameter stays: names of files, options that are already named, ordinary words.
        ("a=b.csv does not exist.", "a=b.csv does not exist."),
        ("--option 'fs' is not NAME=VALUE. Pass --option fs=500, for example.",
         "--option 'fs' is not NAME=VALUE. Pass --option fs=500, for example."),
        ("Pass --threshold A=0.4, for example.", "Pass --threshold A=0.4, for example."),
    ],
)  # fmt: skip
def test_a_hint_names_the_option_of_the_command_line(said, shown):
    assert in_options(said) == shown


def test_a_command_may_have_options_of_its_own():
    text = "start_s=99.0 is outside the record, which lasts 10 s."
    assert in_options(text, {"start_s": "--start"}) == "--start 99.0 is outside the record, which lasts 10 s."
    assert in_options(text) == text
