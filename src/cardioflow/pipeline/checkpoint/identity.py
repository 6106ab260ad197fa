"""What makes two runs the same run, and what differs where they are not."""

from __future__ import annotations

import hashlib
import platform
import warnings
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cardioflow.errors import CheckpointError
from cardioflow.pipeline.checkpoint.description import describe, digest
from cardioflow.pipeline.data.contents_digest import store_digest
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.pipeline.data.locations import (
    ArrayLocation,
    DescribedLocation,
    FileLocation,
    Hdf5Location,
    StoreLocation,
)

if TYPE_CHECKING:
    from cardioflow.batch.location import Location
    from cardioflow.pipeline.call import Call
    from cardioflow.pipeline.callbacks.base import Callback
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.readers import Readers
    from cardioflow.pipeline.template import Template

__all__ = ["check_same", "identity_of"]

_OPTIONS: Final = ("batch_size", "shuffle", "drop_last", "n_epochs", "epoch", "seed", "on_error")
"""The arguments of a run that its numbers depend on."""
_PACKAGES: Final = ("numpy", "keras", "torch", "jax", "tensorflow-cpu", "tensorflow", "scikit-learn")
_N_SAMPLED: Final = 16
"""Records whose content is compared."""
_HEAD: Final = 1 << 16


def identity_of(template: Template, dataset: EcgDataset, options: RunOptions, readers: Readers) -> dict[str, Any]:
    """Return what the numbers of a run depend on, as plain values."""
    return {
        "steps": [_step(call, readers.get(i)) for i, call in enumerate(template.steps, 1)],
        "config": {name: describe(value) for name, value in template.config.items()},
        "options": {**{name: getattr(options, name) for name in _OPTIONS}, "sampler": describe(options.sampler)},
        "callbacks": [_callback(own) for own in options.callbacks],
        "data": _data(dataset),
        "cardioflow": version("cardioflow"),
        "packages": {"python": platform.python_version(), **_versions()},
    }


def check_same(saved: Mapping[str, Any], now: Mapping[str, Any], place: Path) -> None:
    """Refuse a checkpoint of another run, and warn about one that other versions of packages wrote.

    Raises:
        CheckpointError: with all that differs.
    """
    try:
        found = [*_differences(saved, now)]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise CheckpointError(f"The checkpoint in {str(place)!r} is damaged: {error!r}.") from error
    if found:
        raise CheckpointError(
            f"The checkpoint in {str(place)!r} is of another run: {'; '.join(found)}. Run the call that wrote it, or "
            "pass another folder."
        )
    packages = _changed(saved["packages"], now["packages"], "{name} was {old}, and is now {new}")
    if packages:
        warnings.warn(
            f"The checkpoint in {str(place)!r} was written with other packages: {'; '.join(packages)}. The numbers may "
            "differ in the last digits from those of a run that was never stopped.",
            stacklevel=2,
        )


def _differences(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    found = []
    if saved["cardioflow"] != now["cardioflow"]:
        found.append(f"CardioFlow was {saved['cardioflow']}, and is now {now['cardioflow']}")
    found += _listed(saved["steps"], now["steps"], "step")
    found += _changed(saved["config"], now["config"], "the setting {name!r} was {old}, and is now {new}")
    found += _changed(saved["options"], now["options"], "{name} was {old}, and is now {new}")
    found += _listed(saved["callbacks"], now["callbacks"], "callback")
    return found + _changed(saved["data"], now["data"], "the data set had {old} as {name}, and now has {new}")


def _listed(saved: list[str], now: list[str], what: str) -> list[str]:
    for i, (old, new) in enumerate(zip(saved, now, strict=False), 1):
        if old != new:
            return [f"{what} {i} was {old}, and is now {new}"]
    if len(saved) != len(now):
        return [f"it had {len(saved)} {what}s, and now has {len(now)}"]
    return []


def _changed(saved: Mapping[str, Any], now: Mapping[str, Any], sentence: str) -> list[str]:
    names = [*saved, *(name for name in now if name not in saved)]
    pairs = ((name, saved.get(name, "absent"), now.get(name, "absent")) for name in names)
    return [sentence.format(name=name, old=old, new=new) for name, old, new in pairs if old != new]


# -- the parts -------------------------------------------------------------------------


def _step(call: Call, reader: Any) -> str:
    given = [describe(a) for a in call.args] + [f"{k}={describe(v)}" for k, v in call.kwargs.items()]
    text = f"{call.name}({', '.join(given)})"
    read = None if reader is None else reader[1].content()
    return text if read is None else f"{text} reading {digest(describe(read))}"


def _callback(callback: Callback) -> str:
    settings = {k: v for k, v in vars(callback).items() if not k.startswith("_") and k not in ("memory", "skipped")}
    return f"{type(callback).__name__}({', '.join(f'{k}={_setting(v)}' for k, v in sorted(settings.items()))})"


def _setting(value: Any) -> str:
    """Return ``value`` as text, with the records of a pipeline that is bound to a data set."""
    dataset = getattr(value, "dataset", None)
    if not isinstance(dataset, EcgDataset) or not len(dataset):
        return describe(value)
    # A table of labels is identified by its rows, not by its path.
    read = [reader.content() for _, (_, reader) in sorted(value.readers.items())]
    told = repr(_data(dataset)) + "".join(describe(own) for own in read if own is not None)
    return f"{describe(value)} on {len(dataset)} records ({digest(told)})"


def _data(dataset: EcgDataset) -> dict[str, Any]:
    labels = None if dataset.labels is None else repr([dataset.labels.get(name) for name in dataset.ids])
    picked = np.unique(np.linspace(0, len(dataset) - 1, _N_SAMPLED).astype(int)).tolist()
    return {
        "number of records": len(dataset),
        "first record": dataset.ids[0],
        "checksum of all record ids": digest("\n".join(dataset.ids)),
        "checksum of all labels": None if labels is None else digest(labels),
        f"checksum of {len(picked)} records": digest(" ".join(_content(dataset.locations[i]) for i in picked)),
        "class of batches": dataset.batch_class.__qualname__,
    }


def _content(place: Location) -> str:
    """Return what tells the record at ``place`` from another one of that name: not the folder, which may have moved."""
    if isinstance(place, ArrayLocation):
        return f"{describe(place.signal)} {place.fs} {place.leads} {place.units}"
    if isinstance(place, StoreLocation):
        return f"{store_digest(place.store)} {place.row}"
    if isinstance(place, FileLocation):
        return _head(place.path)
    if isinstance(place, DescribedLocation | Hdf5Location):
        return f"{_head(place.path)} {place.details}"
    return str(place.readable())


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return f"{path.stat().st_size} {hashlib.blake2b(file.read(_HEAD), digest_size=8).hexdigest()}"
    except OSError:
        # The name of a record of several files.
        return path.name


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
