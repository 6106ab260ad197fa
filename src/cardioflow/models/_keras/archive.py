"""What a ``.keras`` file claims, held against what it contains before Keras builds anything from it."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock, get_ident
from typing import Any

from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import DumpError, FormatError
from cardioflow.models._keras.backend import keras

__all__ = ["check_archive", "limited_weights"]

_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"
_MAX_CONFIG_BYTES = 16 * 2**20
_MAX_CONFIG_VALUES = 1_000_000
_MAX_CONFIG_DEPTH = 100
_MAX_OBJECTS = 20_000
"""Layers, initializers, … in a configuration; Keras takes a millisecond or more for each."""
_MAX_H5_OBJECTS = 200_000
_MAX_H5_DEPTH = 100
_MAX_LENGTH = 2**24
"""Any one size in a configuration: a signal of 9 hours at 500 Hz."""
_MAX_SIZES = 2**22
"""The sum of the sizes, beyond the number of weights in the file, that do not describe signals."""
_SHAPES = frozenset({"batch_shape", "build_config", "inbound_nodes", "input_shape", "shape", "target_shape"})
"""Parts of a configuration that describe signals, and repeat their length for every layer."""
_NO_SIZES = frozenset({"optimizer", "seed", "shared_object_id"})
_SLACK = 1_000_000

_lock = RLock()


def check_archive(path: Path) -> int:
    """Return how many numbers the weights in a ``.keras`` file have.

    Raises:
        DumpError: when the file claims more than it contains, or its configuration has sizes that its weights
            cannot have.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path.stat().st_size)
            with archive.open(_WEIGHTS) as file:
                n_weights = _count_weights(file, archive.getinfo(_WEIGHTS).file_size)
            _check_config(archive.read(_CONFIG), n_weights)
            return n_weights
    except DumpError:
        raise
    except Exception as error:  # zipfile and h5py raise a dozen types on damaged files
        raise DumpError(f"The Keras model is damaged: {type(error).__name__}: {error}. Save it again.") from error


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    claimed = sum(entry.file_size for entry in archive.infolist())
    # Keras stores without compression.
    if claimed > size or any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise DumpError(
            f"The Keras model is compressed: it claims {claimed} bytes of content in a file of {size}, and Keras "
            "itself never compresses. Save the model with Keras again."
        )
    for name in (_CONFIG, _WEIGHTS):
        if archive.namelist().count(name) != 1:
            raise DumpError(f"The Keras model does not have one {name}. Save the model with Keras again.")


# -- weights ---------------------------------------------------------------------------


def _count_weights(file: Any, size: int) -> int:
    import h5py

    with h5py.File(file, "r") as root:
        count = n_bytes = 0
        for dataset in _datasets(root):
            # Data elsewhere, in chunks that may be missing, or compressed, can claim any size.
            if dataset.external or dataset.is_virtual or dataset.chunks or dataset.dtype.hasobject:
                raise DumpError("The weights of the Keras model are not plain arrays. Save the model with Keras again.")
            count += int(dataset.size or 0)
            n_bytes += int(dataset.nbytes)
            if n_bytes > size:
                raise DumpError(
                    f"The weights of the Keras model claim {n_bytes} bytes or more in a file of {size}. "
                    "Save the model with Keras again."
                )
    return count


def _datasets(root: Any) -> Iterator[Any]:
    """Yield all arrays of an HDF5 file, following only links inside it and none twice."""
    import h5py

    seen: set[Any] = set()
    waiting = [(root, 0)]
    while waiting:
        group, depth = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise DumpError("The weights of the Keras model contain links. Save the model with Keras again.")
            member = group[name]
            place = h5py.h5o.get_info(member.id).addr
            if place in seen:
                continue
            seen.add(place)
            if len(seen) > _MAX_H5_OBJECTS or depth > _MAX_H5_DEPTH:
                raise DumpError(
                    f"The weights of the Keras model have more than {_MAX_H5_OBJECTS} parts, or parts more than "
                    f"{_MAX_H5_DEPTH} levels deep, which no saved model has."
                )
            if isinstance(member, h5py.Dataset):
                yield member
            else:
                waiting.append((member, depth + 1))


# -- configuration -----------------------------------------------------------------------


def _check_config(data: bytes, n_weights: int) -> None:
    try:
        config = parse_limited(
            data, max_bytes=_MAX_CONFIG_BYTES, max_values=_MAX_CONFIG_VALUES, max_depth=_MAX_CONFIG_DEPTH
        )
    except FormatError as error:
        raise DumpError(f"The configuration of the Keras model cannot be read. {error}") from error
    total = n_objects = 0
    for name, size in _sizes(config, ""):
        n_objects += name == "class_name"
        total += 0 if name in _SHAPES or name == "class_name" else size
        if size > _MAX_LENGTH or total > _MAX_SIZES + n_weights:
            raise DumpError(
                f"The configuration of the Keras model has {name}={size}, and its weights are {n_weights} numbers: "
                "the model would be larger than what was saved. Do not load the file if you do not know its source."
            )
    if n_objects > _MAX_OBJECTS:
        raise DumpError(
            f"The configuration of the Keras model has {n_objects} objects, and at most {_MAX_OBJECTS} are built."
        )


def _sizes(value: Any, name: str) -> Iterator[tuple[str, int]]:
    """Yield the whole numbers of a configuration, each with its entry's name, and a zero for each object."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield "class_name", 0
        for key, inner in value.items():
            if key not in _NO_SIZES:
                yield from _sizes(inner, name if name in _SHAPES else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _sizes(inner, name)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield name, abs(value)


@contextmanager
def limited_weights(n_weights: int) -> Iterator[None]:
    """Refuse, in this thread, to make layers' weights of many more numbers than ``n_weights``.

    What a layer needs depends on the layers before it, so it is known only
    when it asks for its weights; they are refused before they are allocated.
    """
    layer = keras.layers.Layer
    owner, limit, made = get_ident(), 2 * n_weights + _SLACK, 0
    refusal: DumpError | None = None

    with _lock:
        original = layer.add_weight

        def add_weight(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal made, refusal
            if get_ident() == owner:
                shape = kwargs.get("shape") or (args[0] if args else ()) or ()
                made += math.prod(shape) if isinstance(shape, (tuple, list)) else int(shape)
                if made > limit:
                    refusal = DumpError(
                        f"The layer {self.name!r} of the Keras model needs weights of shape {shape}, and all weights "
                        f"in the file are {n_weights} numbers. Do not load the file if you do not know its source."
                    )
                    raise refusal
            return original(self, *args, **kwargs)

        layer.add_weight = add_weight
        try:
            yield
        except Exception as error:
            if refusal is not None:
                # Keras buries it in an error of its own.
                raise refusal from error
            raise
        finally:
            layer.add_weight = original
