"""Replacements for names from CardIO and BatchFlow, and for names that belong to another object.

They are looked up only when a name is unknown, to complete the error message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["Owner", "former_call", "former_table", "where_now"]

Owner = Literal["pipeline", "batch", "dataset", "module"]

_OF_THE_RUN = (
    "The run has {name!r}, not the pipeline. Keep what run() returns: "
    "run = (dataset >> pipeline).run(batch_size=…); run.{now}."
)

_RUN: Mapping[str, str] = {
    "errors": "skipped",
    "get_model": "get_model('name')",
    "get_model_by_name": "get_model('name')",
    "get_variable": "get_variable('name')",
    "models": "models",
    "n_empty": "n_empty",
    "skipped": "skipped",
    "to_torch": "to_torch()",
    "v": "get_variable('name')",
    "variables": "variables",
}

_PREDICT = "predict_on_batch('name', save_to=V('prediction'))"
_TRAIN = "train_on_batch('name')"
_CONFIG = "Pipeline(config={…}), and C('name') where a step reads it"
_VARIABLE = "init_variable('name', default), and get_variable('name') of the run"

_ACTIONS: Mapping[str, str] = {
    "apply_transform_all": "call(func), which passes the whole batch",
    "apply": "apply_transform(func)",
    "gather_metrics": "test_on_batch('name', metrics='f1'), or a metric of cardioflow.metrics on the predictions",
    "load_labels": "load(components='target', src='labels.csv')",
    "predict_model": _PREDICT,
    "random_segment_signals": "random_split_signals(length, n_segments)",
    "ravel": "unstack_signals()",
    "replace_labels": "rename_labels({'old': 'new'})",
    "segment_signals": "split_signals(length, step)",
    "slice_signal": "slice_signals(start, stop)",
    "test_model": "test_on_batch('name')",
    "train_model": _TRAIN,
    "wavelet_transform": "cwt(scales), dwt() or wavedec()",
}

_TABLES: Mapping[Owner, Mapping[str, str]] = {
    "pipeline": {
        **_ACTIONS,
        "assign_variable": "update(V('name'), value)",
        "create_batch": "(dataset >> pipeline).next_batch(batch_size)",
        "deepcopy": "the pipeline itself: it never changes, and every action returns a new one",
        "execute_for": "run the pipeline's actions on the batch: batch.standardize()…",
        "gen_batch": "(dataset >> pipeline).batches(batch_size)",
        "inc_variable": "update(V('name', mode='a'), value)",
        "init_variables": "init_variable('name', default), once per variable",
        "print": "call(print)",
        "run_later": "run(batch_size), which a pipeline without a data set only records",
        "run_now": "(dataset >> pipeline).run(batch_size)",
        "save_to": "update(V('name'), value)",
        "set_config": _CONFIG,
        "set_variable": "update(V('name'), value)",
        "update_config": _CONFIG,
        "update_variable": "update(V('name', mode='a'), value)",
    },
    "batch": {
        **_ACTIONS,
        "annotations": "annotation",
        "as_dataset": "EcgDataset(paths).subset(batch.ids)",
        "calculate_report": "calc_ecg_parameters(src='states')",
        "deepcopy": "the batch itself: it never changes, and every action returns a new one",
        "get_pos": "batch.ids.index(id)",
        "get_variable": "get_variable('name') of the run: run = (dataset >> pipeline).run(…)",
        "index": "ids",
        "indices": "ids",
        "items": "ids",
        "label_binarizer": "classes, whose order is that of the target's columns",
        "pipeline": "call(func) in a pipeline; a batch does not know its pipeline",
        "print_ecg": "show_ecg(record)",
        "split": "split() of the data set, or batch[:n] and batch[n:]",
        "targets": "target",
        "unique_labels": "classes",
    },
    "dataset": {
        "create_batch": "dataset.batch([0, 1, 2])",
        "create_subset": "dataset.subset(ids)",
        "cv_split": "train, test = dataset.split(0.8, stratify=labels, groups=patients, seed=0), or split(folds=5)",
        "gen_batch": "(dataset >> pipeline).batches(batch_size)",
        "index": "dataset.ids",
        "indices": "dataset.ids",
        "p": "dataset >> Pipeline()",
        "pipeline": "dataset >> Pipeline()",
        "test": "train, test = dataset.split(0.8), which returns the parts",
        "train": "train, test = dataset.split(0.8), which returns the parts",
        "validation": "train, validation, test = dataset.split((0.7, 0.1, 0.2)), which returns the parts",
    },
    "module": {
        "Batch": "cardioflow.EcgBatch",
        "Dataset": "cardioflow.EcgDataset",
        "DatasetIndex": "cardioflow.EcgDataset('records/*.hea')",
        "FilesIndex": "cardioflow.EcgDataset('records/*.hea')",
        "D": "cardioflow.B('ids'), or a value of your own",
        "L": "cardioflow.F(function)",
        "P": "cardioflow.B('name'); apply_transform passes each record its own value",
        "R": "an action whose name starts with random_, such as random_resample_signals('normal', loc=300, scale=10)",
        "add_actions": "@cardioflow.action on a function of the batch",
        "any_action_failed": "run(on_error='skip'), and the run's skipped",
        "batchflow": "cardioflow itself: EcgDataset, Pipeline, B, C, F, V",
        "dataset": "cardioflow itself: EcgDataset, Pipeline, B, C, F, V",
        "inbatch_parallel": "@cardioflow.action; batch.apply_transform(func) calls one per record",
        "pipelines": "cardioflow.ready_pipelines",
        "DirichletModel": "the model 'dirichlet': train_on_batch('dirichlet')",
        "FFTModel": "the model 'fft_inception': train_on_batch('fft_inception')",
        "HMModel": "the model 'hmm': train_on_batch('hmm'); its class is in cardioflow.models.hmm",
        **{
            f"{name}_pipeline": f"cardioflow.ready_pipelines.{name}_pipeline"
            for name in ("dirichlet_predict", "dirichlet_train", "hmm_predict", "hmm_preprocessing", "hmm_train")
        },
    },
}

_OBJECTS: Mapping[Owner, str] = {
    "pipeline": "a pipeline",
    "batch": "a batch",
    "dataset": "a data set",
    "module": "the package",
}

_DATASET_NAMES = ("batch", "from_arrays", "ids", "labels", "next_batch", "pack", "paths", "split", "subset")
_BATCH_NAMES = ("annotation", "classes", "meta", "show_ecg", "signal", "target")
_PIPELINE_NAMES = ("batches", "config", "next_batch", "run", "to_json")
_PRESENT: Mapping[Owner, Mapping[str, str]] = {
    "pipeline": {name: f"pipeline.{name}" for name in _PIPELINE_NAMES},
    "batch": {name: f"batch.{name}" for name in _BATCH_NAMES},
    "dataset": {name: f"dataset.{name}" for name in _DATASET_NAMES},
    "module": {},
}
"""Names of today that are looked for on other objects."""


def where_now(owner: Owner, name: str) -> str:
    """Return a sentence that names the replacement of ``name``, or an empty string if there is none.

    A name that ``owner`` neither has nor had is looked for on the other objects.
    """
    if owner == "pipeline" and name in _RUN:
        return _OF_THE_RUN.format(name=name, now=_RUN[name])
    if now := _TABLES[owner].get(name):
        return f"CardIO's {name!r} is now {now}."
    for other in _OBJECTS:
        if other != owner and name in _PRESENT[other]:
            what = _OBJECTS[other]
            return f"{what[0].upper()}{what[1:]} has {name!r}, and {_OBJECTS[owner]} does not: {_PRESENT[other][name]}."
    for other in _OBJECTS:
        if now := _TABLES[other].get(name):
            return f"CardIO's {name!r} is now {now}."
    return ""


def former_table(owner: Owner) -> Mapping[str, str]:
    """Return the replacement of every old name of ``owner``."""
    return _TABLES[owner]


def former_call(action: str, args: tuple[object, ...]) -> str:
    """Return a sentence that says how to write CardIO's or BatchFlow's call today, or an empty string."""
    if action == "init_model" and any(isinstance(value, type) for value in args):
        return (
            "init_model takes a model's name and its configuration, and neither a mode nor a class: declare the model "
            "with @cardioflow.model in a batch class, then write init_model('name', config)."
        )
    return ""
