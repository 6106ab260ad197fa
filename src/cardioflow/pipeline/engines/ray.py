"""A Ray cluster: batches are prepared by tasks, and models are asked by actors that hold one each."""

from __future__ import annotations

import heapq
import logging
import pickle
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import CardioFlowError, ConfigError, StepError
from cardioflow.pipeline.engines._ray_cluster import Cluster, ray_module
from cardioflow.pipeline.engines._stages import Stages
from cardioflow.pipeline.engines.base import Engine
from cardioflow.pipeline.workers.way import Failed, Pure, attempt

if TYPE_CHECKING:
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.sampler import BatchSampler
    from cardioflow.pipeline.step_times import TimedBatch

__all__ = ["Ray"]

_MOST_OF_A_TASK: Final = 16
"""Batches of one task: Ray takes some milliseconds to start one, which a batch of short records does not."""
_MOST_AT_ONCE: Final = 1 << 16
"""Batches of one Ray data set, whose ids are in memory here; a longer run has one data set after another."""
_CPUS_OF_A_TASK: Final = 0.9
_CPUS_OF_AN_ACTOR: Final = 0.05
"""Next to nothing: actors that hold a CPU each could hold the last one, after a node is lost, and wait without end for
tasks that need it. A task whose CPUs differ is also not done inside an actor, of which there may be few."""
_FIRST: Final = 1 << 10
"""Batches of the first, where no model has to be loaded again for the next: a first batch is not to wait for many."""


