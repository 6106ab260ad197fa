"""What a worker process does: load the steps once, then make one batch after the other until its parent is gone."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from multiprocessing import connection as connections
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import Any, NamedTuple

from cardioflow.core.buffers import make_blocks_with
from cardioflow.errors import CardioFlowError, StepError
from cardioflow.pipeline.workers.blocks import BlockReader, BlockWriter
from cardioflow.pipeline.workers.messages import READY, Reply, Task, contents_of, task_of
from cardioflow.pipeline.workers.parcels import Parcel, pack, unpack
from cardioflow.pipeline.workers.shared_arrays import SharedArrays
from cardioflow.pipeline.workers.way import Pure

__all__ = ["Start", "serve"]

_LARGEST_SHARED = 1 << 25
"""Bytes of the largest arrays that are sent without a copy; larger ones are rare, and would fill the pool alone."""
_MOST_LENT = 64
"""Tasks whose arrays a worker may hold; it holds one, unless a step keeps some."""


class Start(NamedTuple):
    """What a worker is given when it starts."""

    tasks: str
    """What the names of its parent's blocks begin with."""
    replies: str
    """What the names of its own blocks begin with."""
    steps: Parcel
    steps_prefix: str


def serve(connection: Connection, start: Start) -> None:
    """Answer the tasks that come, and end when there is no parent any more."""
    # Ctrl-C in a terminal reaches all its processes; the parent ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    steps_reader = BlockReader(start.steps_prefix, 1, is_only=False)
    reader, writer = BlockReader(start.tasks, _MOST_LENT), BlockWriter(start.replies)
    shared = SharedArrays() if SharedArrays.are_available() else None
    if shared is not None:
        make_blocks_with(shared.block, _LARGEST_SHARED)
    try:
        pure: Pure = unpack(start.steps, steps_reader)
    except BaseException as error:  # noqa: BLE001 -- the parent raises it
        connection.send(Reply(READY, _packed_error(error, ""), is_error=True))
        return
    connection.send(Reply(READY, pack(None, None), is_error=False))
    try:
        while (task := connection.recv()) is not None:
            writer.free(task.freed)
            reader.drop(task.dropped)
            if shared is not None:
                shared.free(task.returned)
            is_error, made = _made(pure, task, reader, writer, shared)
            closed = () if shared is None else shared.closed()
            connection.send(Reply(task.number, made, is_error, reader.freed(), writer.dropped(), closed))
            if shared is not None:
                for descriptor in shared.descriptors(made.opened):
                    send_handle(connection, descriptor, None)
                    os.close(descriptor)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    finally:
        writer.close()


def _made(
    pure: Pure, task: Task, reader: BlockReader, writer: BlockWriter, shared: SharedArrays | None = None
) -> tuple[bool, Parcel]:
    """Return the batch of ``task``, or the error, as a parcel."""
    batch: Any = None
    try:
        batch = task_of(unpack(task.batch, reader))
        contents = contents_of(pure(batch), batch)
    except BaseException as error:  # noqa: BLE001 -- errors travel as data, whatever they are
        return True, _packed_error(error, "")
    try:
        return False, pack(contents, writer, shared)
    except CardioFlowError as error:
        return True, _packed_error(error, "")
    except Exception as error:  # noqa: BLE001 -- pickle raises what an object's own method raises
        return True, _packed_error(
            error, f"A batch cannot be sent from a worker process: {_unsendable(contents.batch)} cannot be pickled. "
        )


def _packed_error(error: BaseException, what: str) -> Parcel:
    """Return ``error`` as a parcel that certainly loads: as one of ours with its traceback as text, if need be."""
    if not what and isinstance(error, CardioFlowError):
        try:
            parcel = pack(error, None)
            pickle.loads(parcel.inline)  # noqa: S301 -- made here
        except Exception:  # noqa: BLE001 -- a subclass of a user's may hold anything
            what = ""
        else:
            return parcel
    made = StepError(f"{what}{type(error).__name__}: {error}", step=getattr(error, "step", None))
    made.__cause__ = error
    return pack(made, None)


def _unsendable(batch: Any) -> str:
    """Return the names of the components of ``batch`` that cannot be pickled."""
    parts = {"annotation": batch.annotation, "meta": batch.meta, "target": batch.target, **batch.columns}
    found = []
    for name, value in parts.items():
        try:
            pickle.dumps(value, protocol=5)
        except Exception:  # noqa: BLE001 -- that is the question
            found.append(name)
    return f"its component {' and '.join(map(repr, found))}" if found else "it"


def _end_with_parent() -> None:
    """End this process when its parent ends, also while a step is at work."""
    parent, first = parent_process(), os.getppid()
    if parent is None:
        return
    # A process that the parent forked may hold the parent's end open; then the id tells.
    while not connections.wait([parent.sentinel], timeout=2):
        if os.getppid() != first:
            break
    os._exit(1)
