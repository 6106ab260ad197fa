"""The parts of a network in the order from input to output: which are frozen, and at what rate each learns."""

from __future__ import annotations

from collections.abc import Sequence

from cardioflow.errors import ConfigError, nearest

__all__ = ["ENCODER", "frozen_parts", "rate_factors"]

ENCODER = "encoder"
"""All parts but the last one: freezing it trains a linear probe."""


def frozen_parts(parts: Sequence[str], freeze: str | Sequence[str]) -> frozenset[str]:
    """Return those of ``parts`` that ``freeze`` names: ``"encoder"``, or their names.

    Raises:
        ConfigError: for a part that the network does not have, or when nothing would be left to train.
    """
    if freeze == ENCODER:
        return frozenset(parts[:-1])
    named = (freeze,) if isinstance(freeze, str) else tuple(freeze)
    unknown = [name for name in named if name not in parts]
    if unknown:
        raise ConfigError(
            f"freeze names {unknown[0]!r}, which is not a part of the network. "
            f"{nearest(unknown[0], {*parts, ENCODER})} Its parts are {', '.join(parts)}."
        )
    if set(named) == set(parts):
        raise ConfigError(f"freeze={freeze!r} names all parts of the network, and nothing would be trained. Leave one.")
    return frozenset(named)


def rate_factors(parts: Sequence[str], decay: float) -> dict[str, float]:
    """Return the factor of each part's learning rate: 1 for the last part, ``decay`` for the one before, and so on.

    Howard and Ruder, "Universal language model fine-tuning for text
    classification", ACL 2018, section 3.2 (discriminative fine-tuning).
    """
    return {part: decay**steps for steps, part in enumerate(reversed(parts))}
