"""Recipes from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cardioflow.bundle.bundle_card import bundle_card
from cardioflow.bundle.limits_of_use import Limits
from cardioflow.bundle.schema import entries
from cardioflow.errors import CardioFlowError, ConfigError, DumpError
from cardioflow.recipe.description import DataRecipe, MemberRecipe, Recipe
from cardioflow.recipe.steps import pipeline_of

__all__ = ["read_recipe"]

VERSION: Final = 1
_KEY: Final = "cardioflow_recipe"
_MAX_BYTES: Final = 2**20


def read_recipe(path: str | Path) -> Recipe:
    """Return the recipe in the YAML file ``path``, with every step and model checked.

    Raises:
        ConfigError: naming the entry that is missing, not known, or of another type.
    """
    path = Path(path)
    raw = _parsed(path)
    version = raw.pop(_KEY, None)
    if type(version) is not int or version != VERSION:
        later = type(version) is int and version > VERSION
        remedy = "Update CardioFlow." if later else f"Begin the file with '{_KEY}: {VERSION}'."
        raise ConfigError(f"{str(path)!r} is not a recipe of version {VERSION}. {remedy}")
    try:
        makers = {"data": _data, "members": _members, "limits": _limits, "card": bundle_card}
        found: Recipe = entries(Recipe, raw, "", makers)
        _check(found)
    except CardioFlowError as error:
        raise ConfigError(f"The recipe {str(path)!r} cannot be used. {error}") from error
    return found


def _parsed(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The recipe {str(path)!r} cannot be read: {error.strerror}.") from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"The recipe {str(path)!r} has {len(content)} bytes; at most {_MAX_BYTES} are read.")
    try:
        found = yaml.load(content, _strict_loader(yaml))  # noqa: S506 -- a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"The recipe {str(path)!r} is not valid YAML: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"The recipe {str(path)!r} holds a {type(found).__name__}; expected entries such as 'name:'.")
    return found


def _strict_loader(yaml: Any) -> Any:
    """Return the safe loader, which makes plain values and runs nothing, without entries that are given twice.

    YAML asks for this; PyYAML takes the last of them without a word.
    """

    def construct_mapping(loader: Any, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 -- PyYAML's own
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
        for number, key in enumerate(keys):
            if any(key.value == before.value for before in keys[:number]):
                raise ValueError(
                    f"line {key.start_mark.line + 1} has the entry {key.value!r} again. Remove one of both."
                )
        return yaml.SafeLoader.construct_mapping(loader, node, deep)

    return type("StrictLoader", (yaml.SafeLoader,), {"construct_mapping": construct_mapping})


def _data(raw: Any, where: str) -> DataRecipe:
    found: DataRecipe = entries(DataRecipe, raw, where)
    return found


def _limits(raw: Any, where: str) -> Limits:
    found: Limits = entries(Limits, raw, where)
    return found


def _members(raw: Any, where: str) -> tuple[MemberRecipe, ...]:
    if not isinstance(raw, list):
        raise DumpError(f"Entry {where!r} is a {type(raw).__name__}; expected a list of members.")
    return tuple(entries(MemberRecipe, own, f"{where}[{i}]") for i, own in enumerate(raw))


def _check(recipe: Recipe) -> None:
    """Refuse steps and models that do not exist before any record is read."""
    from cardioflow.models.declaration import find

    names = [member.name for member in recipe.members]
    if len(set(names)) < len(names):
        raise ConfigError(f"Entry 'members' has two members of one name among {', '.join(names)}.")
    for i, member in enumerate(recipe.members):
        for part in ("prepare", "augment", "cut"):
            pipeline_of(getattr(member, part), f"members[{i}].{part}")
        find(member.model).check(_mutable(member.config))


def _mutable(config: Mapping[str, Any]) -> dict[str, Any]:
    return dict(config)
