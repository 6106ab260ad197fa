"""The steps before ``cache``, done once for each record."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from cardioflow.batch.action import Action
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.core.random_keys import record_keys
from cardioflow.errors import ConfigError
from cardioflow.pipeline.caching.fingerprints import Fingerprint, Fingerprints, loads_in
from cardioflow.pipeline.caching.folder import KeptInFolder
from cardioflow.pipeline.caching.kept import Kept, KeptInMemory, RecordKey
from cardioflow.pipeline.caching.key import own_functions, plan_text
from cardioflow.pipeline.nature import nature
from cardioflow.pipeline.steps.cache import Cache

if TYPE_CHECKING:
    from cardioflow.pipeline.call import Call

__all__ = ["CachedSteps"]

_IN_MEMORY: Final[dict[int, dict[str, Kept]]] = {}
"""What is kept in memory, by the step that keeps it and the key of the steps before it; it goes when the step goes."""


@final
class CachedSteps(Action):
    """What ``cache`` does in a pipeline.

    Args:
        call: The step as it was written; what is in memory lives as long as it.
        cache: What it says.
        before: The steps before it, as they were written, with their actions.
        work: They themselves, as a function of the batch, which leaves out what it skips.
        config: The settings of the pipeline.
        batch_class: The class of the batches.

    Raises:
        ConfigError: naming a step that cannot be kept.
    """

    def __init__(
        self,
        call: Call,
        cache: Cache,
        before: Sequence[tuple[Call, Action | None]],
        work: Callable[[EcgBatch], EcgBatch],
        *,
        config: Mapping[str, Any],
        batch_class: type[EcgBatch],
    ) -> None:
        self._cache = cache
        calls = tuple(call for call, _ in before)
        _check(calls, cache)
        self._work = work
        self._fingerprints = Fingerprints(loads_in(action for _, action in before))
        in_folder = self._cache.folder is not None
        text = plan_text(calls, config, batch_class, across_programs=in_folder)
        text = f'{{"steps": {text}, "classes": {self._fingerprints.classes!r}, "version": {self._cache.version!r}}}'
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        max_bytes = self._cache.max_mb * 2**20
        if self._cache.folder is not None:
            self._kept: Kept = KeptInFolder(Path(self._cache.folder) / digest, text, max_bytes, batch_class)
        else:
            # Functions are told apart by where they are in memory, so that they must live as long.
            self._calls = calls
            self._kept = _in_memory(call, digest, max_bytes)

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        if not np.array_equal(batch.provenance.key, record_keys(batch.ids)):
            # A sampler drew a record again. Kept rows have the keys of the first draw, by which random steps would
            # change them as they did then.
            return self._work(batch)
        prints = self._fingerprints.of(batch)
        keys = [None if p is None else RecordKey(i, p.digest) for i, p in zip(batch.ids, prints, strict=True)]
        spans, found = self._kept.find(keys, batch.epoch)
        missing = [i for i, span in enumerate(spans) if span is None]
        if not missing:
            return _for_batch(found, batch) if found is not None else batch.take([])
        done = self._made(batch.take(missing), [prints[i] for i in missing])
        if found is None:
            return done
        skipped = done.skipped
        mixed = type(done).concat([_for_batch(found, batch), done]) if len(done) else _for_batch(found, batch)
        place = {record: i for i, record in enumerate(batch.ids)}
        order = np.argsort([place[record] for record in mixed.provenance.record_id], kind="stable")
        return mixed.take(order).replace(skipped=skipped)

    def _made(self, batch: EcgBatch, before: Sequence[Fingerprint | None]) -> EcgBatch:
        """Return what the steps make of ``batch``, and keep it where the files were the same all the while."""
        done = self._work(batch)
        after = self._fingerprints.of(batch)
        skipped = {own.record for own in done.skipped}
        pairs = zip(batch.ids, before, after, strict=True)
        kept = {i: a for i, b, a in pairs if a is not None and a == b and a.is_settled and i not in skipped}
        if kept:
            records = done.provenance.record_id
            rows: dict[str, list[int]] = {name: [] for name in kept}
            for row, record in enumerate(records):
                if record in rows:
                    rows[record].append(row)
            order = np.array([row for own in rows.values() for row in own], np.intp)
            keys = [RecordKey(name, own.digest) for name, own in kept.items()]
            self._kept.add(keys, [len(rows[name]) for name in kept], done.take(order).replace(seed=0, epoch=0))
        return done

    def __str__(self) -> str:
        return str(self._cache)


def _for_batch(found: EcgBatch, batch: EcgBatch) -> EcgBatch:
    """Return kept rows as rows of ``batch``: of its run and its epoch."""
    places = batch.locations
    at = {record: i for i, record in enumerate(batch.ids)}
    own = None if places is None else tuple(places[at[record]] for record in found.provenance.record_id)
    return found.replace(locations=own, seed=batch.seed, epoch=batch.epoch, skipped=())


def _check(before: Sequence[Call], cache: Cache) -> None:
    reasons = {
        "random": "draws new random numbers in every epoch",
        "stateful": "depends on the run",
        "sink": "writes",
        "cache": "keeps records already",
    }
    for number, call in enumerate(before, 1):
        reason = reasons.get(nature(call))
        if reason:
            raise ConfigError(f"cache(): step {number} before it, {call}, {reason}. Write it after cache.")
    own = next(iter(own_functions(before)), None)
    if own is not None and cache.folder is not None and cache.version is None:
        raise ConfigError(
            f"cache({str(cache.folder)!r}): the step {own} before it calls a function of your own. A folder outlives "
            "your program, and what the function calls may change. Pass cache(…, version='1'), and another version "
            "when it changes; or keep records in memory: cache()."
        )


def _in_memory(call: Call, digest: str, max_bytes: float) -> Kept:
    held = _IN_MEMORY.get(id(call))
    if held is None:
        held = _IN_MEMORY[id(call)] = {}
        weakref.finalize(call, _IN_MEMORY.pop, id(call), None)
    return held.setdefault(digest, KeptInMemory(max_bytes))
