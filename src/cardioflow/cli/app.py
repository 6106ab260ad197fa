"""The command ``cardioflow``: describe, measure, plot, convert and audit files, score detectors, run a demo."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cardioflow.cli.model_commands import commands
from cardioflow.cli.options import AsJson, Files, ReadingOptions, reading_options
from cardioflow.cli.printing import complain, say
from cardioflow.errors import CardioFlowError, InputError

__all__ = ["app", "main"]

app = typer.Typer(
    name="cardioflow",
    help="From any ECG file to a trained model and back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 -- typer passes the value of the option
    if asked:
        from importlib.metadata import version

        say(f"cardioflow {version('cardioflow')}")
        raise typer.Exit


@app.callback()
def common(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From any ECG file to a trained model and back."""


@app.command(epilog="Example:  `cardioflow info A00001.hea`")
def info(
    files: Files,
    *,
    as_json: AsJson = False,
    fmt: Annotated[str | None, typer.Option(help="The format; by default recognised from the content.")] = None,
    ann_ext: Annotated[
        str | None, typer.Option(help="The suffix of a WFDB record's annotation file, such as atr.")
    ] = None,
    options: ReadingOptions = None,
) -> None:
    """Describe each FILE: format, leads, sampling rate, duration, age, sex, annotations."""
    from cardioflow.cli.info import print_info

    raise typer.Exit(print_info(files, as_json=as_json, fmt=fmt, ann_ext=ann_ext, options=reading_options(options)))


@app.command(
    epilog="Example:  `cardioflow check training2017`, then `echo $?`: 1 if a file was refused, 2 without an ECG."
)
def check(
    sources: Annotated[list[Path], typer.Argument(metavar="SRC…", help="Folders of ECG files, or files.")],
    *,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a line per file.")] = False,
    fmt: Annotated[str | None, typer.Option(help="The format; by default recognised from the content.")] = None,
    options: ReadingOptions = None,
) -> None:
    """Read every ECG in SRC and list what it contains, what is unusual about it, and what was guessed."""
    from cardioflow.cli.check import print_check

    if as_json and as_csv:
        raise InputError("check got both --json and --csv. Pass one of them.")
    layout: Any = "json" if as_json else "csv" if as_csv else "table"
    raise typer.Exit(print_check(sources, layout=layout, fmt=fmt, options=reading_options(options)))


@app.command(epilog="Example:  `cardioflow measure A00001.hea --json`")
def measure(
    files: Files,
    *,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a line per file.")] = False,
    beats: Annotated[bool, typer.Option("--beats", help="Add the values of each beat to the JSON.")] = False,
    fmt: Annotated[str | None, typer.Option(help="The format; by default recognised from the content.")] = None,
    options: ReadingOptions = None,
) -> None:
    """Measure the heart rate, PR, QRS, QT, QTc, amplitudes, ST levels and axes of each FILE."""
    from cardioflow.cli.measure import print_measurements

    if as_json and as_csv:
        raise InputError("measure got both --json and --csv. Pass one of them.")
    if beats and not as_json:
        raise InputError("measure got --beats without --json. Pass both: the values of each beat are printed as JSON.")
    layout: Any = "json" if as_json else "csv" if as_csv else "text"
    found = print_measurements(files, layout=layout, fmt=fmt, options=reading_options(options), beats=beats)
    raise typer.Exit(found)


