"""What belongs together across sources: named by the recipe, else known to the source, else nothing."""

from __future__ import annotations

import pytest

from earthloom.ingest.config import GeotiffSettings
from earthloom.ingest.scenes import find_group

KEY = "train/a_2019.tif"


def find(
    name: str, group: str | None = None, pair: str | None = None, family: str | None = None, **settings: str
) -> tuple[str, str]:
    made = GeotiffSettings.model_validate({"kind": "geotiff", "path": ".", "name": name, **settings})
    return find_group(made, KEY, f"item of {name}", group, pair, family)


def test_an_item_of_which_nothing_is_known_stands_alone() -> None:
    assert find("one") == ("one:train/a_2019.tif", "item of one")
    assert find("one")[0] != find("two")[0]


def test_two_sources_of_one_family_share_what_they_know() -> None:
    """The 5 and the 15 classes of GID label the same images: a scene must not be in train here and in test there."""
    first, second = (find(name, "scene 7", "pair 7", "GID") for name in ("coarse", "fine"))
    assert first == second == ("GID:scene 7", "GID:pair 7")


def test_sources_without_a_family_share_nothing() -> None:
    assert find("one", "7")[0] != find("two", "7")[0]


def test_a_dataset_of_the_recipe_is_the_family() -> None:
    first, second = (
        find(name, "7", "8", family, dataset="mine") for name, family in (("one", "A"), ("two", "B"))
    )
    assert first == second == ("mine:7", "mine:8")


@pytest.mark.parametrize(
    ("rule", "wanted"), [(r"_(\d{4})", "GID:2019"), (r"(nothing)", "one:train/a_2019.tif")]
)
def test_the_group_of_the_recipe_goes_first(rule: str, wanted: str) -> None:
    made = GeotiffSettings(kind="geotiff", path=".", name="one", group=rule)
    assert find_group(made, KEY, "i", "scene 7", None, "GID")[0] == wanted
