"""Training by a recipe."""

from __future__ import annotations

from pathlib import Path

from cardioflow.cli.printing import complain, say

__all__ = ["train_recipe"]


def train_recipe(path: Path, data: Path, *, table: Path | None, out: Path | None, score: bool) -> int:
    """Carry the recipe at ``path`` out and print its table; return the exit status."""
    # They load the pipeline and its engine.
    from cardioflow.recipe.folds import FoldedRecords
    from cardioflow.recipe.reading import read_recipe
    from cardioflow.recipe.training import Training

    recipe = read_recipe(path)
    records = FoldedRecords.read(recipe.data, data, table or path.parent / recipe.data.table)
    folder = out or Path("out") / recipe.name
    say(f"{recipe.name}: {len(records.names(recipe.data.train))} records for training; results go to {folder}")
    try:
        say(str(Training(recipe, records, folder, say).run(score=score)))
    except KeyboardInterrupt:
        complain("interrupted. The same command goes on where it was.")
        raise
    return 0
