"""What a picture was asked to show, from what its generator was told and from the pair whose caption it had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from earthloom.core.records import Effect
from earthloom.evaluate.attributes.traits import (
    Traits,
    count_octaves,
    find_asked,
    match_names,
    read_traits,
    spell_plainly,
)
from earthloom.evaluate.sets import Entry
from earthloom.store.shown import Shown

FOG = Effect(name="fog", severity="heavy", is_visible=True, params="{}", seed=1)


def make_pair(**told: Any) -> Entry:
    shown = Shown(key="pair", base_key="pair", group="ground", path=Path("x.tar"), effect=FOG)
    facts = {"width": 256, "height": 512}
    known = {"label": "forest", "scene": "fog", "modality": "rgb", "gsd_m": 10.0}
    return Entry(shown=shown, facts=facts, **{**known, **told})


def make_drawn(**told: Any) -> Entry:
    shown = Shown(key="a.png", base_key="a.png", group="a.png", path=Path("a.png"))
    facts = {"width": 64, "height": 64}
    return Entry(shown=shown, facts=facts, prompt_key="pair", is_generated=True, **told)


def test_what_the_generator_was_not_told_stands_in_the_pair() -> None:
    asked = find_asked(make_drawn(), {"pair": make_pair()}, 64)
    assert asked == Traits(label="forest", scene="fog", severity="heavy fog", modality="rgb", gsd_m=40.0)


def test_what_the_generator_was_told_goes_first() -> None:
    drawn = make_drawn(label="river", scene="snow", modality="nir", gsd_m=2.0)
    asked = find_asked(drawn, {"pair": make_pair()}, 64)
    assert asked == Traits(label="river", scene="snow", severity=None, modality="nir", gsd_m=2.0)


def test_a_distance_told_as_the_record_has_it_is_one_of_the_record_s_pixels() -> None:
    """The picture shows 256 pixels of 10 m as 64: of 40 m each."""
    assert find_asked(make_drawn(gsd_m=10.0), {"pair": make_pair()}, 64).gsd_m == 40.0
    assert find_asked(make_drawn(gsd_m=40.0), {"pair": make_pair()}, 64).gsd_m == 40.0
    assert find_asked(make_drawn(gsd_m=10.0), {"pair": make_pair()}).gsd_m == 10.0


def test_without_a_pair_what_was_told_is_all_there_is() -> None:
    assert find_asked(make_drawn(label="river"), {}, 64) == Traits(label="river")
    assert find_asked(replace(make_drawn(), prompt_key=None), {"pair": make_pair()}) == Traits()


def test_smaller_pictures_are_no_nearer() -> None:
    assert read_traits(make_pair(), 1024).gsd_m == 10.0
    assert read_traits(make_pair(), 128).gsd_m == 20.0
    assert read_traits(make_pair(gsd_m=None), 128).gsd_m is None


def test_names_match_however_they_are_spelt() -> None:
    assert match_names(["SeaLake", "sea_lake", None, "lava"], ["Sea Lake"]) == [
        "Sea Lake",
        "Sea Lake",
        None,
        None,
    ]
    assert spell_plainly("Land-Use 1") == "landuse1"


def test_octaves() -> None:
    assert count_octaves(8.0) == 3
    assert count_octaves(0.5) == -1
    assert all(np.isnan(count_octaves(gsd)) for gsd in (None, 0.0, -1.0))
    assert count_octaves(10.0) == pytest.approx(3.3219, abs=1e-4)
