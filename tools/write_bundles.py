"""Write the bundles of methods that the package ships: ``python tools/write_bundles.py``.

Those of trained models are written by their recipes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cardioflow.bundle import BundleCard, BundleDescription, DataSource, Limits, Score, write_bundle

SHIPPED = Path(__file__).parents[1] / "src" / "cardioflow" / "bundle" / "shipped"

_MITDB = DataSource(
    name="MIT-BIH Arrhythmia Database",
    version="1.0.0",
    part="DS1",
    used_for="training",
    licence="ODC-By 1.0",
    citation="Moody and Mark, IEEE Eng in Med and Biol 20 (2001)",
)
_LUDB = DataSource(
    name="LUDB",
    version="1.0.1",
    part="train part",
    used_for="training",
    licence="ODC-By 1.0",
    citation="Kalyakulina et al., IEEE Access 8 (2020)",
)

BEATS = BundleDescription(
    name="beats",
    release="1",
    title="QRS complexes in one lead or several",
    output="beats",
    method="beats",
    limits=Limits(shortest_s=2, lowest_fs=80, most_missing=0.5, most_flat=0.9, most_mv=20, least_evidence=0.3),
    card=BundleCard(
        intended="Finding the beats of a recording of any length, for intervals, heart rate and further analysis.",
        not_for=("monitoring of patients", "fetal ECG", "ECG of animals"),
        licence="Apache-2.0; the data are attributed as ODC-By 1.0 asks",
        data=(
            _MITDB,
            DataSource(
                name="MIT-BIH Noise Stress Test Database",
                part="first halves of the noise records",
                used_for="training",
                licence="ODC-By 1.0",
            ),
            _LUDB,
        ),
        split="splits/mitdb.csv: DS1 for training, DS2 for scores",
        protocol="EC57, tolerance 150 ms; docs/beats.md",
        scores=(
            Score(metric="sensitivity", value=0.9995, on="the 25 records of MITDB that it was not trained on"),
            Score(
                metric="positive predictivity", value=0.9994, on="the 25 records of MITDB that it was not trained on"
            ),
        ),
        recipe="cardioflow benchmark qrs --data mitdb",
    ),
)

WAVES = BundleDescription(
    name="waves",
    release="1",
    title="Onset, peak and end of P, QRS and T",
    output="waves",
    method="waves",
    fs=250.0,
    limits=Limits(shortest_s=2, lowest_fs=100, most_missing=0.5, most_flat=0.9, most_mv=20, least_evidence=0.3),
    card=BundleCard(
        intended="Delineation of ECGs of adults, as a basis for intervals.",
        not_for=("monitoring of patients", "children", "paced rhythms", "ventricular rhythms", "atrial flutter"),
        licence="Apache-2.0; the data are attributed as ODC-By 1.0 asks",
        data=(
            _LUDB,
            DataSource(
                name="QT Database",
                version="1.0.0",
                part="train part, annotations q1c",
                used_for="training",
                licence="ODC-By 1.0",
                citation="Laguna et al., Computers in Cardiology 24 (1997)",
            ),
        ),
        split="splits/ludb.csv and splits/qtdb.csv: parts for training and test",
        protocol="within 150 ms, inside the annotated span; docs/waves.md",
        scores=tuple(
            Score(metric="F1", label=wave, value=value, on="LUDB test part, each lead alone", n=39)
            for wave, value in (("P", 0.994), ("QRS", 0.999), ("T", 0.993))
        ),
        recipe="recipes/waves",
    ),
)


def main() -> None:
    """Write the folders anew."""
    for description in (BEATS, WAVES):
        path = SHIPPED / description.name
        shutil.rmtree(path, ignore_errors=True)
        write_bundle(path, description)
        print(path)


if __name__ == "__main__":
    main()
