"""Recipes: a file that says how a bundle is trained, and what carries it out.

A recipe names the data, the members (models, each with its own preparation),
and how their mean becomes an answer. It holds no code: steps, models and
metrics are named as everywhere else in CardioFlow. ``cardioflow train`` reads
one, trains every member once for each fold that it leaves out, chooses the
members' weights and the calibration on the predictions for the left-out folds,
and writes a bundle. Interrupted, the same command goes on.
"""

from cardioflow.recipe.description import DataRecipe, MemberRecipe, Recipe
from cardioflow.recipe.reading import read_recipe

__all__ = ["DataRecipe", "MemberRecipe", "Recipe", "read_recipe"]
