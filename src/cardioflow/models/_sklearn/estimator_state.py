"""What a scikit-learn estimator has learned, as arrays and JSON, because a pickle can run code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from sklearn.base import BaseEstimator

from cardioflow.errors import DumpError, ModelError

__all__ = ["read_state", "same_state", "write_state"]

_KEY = "state"
_NAME = re.compile(r"[A-Za-z_]\w{0,99}")

Arrays = dict[str, NDArray[Any]]


def write_state(estimator: Any, path: Path) -> None:
    """Write what ``estimator`` and the estimators inside it have learned to the safetensors file ``path``.

    Raises:
        ModelError: when an attribute is neither an array, nor a number, a text or a list of these.
    """
    arrays: Arrays = {}
    tree = _pack(estimator, "", arrays)
    # A file without any array cannot be written.
    save_file({"_": np.zeros(1, np.uint8), **arrays}, path, metadata={_KEY: json.dumps(tree)})


def read_state(estimator: Any, path: Path) -> None:
    """Give ``estimator``, which is built as the saved one was, what that one had learned.

    Raises:
        DumpError: when the file is damaged, or is of other estimators.
    """
    try:
        with safe_open(path, "np") as file:
            tree = json.loads((file.metadata() or {})[_KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a dictionary
        learned = _unpack(estimator, tree, arrays)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DumpError(f"The saved state of the estimator is damaged: {error}. Save the model again.") from error
    for owner, attributes in learned:
        for name, value in attributes.items():
            setattr(owner, name, value)


def same_state(one: Any, other: Any) -> bool:
    """Return whether two estimators have learned the same, to the bit."""
    arrays: Arrays = {}
    others: Arrays = {}
    if _pack(one, "", arrays) != _pack(other, "", others) or arrays.keys() != others.keys():
        return False
    return all(np.array_equal(array, others[name], equal_nan=array.dtype.kind == "f") for name, array in arrays.items())


def _parts(estimator: Any) -> dict[str, Any]:
    """Return the estimators that are parameters of ``estimator``, such as the steps of a pipeline."""
    parameters = estimator.get_params(deep=True)
    return {n: v for n, v in parameters.items() if isinstance(v, BaseEstimator) and "__" not in n}


def _pack(estimator: Any, prefix: str, arrays: Arrays) -> dict[str, Any]:
    learned = {}
    for name, value in vars(estimator).items():
        if name in estimator.get_params(deep=False):
            continue
        try:
            learned[name] = _pack_value(value, f"{prefix}{name}", arrays)
        except TypeError:
            # A private one may be a helper that is made again; whether it is needed shows when the dump is tried.
            if not name.startswith("_"):
                raise ModelError(
                    f"{type(estimator).__name__} keeps a {type(value).__name__} in {name!r}, which cannot be saved "
                    "without pickle, and a pickle can run code. Save an estimator that keeps arrays and numbers, such "
                    "as a linear model."
                ) from None
    parts = {name: _pack(part, f"{prefix}{name}/", arrays) for name, part in _parts(estimator).items()}
    return {"type": type(estimator).__name__, "learned": learned, "parts": parts}


def _pack_value(value: Any, key: str, arrays: Arrays) -> Any:
    """Return ``value`` as JSON; arrays go to ``arrays`` under ``key``.

    Raises:
        TypeError: for any other type.
    """
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return {"value": value}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub":
        arrays[key] = np.array(value, order="C")
        return {"array": key}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack_value(v, f"{key}/{i}", arrays) for i, v in enumerate(value)]}
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {"dict": {name: _pack_value(v, f"{key}/{name}", arrays) for name, v in value.items()}}
    raise TypeError


def _unpack(estimator: Any, tree: Mapping[str, Any], arrays: Arrays) -> list[tuple[Any, dict[str, Any]]]:
    """Return each estimator with the attributes it is to be given; none is set before all are read."""
    if tree["type"] != type(estimator).__name__:
        raise DumpError(
            f"The dump holds a {str(tree['type'])[:100]!r}, and this model is a {type(estimator).__name__}. "
            "Build the estimator that was saved."
        )
    attributes = {}
    for name, value in tree["learned"].items():
        if not _NAME.fullmatch(name) or name.startswith("__") or callable(getattr(type(estimator), name, None)):
            raise ValueError(f"{name[:100]!r} is not the name of an attribute")
        attributes[name] = _unpack_value(value, arrays)
    parts = _parts(estimator)
    if set(parts) != set(tree["parts"]):
        raise DumpError(
            f"{type(estimator).__name__} was saved with the estimators {sorted(tree['parts'])}, and this one has "
            f"{sorted(parts)}. Build the estimator that was saved."
        )
    found = [(estimator, attributes)]
    for name, part in parts.items():
        found += _unpack(part, tree["parts"][name], arrays)
    return found


def _unpack_value(value: Mapping[str, Any], arrays: Arrays) -> Any:
    ((kind, content),) = value.items()
    if kind == "value" and (content is None or isinstance(content, (bool, int, float, str))):
        return content
    if kind == "array":
        array = arrays[content]
        return array if array.ndim else array[()]
    if kind in ("list", "tuple"):
        entries = [_unpack_value(v, arrays) for v in content]
        return entries if kind == "list" else tuple(entries)
    if kind == "dict":
        return {str(name): _unpack_value(v, arrays) for name, v in content.items()}
    raise ValueError(f"{str(kind)[:100]!r} is not a kind of value")
