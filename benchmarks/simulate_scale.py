"""Predicting ten million records on a cluster, simulated from rates that were measured on one machine.

    python benchmarks/simulate_scale.py [--records 10000000] [--price 0.05]

Tasks are drawn from a queue by the CPUs of all nodes; each reads its bytes through one
shared storage, which serves one request after another, then computes. Actors take the
batches, and one process takes the results. Nodes fail at random and come back after a
while: what a failed node had not handed on is done again. Network and scheduler are not
simulated; see docs/scale.md for what that leaves out.
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import dataclass, replace

import numpy as np

MIB = 2**20


@dataclass(frozen=True)
class Rates:
    """What was measured, with its source in docs/scale.md."""

    chain: float = 11_700
    """Records per second and CPU: load from WFDB, resample, band-pass."""
    record_bytes: float = 18_000
    """Of a record of CinC 2017 in its files."""
    predict: float = 400
    """Records per second and actor: ``fft_inception`` on one CPU, by Keras on PyTorch, in batches of 64."""
    task_s: float = 0.02
    """What Ray takes to start a task and to store its result."""
    driver_s: float = 0.007
    """Processor time of the process that started the run, for each batch."""
    start_s: float = 40.0
    """From the call to the first task, with the workers' imports and the model."""


@dataclass(frozen=True)
class Cluster:
    """What there is."""

    nodes: int
    cpus: int = 16
    actors: int = 4
    """Actors of each node."""
    storage: float = 1_000 * MIB
    """Bytes per second, of all nodes together."""
    hours_between_failures: float = 200.0
    """Of one node, on average."""
    back_s: float = 300.0
    """Until a failed node takes part again."""


@dataclass(frozen=True)
class Result:
    """What a run takes."""

    hours: float
    busy: dict[str, float]
    """The share of the time in which each part was busy."""
    failures: int
    repeated: float
    """Share of the work that was done more than once."""

    @property
    def bottleneck(self) -> str:
        return max(self.busy, key=lambda part: self.busy[part])


def simulated(n_records: int, rates: Rates, cluster: Cluster, batch: int = 64, seed: int = 0) -> Result:
    """Return what predicting ``n_records`` takes."""
    rng = np.random.default_rng(seed)
    per_task = 16 * batch
    left = -(-n_records // per_task)
    total = left
    readers = max(cluster.cpus - cluster.actors, 1)
    # The moment at which each CPU, each actor, the storage and the driver are free again.
    cpus = [(rates.start_s, node) for node in range(cluster.nodes) for _ in range(readers)]
    actors = [rates.start_s] * (cluster.nodes * cluster.actors)
    heapq.heapify(cpus)
    heapq.heapify(actors)
    next_failure = rng.exponential(3600 * cluster.hours_between_failures, cluster.nodes)
    storage = driver = rates.start_s
    busy = dict.fromkeys(("storage", "readers", "actors", "driver"), 0.0)
    done_at, failures, repeated = 0.0, 0, 0
    compute_s = rates.task_s + per_task / rates.chain
    predict_s, driver_s = per_task / rates.predict, rates.driver_s * per_task / batch
    while left:
        free, node = heapq.heappop(cpus)
        read = max(free, storage) + per_task * rates.record_bytes / cluster.storage
        end = max(free + compute_s, read)
        if end > next_failure[node]:
            # The task is lost with its node, and so is what the node held for the actors.
            failures += next_failure[node] > free
            repeated += 1
            back = next_failure[node] + cluster.back_s
            heapq.heappush(cpus, (max(back, free), node))
            if free >= back or end > back:
                next_failure[node] = back + rng.exponential(3600 * cluster.hours_between_failures)
            continue
        busy["storage"] += read - max(free, storage)
        storage = read
        busy["readers"] += compute_s
        heapq.heappush(cpus, (end, node))
        asked = max(end, heapq.heappop(actors)) + predict_s
        heapq.heappush(actors, asked)
        busy["actors"] += predict_s
        driver = max(driver, asked) + driver_s
        busy["driver"] += driver_s
        done_at = max(done_at, driver)
        left -= 1
    whole = done_at - rates.start_s
    shares = {
        "storage": busy["storage"] / whole,
        "readers": busy["readers"] / whole / (cluster.nodes * readers),
        "actors": busy["actors"] / whole / (cluster.nodes * cluster.actors),
        "driver": busy["driver"] / whole,
    }
    return Result(done_at / 3600, shares, failures, repeated / total)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--price", type=float, default=0.05, help="of an hour of one CPU, in a currency of your own")
    given = parser.parse_args()

    rates = Rates()
    gpu = replace(rates, predict=20_000)
    cases = {
        "1 node": (rates, Cluster(1)),
        "1 node, 12 actors": (rates, Cluster(1, actors=12)),
        "4 nodes, 12 actors each": (rates, Cluster(4, actors=12)),
        "16 nodes, 12 actors each": (rates, Cluster(16, actors=12)),
        "16 nodes, storage of 100 MiB/s": (rates, Cluster(16, actors=12, storage=100 * MIB)),
        "16 nodes, each failing every 2 hours": (rates, Cluster(16, actors=12, hours_between_failures=2)),
        "4 nodes, 1 actor of 20 000 records/s each": (gpu, Cluster(4, actors=1)),
        "4 such nodes, storage of 100 MiB/s": (gpu, Cluster(4, actors=1, storage=100 * MIB)),
    }
    print("| cluster | hours | CPU hours | price | records/s | busiest part | failures | done again |")
    print("|---|--:|--:|--:|--:|---|--:|--:|")
    for name, (own, cluster) in cases.items():
        found = simulated(given.records, own, cluster)
        cpu_hours = found.hours * cluster.nodes * cluster.cpus
        part = found.bottleneck
        print(
            f"| {name} | {found.hours:.2f} | {cpu_hours:.1f} | {cpu_hours * given.price:.2f} | "
            f"{given.records / found.hours / 3600:.0f} | {part}, {found.busy[part]:.0%} | {found.failures} | "
            f"{found.repeated:.2%} |"
        )
