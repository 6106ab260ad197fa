"""What each of the processes that train together does: a run of its own, on its share of every batch."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, final

from cardioflow.pipeline.engines._ray_cluster import ray_module
from cardioflow.pipeline.run import Run

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import Skipped
    from cardioflow.models.adapter import BackendModel
    from cardioflow.models.replicas import Replicas
    from cardioflow.pipeline.data.dataset import EcgDataset
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.readers import Readers
    from cardioflow.pipeline.template import Template

__all__ = ["Trained", "Work", "train"]

_PATIENCE: Final = timedelta(minutes=10)
"""How long a process waits for the others: reading a batch may take one of them longer than the rest."""


@final
@dataclass(frozen=True)
class Work:
    """What the processes are sent."""

    template: Template
    dataset: EcgDataset
    readers: Readers
    options: RunOptions
    models: Mapping[str, BackendModel]
    """The models as they are before the first batch."""


@final
@dataclass(frozen=True)
class Trained:
    """What the first process returns; the others have the same, but for the records that they skipped."""

    models: Mapping[str, BackendModel]
    variables: Mapping[str, Any]
    table: Mapping[str, Any]
    skipped: tuple[Skipped, ...]


def train(config: Mapping[str, Any]) -> bytes:
    """Train in one process of the group that Ray Train has started, and return a pickled ``Trained``.

    Args:
        config: ``work``, pickled; ``kinds``, what the models compute with, ``"torch"`` or ``"jax"``; and ``keras``, the
            backend of Keras.
    """
    # Before anything imports Keras or asks JAX for its devices.
    os.environ["KERAS_BACKEND"] = config["keras"]
    replicas = _joined(config["kinds"])
    work: Work = pickle.loads(config["work"])  # noqa: S301 -- from the run that started this process
    first = next(iter(replicas.values()))
    options = replace(work.options, engine="local", trainers=0, share=(first.rank, first.n), progress=False)
    run = Run(work.template, work.dataset, options, readers=work.readers)
    for name, model in work.models.items():
        model.replicas = replicas[model.together]
        run.models.put(name, model)
    run.execute()
    for model in work.models.values():
        model.replicas = None
    skipped = [pickle.loads(own) for own in first.exchange(pickle.dumps(run.skipped))]  # noqa: S301 -- from the others
    every = tuple(record for own in skipped for record in own)
    done = Trained(work.models, run.variables.state(), run._table.state(), every)
    # Models whose class is of a notebook, too. In every process: Keras on jax makes arrays that all must know of.
    content: bytes = ray_module().cloudpickle.dumps(done)
    return b"" if first.rank else content


def _joined(kinds: Collection[str]) -> dict[str, Replicas]:
    """Join the groups of the frameworks in ``kinds``, and return the processes as each of them sees them."""
    context = ray_module().train.get_context()
    rank, n = context.get_world_rank(), context.get_world_size()
    collective: Any = import_module("ray.train.collective")
    addresses: dict[str, str] = collective.broadcast_from_rank_zero({k: _free_address() for k in kinds})
    joins = {"torch": _join_torch, "jax": _join_jax}
    return {kind: joins[kind](address, rank, n) for kind, address in addresses.items()}


def _free_address() -> str:
    host = ray_module().util.get_node_ip_address()
    with socket.socket() as free:
        free.bind((host, 0))
        return f"{host}:{free.getsockname()[1]}"


def _join_torch(address: str, rank: int, n: int) -> Replicas:
    import torch

    backend = "nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(
        backend, init_method=f"tcp://{address}", rank=rank, world_size=n, timeout=_PATIENCE
    )
    from cardioflow.models._torch.replicas import TorchReplicas

    return TorchReplicas()


def _join_jax(address: str, rank: int, n: int) -> Replicas:
    import jax

    jax.distributed.initialize(address, n, rank)
    import keras

    # A model is rebuilt from random weights before it gets its own, and JAX refuses any that differ here and there.
    keras.utils.set_random_seed(0)
    # Every process draws its own share, so that Keras is not to divide it again.
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    from cardioflow.models._jax.replicas import JaxReplicas

    return JaxReplicas()