@app.command(epilog="Example:  `cardioflow plot ecg.xml --out ecg.pdf`, or `cardioflow plot folder --out plots`.")
def plot(
    files: Files,
    *,
    out: Annotated[Path, typer.Option(help="A .pdf, .png or .svg file, or for several ECGs a folder.")],
    layout: Annotated[
        str, typer.Option(help="auto, 3x4, 6x2 or 12x1 on A4; rows; strips, as many A4 pages as are needed.")
    ] = "auto",
    form: Annotated[str, typer.Option("--format", help="The format of files in a folder: pdf, png, svg.")] = "pdf",
    start_s: Annotated[float, typer.Option("--start", help="Where the drawing starts, in seconds.")] = 0.0,
    stop_s: Annotated[float | None, typer.Option("--stop", help="Where rows and strips end, in seconds.")] = None,
    mm_per_s: Annotated[float, typer.Option("--speed", help="The speed of the paper in mm/s.")] = 25.0,
    mm_per_mv: Annotated[float, typer.Option("--gain", help="The gain in mm/mV.")] = 10.0,
    waves: Annotated[bool, typer.Option(help="Find and colour P, QRS and T.")] = True,
    fmt: Annotated[str | None, typer.Option(help="The format read; by default recognised from the content.")] = None,
    options: ReadingOptions = None,
) -> None:
    """Draw each FILE on ECG paper, true to scale."""
    from cardioflow.cli.plot import Plotting
    from cardioflow.report.rows import Rows
    from cardioflow.report.sheet import Scale

    if form not in ("pdf", "png", "svg"):
        raise InputError(f"--format {form!r} is not pdf, png or svg.")
    chosen: Any = layout
    how = Plotting(
        chosen,
        form,
        waves,
        Rows(start_s=start_s, stop_s=stop_s),
        Scale(mm_per_s, mm_per_mv),
        fmt,
        reading_options(options),
    )
    raise typer.Exit(how.run(files, out))


