"""The commands for trained models: predict, serve, export, train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cardioflow.cli.options import AsJson, ReadingOptions, reading_options

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(
    epilog="Example:  `cardioflow predict beats A00001.hea`, or `cardioflow predict out/af records/ --out af.csv`"
)
def predict(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A bundle that comes with the package, or the path of one.")
    ],
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="ECG files, folders of them, or patterns.")],
    *,
    as_json: AsJson = False,
    layout: Annotated[
        str | None, typer.Option("--format", help="text, json, csv or parquet; by default from the suffix of --out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write to, instead of printing.")] = None,
    leads: Annotated[
        str | None,
        typer.Option(help="The names of the leads of all FILEs, in order, separated by commas, if theirs are wrong."),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL=P", help="The probability from which a label is given. Can be repeated."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="The number of batches to predict in parallel.")] = 2,
    fmt: Annotated[str | None, typer.Option(help="The format; by default recognised from the content.")] = None,
    options: ReadingOptions = None,
) -> None:
    """Predict each FILE with MODEL; the exit status is 1 if one could not be judged, 2 if one could not be read."""
    from cardioflow.cli.options import layout_of, thresholds_of
    from cardioflow.cli.predict import Prediction

    how = Prediction(
        layout=layout_of(layout, out, as_json=as_json),
        out=out,
        thresholds=thresholds_of(threshold),
        lead_names=None if leads is None else tuple(name.strip() for name in leads.split(",")),
        jobs=jobs,
        options=reading_options(options) | ({} if fmt is None else {"fmt": fmt}),
    )
    raise typer.Exit(how.run(model, files))


@commands.command(
    epilog="Example:  `cardioflow serve --bundle beats --bundle out/af`, then open http://127.0.0.1:8000."
)
def serve(
    *,
    bundle: Annotated[
        list[str] | None,
        typer.Option(help="A bundle by name or path; by default af, beats, waves and quality. Can be repeated."),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on; by default this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port.")] = 8000,
    max_upload_mb: Annotated[float, typer.Option(help="The largest file.")] = 50.0,
    timeout: Annotated[float, typer.Option(help="Seconds for one record.")] = 30.0,
    workers: Annotated[int, typer.Option(min=1, help="The number of records to work on in parallel.")] = 2,
    queue: Annotated[int, typer.Option(min=0, help="The number of requests that may wait.")] = 16,
    allow_identify: Annotated[
        bool, typer.Option("--allow-identify", help="Allow requests for what identifies the patient.")
    ] = False,
    name: Annotated[
        list[str] | None, typer.Option(help="A name under which other machines call the server. Can be repeated.")
    ] = None,
) -> None:
    """Serve bundles, measurements and reports over HTTP, with a page to drop a file on."""
    from cardioflow.cli.serve import serve as run
    from cardioflow.serve.settings import ServerSettings

    own = ServerSettings(bundles=tuple(bundle)) if bundle else ServerSettings()
    settings = replace(
        own,
        max_upload_mb=max_upload_mb,
        timeout_s=timeout,
        workers=workers,
        queue=queue,
        allow_identify=allow_identify,
        hosts=(*own.hosts, *(name or ())),
    )
    run(settings, host, port)


@commands.command(epilog="Example:  `cardioflow export out/demo/af.cardioflow --onnx af.onnx`")
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A saved model.")],
    *,
    onnx: Annotated[Path, typer.Option(help="The .onnx file to write; its preprocessing is written beside it.")],
) -> None:
    """Write MODEL as ONNX, if its predictions there are equal."""
    from cardioflow.cli.export import export_model

    raise typer.Exit(export_model(model, onnx))


@commands.command(epilog="Example:  `cardioflow train recipes/af.yaml --data training2017 --out runs/af`")
def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A YAML file that says how a bundle is made.")],
    *,
    data: Annotated[Path, typer.Option(help="The folder of the records.")],
    table: Annotated[
        Path | None, typer.Option(help="The CSV table of records, labels and folds; by default the recipe's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder for the results; by default out/ and the name.")] = None,
    score: Annotated[
        bool, typer.Option("--score", help="Score the test folds too, which should be done once, at the end.")
    ] = False,
) -> None:
    """Train a bundle by RECIPE: once without each fold, then weights, calibration and a table of scores.

    Interrupted, the same command goes on where it was.
    """
    from cardioflow.cli.train import train_recipe

    raise typer.Exit(train_recipe(recipe, data, table=table, out=out, score=score))
