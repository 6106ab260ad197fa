"""Write the bundle ``af_dirichlet`` of a saved ``dirichlet``, which then predicts with the base install.

python -m recipes.dirichlet.bundle --model runs/dirichlet/dirichlet.model --scores scores.json --out af_dirichlet
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cardioflow import Pipeline
from cardioflow.bundle import BundleCard, BundleDescription, DataSource, Limits, MemberDescription, Score, write_bundle
from cardioflow.models.adapters import from_dump
from cardioflow.models.export import export_onnx

_FS = 300
_SEGMENT = 2048
_FILE = "dirichlet.onnx"
_LEADS = ("ECG", "II", "MLI", "MLII", "aVL", "aVF", "V5", "V6", "V4", "V3", "V2", "V1", "III", "1")


def described(scores: tuple[Score, ...], folds: str, trained: str) -> BundleDescription:
    """Return the description of the bundle."""
    preparation = (
        Pipeline().load().fill_missing_signals().flip_signals().resample_signals(_FS).split_signals(_SEGMENT, _SEGMENT)
    )
    source = DataSource(
        name="CinC 2017 training set",
        version="1.0.0 with the labels of version 3",
        part=f"folds {folds} of five, without noise",
        used_for="training",
        licence="ODC-By 1.0",
        citation="Clifford GD, Liu C, Moody B, et al. Comput Cardiol 2017;44. doi:10.22489/CinC.2017.065-469",
    )
    card = BundleCard(
        intended="To compare with CardIO, which published an F1 of AF of 0.83 for this design and these two classes.",
        not_for=(
            "Diagnosis. This is not a medical device.",
            "Noise, which was left out of the training: every record that passes the limits is AF or not.",
            "Choosing a rhythm: the bundle af is more accurate and knows four classes.",
        ),
        licence="Apache-2.0, as the package; the data are attributed as ODC-By 1.0 asks",
        data=(source,),
        split="Five folds, stratified by label, identical signals in one fold. Fold 4 only scores.",
        protocol=(
            f"recipes/dirichlet/README.md. {trained} Segments of 2 048 samples at 300 Hz, their mean for a record, AF "
            "from 0.5. The probabilities are not calibrated."
        ),
        scores=scores,
        recipe=f"python -m recipes.dirichlet.train --data training2017 --split cinc2017.csv --folds {folds}",
        made=datetime.now(UTC).date().isoformat(),
    )
    return BundleDescription(
        name="af_dirichlet",
        release="1.0.2",
        title="Atrial fibrillation or not, by the design that CardIO published",
        classes=("A", "NO"),
        meanings={"A": "atrial fibrillation", "NO": "normal or another rhythm"},
        leads=("I",),
        substitutes={"I": _LEADS},
        fs=float(_FS),
        members=(MemberDescription.of("dirichlet", preparation, onnx=_FILE),),
        limits=Limits(
            shortest_s=8,
            lowest_fs=80,
            most_missing=0.2,
            most_flat=0.5,
            most_mv=30,
            # The largest of the training set. At 1 mV the probability of AF falls from 0.8 to 0.2.
            most_offset_mv=0.25,
            least_evidence=0.5,
            pacing="abstain",
        ),
        card=card,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--scores", type=Path, help="what recipes.dirichlet.score wrote with --out")
    parser.add_argument("--folds", default="0 1 2 3", help="the folds that the model was trained on")
    parser.add_argument("--trained", default="", help="a sentence for the card: how")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    kept = json.loads(options.scores.read_text()) if options.scores else []
    scores = tuple(Score(**own) for own in kept)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / _FILE
        export_onnx(from_dump(options.model), graph)
        write_bundle(options.out, described(scores, options.folds, options.trained), {_FILE: graph})


if __name__ == "__main__":
    main()
