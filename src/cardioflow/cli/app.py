"""The command ``cardioflow``: what a file holds, what a model predicts for it, and a whole run to look at."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cardioflow.cli.options import ReadingOptions, reading_options
from cardioflow.cli.printing import say
from cardioflow.errors import CardioFlowError, InputError

__all__ = ["app", "main"]

app = typer.Typer(
    name="cardioflow",
    help="From any ECG file to a trained model and back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="ECG files or folders of them; of a WFDB record, its .hea file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for other programs.")]


@app.command(epilog="Example:  `cardioflow info A00001.hea`")
def info(
    files: Files,
    *,
    as_json: AsJson = False,
    fmt: Annotated[str | None, typer.Option(help="The format; recognised from the content when not given.")] = None,
    ann_ext: Annotated[
        str | None, typer.Option(help="The suffix of a WFDB record's annotation file, such as atr.")
    ] = None,
    options: ReadingOptions = None,
) -> None:
    """Say what each FILE holds: format, leads, sampling rate, duration, age, sex, annotations."""
    from cardioflow.cli.info import print_info

    raise typer.Exit(print_info(files, as_json=as_json, fmt=fmt, ann_ext=ann_ext, options=reading_options(options)))


@app.command(epilog="Example:  `cardioflow check training2017`, and `echo $?` afterwards: 1 where a file was refused.")
def check(
    sources: Annotated[list[Path], typer.Argument(metavar="SRC…", help="Folders of ECG files, or files.")],
    *,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a line per file.")] = False,
    fmt: Annotated[str | None, typer.Option(help="The format; recognised from the content when not given.")] = None,
    options: ReadingOptions = None,
) -> None:
    """Read every ECG of SRC and list what it holds, what is odd about it, and what was guessed."""
    from cardioflow.cli.check import print_check

    if as_json and as_csv:
        raise InputError("check --json --csv: pass one of them.")
    layout: Any = "json" if as_json else "csv" if as_csv else "table"
    raise typer.Exit(print_check(sources, layout=layout, fmt=fmt, options=reading_options(options)))


@app.command(epilog="Example:  `cardioflow predict out/demo/af.cardioflow A00001.hea A00002.hea --json`")
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that was saved with its preprocessing.")],
    files: Files,
    *,
    as_json: AsJson = False,
) -> None:
    """Predict each FILE with MODEL."""
    from cardioflow.cli.predict import print_predictions

    raise typer.Exit(print_predictions(model, files, as_json=as_json))


@app.command(epilog="Example:  `cardioflow convert training2017 edf/ --fmt edf`")
def convert(
    sources: Annotated[list[Path], typer.Argument(metavar="SRC…", help="ECG files, or folders of them.")],
    dst: Annotated[Path, typer.Argument(metavar="DST", help="The folder to write to; of one file, its name.")],
    *,
    fmt: Annotated[
        str | None,
        typer.Option(
            help="The format to write: wfdb, edf, dicom, csv, npz, parquet, arrow. Of a file the suffix says it."
        ),
    ] = None,
    ann_ext: Annotated[
        str | None, typer.Option(help="The suffix of WFDB records' annotation files, where there are several.")
    ] = None,
    annotations: Annotated[bool, typer.Option(help="Whether to write annotations.")] = True,
    options: ReadingOptions = None,
    jobs: Annotated[int, typer.Option(min=1, help="Files that are read and written side by side.")] = 2,
    identify: Annotated[
        bool, typer.Option("--identify", help="Keep what identifies a person, where the file says it.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write again what is there already.")] = False,
) -> None:
    """Write every ECG of SRC to DST in another format; what the same command has written is not written again."""
    from cardioflow.cli.convert import Conversion

    how = Conversion(
        fmt,
        ann_ext=ann_ext,
        annotations=annotations,
        options=reading_options(options),
        jobs=jobs,
        identify=identify,
        overwrite=overwrite,
    )
    raise typer.Exit(how.run(sources, dst))


@app.command(epilog="Example:  `CARDIOFLOW_DATA=~/ecg cardioflow demo --out out/demo`")
def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(envvar="CARDIOFLOW_DATA", help="A folder with cinc2017/ in it; without one, ECGs are simulated."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the model, the picture and the figures go.")] = Path("out/demo"),
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often every training record is used; 32, or 8 of simulated ones.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What all chance depends on.")] = 0,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Simulate ECGs even where there are real ones.")
    ] = False,
) -> None:
    """Train, test, save, load and ask a model that tells atrial fibrillation from other rhythms."""
    from cardioflow.cli.demo import Demo

    Demo(out=out, epochs=epochs, seed=seed).run(None if simulated else data)


def main() -> None:
    """Run the command; what is wrong with the input is one sentence and exit status 2, never a traceback."""
    # TensorFlow tells about the processor before it can be asked not to; Keras on jax imports it where it is installed.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        app()
    except CardioFlowError as error:
        say(f"cardioflow: {error}", err=True)
        sys.exit(2)
