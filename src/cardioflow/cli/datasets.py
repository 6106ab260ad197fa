"""``cardioflow datasets``: a table of the public data sets that can be read, or one of them in full."""

from __future__ import annotations

import dataclasses
import textwrap

from cardioflow import registry
from cardioflow.cli.printing import as_json_text, say
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["print_datasets"]

_ROW = "{:<14}{:>9}  {:<20}{}"


def print_datasets(name: str | None, *, as_json: bool) -> None:
    """Print every public data set with its records, licence and page, or all that is known about one.

    Raises:
        UnknownNameError: if there is no such data set.
    """
    names = registry.datasets.names() if name is None else (name,)
    cards: list[DatasetCard] = [registry.datasets.get(own).card for own in names]
    if as_json:
        say(as_json_text([dataclasses.asdict(card) for card in cards]))
    elif name is not None:
        _print_one(cards[0])
    else:
        say(_ROW.format("name", "records", "licence", "where"))
        for card in cards:
            say(_ROW.format(card.name, f"{card.n_records:,}".replace(",", " "), card.licence, card.url))
        say("\nRead one with cardioflow.datasets.<name>(folder); `cardioflow datasets <name>` shows its citation.")


def _print_one(card: DatasetCard) -> None:
    rows = {
        "name": card.name,
        "title": card.title,
        "records": f"{card.n_records:,}".replace(",", " "),
        "licence": card.licence,
        "where": card.url,
        "size": card.size,
        "cite": card.citation,
    }
    for label, text in rows.items():
        say(textwrap.fill(text, 100, initial_indent=f"{label:<9}", subsequent_indent=" " * 9, break_long_words=False))
