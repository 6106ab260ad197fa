"""The random numbers of one step of a TensorFlow model, from the model's seed and the number of the step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import gen_random_ops

from cardioflow.core.random_keys import record_keys

__all__ = ["seeded_ops", "unseeded_ops"]

_lock = RLock()


@contextmanager
def seeded_ops(seed: int, step: Any) -> Iterator[None]:
    """Trace the training step of a model inside: its random operations draw from ``seed`` and the tensor ``step``.

    The operations of TensorFlow keep a state that can be neither read nor set,
    so that a run which goes on from a checkpoint would draw dropout anew.
    While this context is open, ``tf.random`` and ``tf.nn.dropout`` use the
    operations without a state instead, in this thread.
    """
    owner, numbers = get_ident(), itertools.count()

    def key() -> Any:
        own = int(record_keys([f"{seed}/{next(numbers)}/tensorflow"])[0]) >> 1
        return tf.stack([tf.constant(own, tf.int64), step])

    stateless = _stateless(key)
    with _lock:
        originals = {name: getattr(gen_random_ops, name) for name in stateless}
        for name, function in stateless.items():
            setattr(gen_random_ops, name, _for_thread(owner, function, originals[name]))
        try:
            yield
        finally:
            for name, function in originals.items():
                setattr(gen_random_ops, name, function)


def unseeded_ops(graph: Any) -> tuple[str, ...]:
    """Return the random operations in ``graph`` that draw from a state of their own, such as ``"RandomGamma"``."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    names = {node.op for node in nodes if "Random" in node.op or node.op.startswith("Stateful")}
    return tuple(sorted(name for name in names if not name.startswith("Stateless")))


def _stateless(key: Callable[[], Any]) -> dict[str, Callable[..., Any]]:
    """Return what takes the place of each operation; ``key()`` replaces its own seeds."""

    def random_uniform(shape: Any, dtype: Any, name: Any = None, **_: int) -> Any:
        return tf.random.stateless_uniform(shape, key(), dtype=dtype, name=name)

    def random_uniform_int(shape: Any, minval: Any, maxval: Any, name: Any = None, **_: int) -> Any:
        low = tf.convert_to_tensor(minval)
        return tf.random.stateless_uniform(shape, key(), low, maxval, dtype=low.dtype, name=name)

    def random_standard_normal(shape: Any, dtype: Any, name: Any = None, **_: int) -> Any:
        return tf.random.stateless_normal(shape, key(), dtype=dtype, name=name)

    def truncated_normal(shape: Any, dtype: Any, name: Any = None, **_: int) -> Any:
        return tf.random.stateless_truncated_normal(shape, key(), dtype=dtype, name=name)

    def random_shuffle(value: Any, name: Any = None, **_: int) -> Any:
        return tf.random.experimental.stateless_shuffle(value, key(), name=name)

    own = (random_uniform, random_uniform_int, random_standard_normal, truncated_normal, random_shuffle)
    return {function.__name__: function for function in own}


def _for_thread(owner: int, function: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*args: Any, **kwargs: Any) -> Any:
        return (function if get_ident() == owner else original)(*args, **kwargs)

    return chosen
