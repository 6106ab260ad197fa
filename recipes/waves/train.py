"""Train the network: ``python -m recipes.waves.train --sets DIR --splits DIR --out DIR``.

The same arguments give the same network. Stopped, it goes on from the last whole epoch.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from recipes.waves import data
from recipes.waves.augment import LENGTH, Examples, noises
from recipes.waves.network import WaveNet

BATCH: Final = 32
PEAK_RATE: Final = 4e-3
AVERAGE: Final = 0.998
"""How much of the running mean of the weights each step keeps; the mean is what is exported."""


def read(args: argparse.Namespace) -> list[data.Lead]:
    """Return the leads to train on, as ``--ludb`` and ``--qtdb`` name them."""
    split = args.splits / "ludb.csv"
    if args.ludb == "train":
        records = sorted(data.split_of(split, "train"), key=int)
    else:
        kind, fold = args.ludb.rstrip("01234"), int(args.ludb[-1])
        part = {"fold": "all", "dev": "train"}[kind]
        records = data.ludb_fold(split, fold, held_out=False, part=part)
    leads = list(data.ludb(args.sets / "ludb", records))
    if args.qtdb == "train":
        leads += data.qtdb(args.sets / "qtdb", sorted(data.split_of(args.splits / "qtdb.csv", "train", "origin")))
    return [lead for lead in leads if (lead.y != data.UNKNOWN).any()]


def order(rng: np.random.Generator, leads: list[data.Lead]) -> NDArray[np.int64]:
    """Return the rows of an epoch: each lead once; leads without a P wave, and QTDB's long ones, three times."""
    weights = [1 if lead.x.size < 4 * LENGTH and (lead.y == data.CLASSES["p"]).any() else 3 for lead in leads]
    rows = np.repeat(np.arange(len(leads)), weights)
    rng.shuffle(rows)
    return rows[: rows.size // BATCH * BATCH].reshape(-1, BATCH)


def rate(step: int, n_steps: int) -> float:
    """Return the learning rate: up over a tenth of the steps, then down along a cosine."""
    warm = 0.1 * n_steps
    return PEAK_RATE * (
        step / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / (n_steps - warm)))
    )


def train(args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    leads = read(args)
    examples = Examples(leads, noises(args.sets / "nstdb-noise"))
    net = WaveNet()
    mean = copy.deepcopy(net)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    per_epoch = len(order(np.random.default_rng(0), leads))
    args.out.mkdir(parents=True, exist_ok=True)
    first, state = 0, args.out / "state.pt"
    if state.exists():
        saved = torch.load(state, weights_only=True)
        net.load_state_dict(saved["net"])
        mean.load_state_dict(saved["mean"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["epoch"]
    print(f"{len(leads)} leads, {sum(p.numel() for p in net.parameters())} parameters, {per_epoch} steps", flush=True)
    for epoch in range(first, args.epochs):
        began, losses = time.process_time(), []
        rng = np.random.default_rng([args.seed, epoch])
        for k, rows in enumerate(order(rng, leads)):
            for group in optimizer.param_groups:
                group["lr"] = rate(epoch * per_epoch + k, args.epochs * per_epoch)
            losses.append(_step(net, optimizer, *examples.draw(rng, rows.tolist())))
            _average(mean, net, min(AVERAGE, (epoch * per_epoch + k + 1) / (epoch * per_epoch + k + 10)))
        whole = {"net": net.state_dict(), "mean": mean.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({**whole, "epoch": epoch + 1}, state.with_suffix(".part"))
        state.with_suffix(".part").replace(state)
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} cpu {time.process_time() - began:.0f} s", flush=True)
    torch.save(mean.state_dict(), args.out / "waves.pt")
    settings = {k: str(v) for k, v in vars(args).items() if k not in {"sets", "splits", "out"}}
    (args.out / "training.json").write_text(json.dumps({**settings, "leads": len(leads)}, indent=2))


def _step(net: WaveNet, optimizer: torch.optim.Optimizer, x: Any, y: Any) -> float:
    net.train()
    logits = net(torch.from_numpy(x)[:, None])
    target = torch.from_numpy(y.astype(np.int64))
    loss = torch.nn.functional.cross_entropy(logits, target, ignore_index=data.UNKNOWN)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def _average(mean: WaveNet, net: WaveNet, kept: float) -> None:
    for own, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if own.dtype.is_floating_point:
            own.mul_(kept).add_(new, alpha=1 - kept)
        else:
            own.copy_(new)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True, help="the folder that holds ludb, qtdb and nstdb-noise")
    parser.add_argument("--splits", type=Path, required=True, help="the folder that holds ludb.csv and qtdb.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ludb", default="train", help="train, fold0 … fold4 of all records, dev0 … dev4 of train")
    parser.add_argument("--qtdb", default="train", choices=["train", "none"])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
