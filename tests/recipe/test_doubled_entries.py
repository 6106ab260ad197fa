"""An entry that YAML has twice is refused, and one that is shared by an anchor is not."""

from __future__ import annotations

import pytest

from cardioflow.errors import ConfigError
from cardioflow.recipe import read_recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("cardioflow_recipe: 1\nname: a\nname: b\n", "line 3 has the entry 'name' again", id="on top"),
        pytest.param(
            "cardioflow_recipe: 1\nmembers:\n  - epochs: 3\n    name: a\n    epochs: 30\n",
            "line 5 has the entry 'epochs' again",
            id="of a member",
        ),
    ],
)
def test_an_entry_that_is_given_twice_is_refused_instead_of_taken_the_last_time(yaml_of, text, message):
    with pytest.raises(ConfigError) as caught:
        read_recipe(yaml_of(text))
    assert message in str(caught.value)


def test_members_may_share_entries_by_an_anchor(yaml_of):
    text = yaml_of().read_text()
    anchored = text.replace("members:\n- name: network", "members:\n- &base\n  name: network")
    assert anchored != text
    path = yaml_of(anchored + "- <<: *base\n  name: second\n  seed: 5\n")
    first, second = read_recipe(path).members
    assert (first.name, first.seed, second.name, second.seed) == ("network", 0, "second", 5)
    assert second.model == first.model