@final
class Ray(Engine):
    """Compiles the steps to Ray Data: a row is a batch, first its ids and places, then what is made of them.

    A batch has its number, so that neither Ray's own batches, nor its order, nor
    a task that is done again changes anything. Errors come back as rows, because Ray would drop the
    block that they are in, and the order is restored by number.
    """

    def __init__(self, sampler: BatchSampler, pure: Pure, options: RunOptions, *, start: int = 0) -> None:
        super().__init__(sampler, pure, options, start=start)
        self._stages = pure if isinstance(pure, Stages) else Stages(pure)
        self._cluster: Cluster | None = None
        self._rows: Iterator[tuple[int, bytes]] | None = None
        self._early: list[tuple[int, bytes]] = []
        self._closed = False
        self._is_finished = False
        self._discards = False

    def discard(self) -> None:
        self._discards = True

    def __next__(self) -> EcgBatch | TimedBatch:
        if self._closed:
            raise StopIteration
        if self.next_number >= len(self.sampler):
            self._finish()
            raise StopIteration
        made = pickle.loads(self._content())  # noqa: S301 -- from our own workers
        self.next_number += 1
        if isinstance(made, Failed):
            raise made.error
        batch: EcgBatch | TimedBatch = made
        return batch

    def restore(self, state: dict[str, Any]) -> None:
        self._rows, self._early = None, []
        self.next_number = int(state["next_number"])

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._rows = None
        if self._stages.actors is not None and not self._is_finished:
            self._stages.actors.abandon()
        if self._cluster is not None:
            self._cluster.close()

    def describe(self) -> str:
        """Return where the batches are made."""
        return "Ray" if self.options.address is None else f"Ray at {self.options.address}"

    @classmethod
    def check(cls, pure: Any, options: RunOptions) -> None:
        """Check that Ray is there, that the cluster answers, and that the steps can be sent to it.

        Raises:
            MissingDependencyError: when Ray is not installed.
            ConfigError: when nothing answers at the address, or naming the step that cannot be sent.
        """
        ray_module()
        Cluster.check(options.address)
        for step in pure.steps:
            reason = _why_not_sent(step)
            if reason:
                raise ConfigError(
                    f"The step cannot be sent to a Ray cluster: {reason}. Define its functions at the top of a module, "
                    "without open files, locks or models.",
                    step=step.where,
                )

    # -- the stream -------------------------------------------------------------

    def _content(self) -> bytes:
        """Return the next batch in order; what comes early waits."""
        if self._rows is None:
            self._rows = self._started()
        while not self._early or self._early[0][0] != self.next_number:
            found = next(self._rows, None)
            if found is None:
                raise StepError(f"Ray ended without batch {self.next_number} of {len(self.sampler)}. Run again.")
            number, content = found
            # A task that was done again gives the same batch once more.
            if number >= self.next_number and all(number != held for held, _ in self._early):
                heapq.heappush(self._early, (number, content))
        return heapq.heappop(self._early)[1]

    def _started(self) -> Iterator[tuple[int, bytes]]:
        actors = self._stages.actors
        if actors is not None:
            actors.prepare()
        self._cluster = self._cluster or Cluster(self.options.address)
        self._check_room()
        ray = ray_module()
        work = ray.put(ray.cloudpickle.dumps((self._stages, self._discards)))
        token = uuid.uuid4().hex
        first, most = self.next_number, _MOST_AT_ONCE if actors is not None else _FIRST
        while first < len(self.sampler):
            n = min(len(self.sampler) - first, most)
            yield from self._rows_of(range(first, first + n), token, work)
            first, most = first + n, _MOST_AT_ONCE

    def _check_room(self) -> None:
        """Refuse actors for which there is no room: Ray would wait without end."""
        if self._stages.actors is None:
            return
        there = ray_module().cluster_resources()
        actors, gpus = self.options.actors, self.options.gpus_per_actor
        if there.get("CPU", 0) < _CPUS_OF_A_TASK + actors * _CPUS_OF_AN_ACTOR:
            raise ConfigError(
                f"run(actors={actors}): the cluster has {there.get('CPU', 0):g} CPUs, which is too few for so many "
                "processes. Pass fewer actors, or a larger cluster."
            )
        if there.get("GPU", 0) < actors * gpus:
            raise ConfigError(
                f"run(actors={actors}, gpus_per_actor={gpus}): the cluster has {there.get('GPU', 0):g} GPUs. Pass "
                "fewer actors, a fraction of a GPU for each, or gpus_per_actor=0."
            )

    def _rows_of(self, numbers: range, token: str, work: Any) -> Iterator[tuple[int, bytes]]:
        data: Any = ray_module().data
        data.DataContext.get_current().enable_progress_bars = False
        # It tells of every epoch where its logs are.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        rows = data.from_arrow(list(self._tables(numbers))).map_batches(
            _prepare,
            batch_size=None,
            batch_format="pyarrow",
            fn_kwargs={"token": token, "work": work},
            num_cpus=_CPUS_OF_A_TASK,
        )
        if self._stages.actors is not None:
            rows = rows.map_batches(
                _Actor,
                fn_constructor_kwargs={"work": work},
                batch_size=1,
                batch_format="pyarrow",
                compute=data.ActorPoolStrategy(size=self.options.actors),
                num_cpus=_CPUS_OF_AN_ACTOR,
                num_gpus=self.options.gpus_per_actor or None,
            )
        for table in rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1):
            yield from _pairs(table)

    def _tables(self, numbers: range) -> Iterator[Any]:
        """Yield the ids and places of the records of all batches, as a table for each task.

        The index of a large data set would not fit into every worker.
        """
        n_tasks = 8 * max(1, int(ray_module().cluster_resources().get("CPU", 1)))
        size = min(max(1, -(-len(numbers) // n_tasks)), _MOST_OF_A_TASK)
        for start in range(0, len(numbers), size):
            own = numbers[start : start + size]
            yield _table((number, pickle.dumps(self.sampler[number])) for number in own)

    def _finish(self) -> None:
        if self._stages.actors is not None and not self._is_finished:
            self._stages.actors.finish()
        self._is_finished = True


# -- in the workers ------------------------------------------------------------


@lru_cache(maxsize=2)
def _work(token: str, load: Callable[[], bytes]) -> Any:  # noqa: ARG001 -- what is loaded is the token's
    return pickle.loads(load())  # noqa: S301 -- from the run that started this task


class _Loader:
    """Gets the work of a run; all loaders are equal, so that a process unpacks it once for each token."""

    def __init__(self, work: Any) -> None:
        self._ref = work

    def __call__(self) -> bytes:
        found: bytes = ray_module().get(self._ref)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Loader)

    def __hash__(self) -> int:
        return 0


def _prepare(rows: Any, token: str, work: Any) -> Any:
    """Return the batches in ``rows``, with nothing loaded yet, after the pure steps."""
    stages, discards = _work(token, _Loader(work))
    discards = discards and stages.actors is None
    return _table((n, _packed(_try(stages.pure, content, discards=discards))) for n, content in _pairs(rows))


class _Actor:
    """Holds the models of one worker."""

    def __init__(self, work: Any) -> None:
        self._stages, self._discards = pickle.loads(ray_module().get(work))  # noqa: S301 -- from the run that started it
        self._steps: Callable[[Any, int], Any] | None = None

    def __call__(self, rows: Any) -> Any:
        return _table(
            (number, _packed(_try(partial(self._do, number), content, discards=self._discards)))
            for number, content in _pairs(rows)
        )

    def _do(self, number: int, batch: Any) -> Any:
        # Not in __init__, whose errors Ray would wrap.
        if self._steps is None:
            self._steps = self._stages.actors.start()
        return self._steps(batch, number)


def _try(steps: Callable[[Any], Any], content: bytes, *, discards: bool) -> Any:
    """Return what ``steps`` make of a batch, or the error that they or earlier ones raised."""
    batch = pickle.loads(content)  # noqa: S301 -- from another process of the same run
    made = batch if isinstance(batch, Failed) else attempt(steps, batch)
    if discards and isinstance(made, EcgBatch):
        # It is not used: the ids and the report of what was skipped are enough.
        return made.replace(signal=None, annotation=None, meta=None, target=None, columns={})
    return made


def _packed(made: Any) -> bytes:
    try:
        return pickle.dumps(made, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 -- an exception of anybody's may not pickle
        return pickle.dumps(Failed(_as_text(made, error)))


def _as_text(made: Any, error: Exception) -> CardioFlowError:
    if isinstance(made, Failed):
        return StepError(f"{type(made.error).__name__}: {made.error}")
    return StepError(f"A batch cannot be sent back from the cluster: {type(error).__name__}: {error}")


def _table(pairs: Iterable[tuple[int, bytes]]) -> Any:
    import pyarrow as pa

    numbers, contents = zip(*pairs, strict=True)
    return pa.table({"number": pa.array(numbers, pa.int64()), "content": pa.array(contents, pa.large_binary())})


def _pairs(table: Any) -> Iterator[tuple[int, bytes]]:
    return zip(table.column("number").to_pylist(), table.column("content").to_pylist(), strict=True)


def _why_not_sent(step: Any) -> str:
    try:
        ray_module().cloudpickle.dumps(step)
    except Exception as error:  # noqa: BLE001 -- whatever an object's own __reduce__ raises
        return f"it cannot be pickled ({type(error).__name__}: {error})"
    return ""