@app.command(epilog="Example:  `cardioflow report ecg.xml --out report`, then open report/index.html in a browser.")
def report(
    files: Files,
    *,
    out: Annotated[Path, typer.Option(help="The folder for the pages.")],
    model: Annotated[
        str | None,
        typer.Option(
            help="A bundle of the package, or the path of one, that judges the rhythm; by default af, if there."
        ),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write a PDF of each report too.")] = False,
    texts: Annotated[Path | None, typer.Option(help="A translated copy of the report's en.toml.")] = None,
    fmt: Annotated[str | None, typer.Option(help="The format; by default recognised from the content.")] = None,
    options: ReadingOptions = None,
) -> None:
    """Write a page on each FILE: the ECG on paper, measurements with normal ranges, rhythm, quality, doubts."""
    from cardioflow.cli.report import print_reports

    raise typer.Exit(
        print_reports(files, out, model=model, pdf=pdf, texts=texts, fmt=fmt, options=reading_options(options))
    )


@app.command(epilog="Example:  `cardioflow convert training2017 edf/ --fmt edf`")
def convert(
    sources: Annotated[list[Path], typer.Argument(metavar="SRC…", help="ECG files, or folders of them.")],
    dst: Annotated[Path, typer.Argument(metavar="DST", help="The folder to write to, or for one file its name.")],
    *,
    fmt: Annotated[
        str | None,
        typer.Option(
            help="The format to write: wfdb, edf, dicom, csv, npz, parquet, arrow. For a file, its suffix is enough."
        ),
    ] = None,
    ann_ext: Annotated[
        str | None, typer.Option(help="The suffix of WFDB records' annotation files, if there are several.")
    ] = None,
    annotations: Annotated[bool, typer.Option(help="Whether to write annotations.")] = True,
    options: ReadingOptions = None,
    jobs: Annotated[int, typer.Option(min=1, help="The number of files to read and write in parallel.")] = 2,
    identify: Annotated[
        bool, typer.Option("--identify", help="Keep data that identify a person, if the file has any.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite existing files.")] = False,
) -> None:
    """Write every ECG in SRC to DST in another format; files that the same command has written are skipped."""
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


@app.command(epilog="Example:  `cardioflow datasets ptbxl`")
def datasets(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A data set to describe in full.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the public data sets that can be read: records, licence, and where to get them."""
    from cardioflow.cli.datasets import print_datasets

    print_datasets(name, as_json=as_json)


@app.command(epilog="Example:  `cardioflow audit mitdb qtdb --database mitdb --database qtdb`, then `echo $?`.")
def audit(
    train: Annotated[Path, typer.Argument(metavar="TRAIN", help="The ECGs that a model is trained on.")],
    test: Annotated[
        Path | None, typer.Argument(metavar="TEST", help="Those that it is tested on; without, copies within TRAIN.")
    ] = None,
    *,
    database: Annotated[
        list[str] | None,
        typer.Option(help="The public database that TRAIN is, such as mitdb; a second time, for TEST."),
    ] = None,
    exempt: Annotated[
        list[str] | None, typer.Option(help="A known leak to allow, such as mitdb-201-202. Can be repeated.")
    ] = None,
    as_json: AsJson = False,
    options: ReadingOptions = None,
) -> None:
    """Look for the same recordings in TRAIN and TEST; the exit status is 1 if there are any."""
    from cardioflow.cli.audit import print_audit

    raise typer.Exit(
        print_audit(
            train,
            test,
            databases=database or (),
            exempt=exempt or (),
            as_json=as_json,
            options=reading_options(options),
        )
    )


@app.command(epilog="Example:  `cardioflow benchmark qrs --data mitdb --method ours,sleepecg --html qrs.html`")
def benchmark(
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is scored: qrs, waves, beats, rhythm or model.")],
    *,
    data: Annotated[Path, typer.Option(help="The folder of the records and their reference annotations.")],
    method: Annotated[
        str,
        typer.Option(
            help="Names, separated by commas: ours, module:function, or for qrs sleepecg, xqrs, gqrs, neurokit, "
            "for waves neurokit_prominence, neurokit_dwt, for model bundles."
        ),
    ] = "ours",
    split: Annotated[Path | None, typer.Option(help="A CSV table with the columns record and part.")] = None,
    part: Annotated[str | None, typer.Option(help="The part of the table to score on.")] = None,
    leads: Annotated[str | None, typer.Option(help="For qrs, the leads that are used: first, second, all.")] = None,
    ann_ext: Annotated[
        str | None, typer.Option(help="The suffix of the reference annotations, such as q1c for waves of QTDB.")
    ] = None,
    positions: Annotated[
        str | None, typer.Option(help="For beats and rhythm, the beats that a method gets: reference, detected.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="For model, a table of the labels, if --split has none.")] = None,
    column: Annotated[str | None, typer.Option(help="For model, the column of the labels; by default label.")] = None,
    classes: Annotated[
        str | None, typer.Option(help="For model, the classes that means are over, separated by commas.")
    ] = None,
    test_part: Annotated[
        bool, typer.Option("--test-part", help="For model, score a test part; the report says so.")
    ] = False,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Write the report to this file as a page.")] = None,
) -> None:
    """Score methods on records with a reference, by a published protocol."""
    from cardioflow.cli.benchmark import print_benchmark

    options: dict[str, Any] = {"leads": leads, "ann_ext": ann_ext, "positions": positions, "labels": labels}
    options |= {"column": column, "classes": classes, "test_part": test_part or None}
    raise typer.Exit(
        print_benchmark(task, data, method, split=split, part=part, options=options, as_json=as_json, page=html)
    )


@app.command(epilog="Example:  `CARDIOFLOW_DATA=~/ecg cardioflow demo --out out/demo`")
def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(envvar="CARDIOFLOW_DATA", help="A folder that has cinc2017/; by default, ECGs are simulated."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for the model, the plot and the results.")] = Path("out/demo"),
    epochs: Annotated[
        int | None, typer.Option(min=1, help="The number of epochs; by default 32, or 8 for simulated ECGs.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The random seed.")] = 0,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Simulate ECGs even if real ones are available.")
    ] = False,
) -> None:
    """Report on ECG files by the models of the package; then train, test, save, load and use a model."""
    from cardioflow.cli.demo import Demo
    from cardioflow.cli.demo_reports import device_files, show_reports, simulated_files

    files = [] if simulated or data is None else device_files(data)
    show_reports(files or simulated_files(out / "simulated", seed), out / "reports")
    Demo(out=out, epochs=epochs, seed=seed).run(None if simulated else data)


app.add_typer(commands)


def main() -> None:
    """Run the command; an error in the input is reported in one sentence, with exit status 2 and no traceback."""
    # TensorFlow logs the processor's features on import, and Keras imports it even on jax, if it is installed.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        app()
    except CardioFlowError as error:
        complain(str(error))
        sys.exit(2)
