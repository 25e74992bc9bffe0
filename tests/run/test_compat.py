"""MMM-RS's rules give MMM-RS's counts, from the sizes of its nine sources alone."""

from __future__ import annotations

import pytest

from earthloom.core.records import Band, Modality, Quantity, Scene
from earthloom.ingest import KINDS
from earthloom.recipes.load import parse_recipe
from earthloom.run.compat import RULES
from earthloom.run.recipe import Recipe
from earthloom.tile import TileSettings, count_windows
from earthloom.tile.planning import plan_scene
from earthloom.tile.windows import Window

PUBLISHED = [
    ("inria", (5000, 5000), 8),
    ("gid", (7200, 6800), 210),
    ("whu_opt_sar", (5556, 3704), 70),
    ("fmow", (1900, 700), 3),
    ("fmow", (513, 513), 3),
    ("fmow", (512, 2000), 1),
    ("fmow", (80, 60), 1),
    ("hrsc2016", (1166, 753), 1),
    ("hrsc2016", (300, 300), 1),
    ("hrrsd", (10569, 10569), 1),
    ("hrrsd", (152, 152), 1),
    ("sen1_2", (256, 256), 1),
    ("mrssc2", (256, 256), 1),
    ("nasc_tg2", (128, 128), 1),
]
"""Kind, size of an image, images that MMM-RS makes of it: its scripts, and 359 x 8 = 2,872 of Inria, 150 x 210 =
31,500 of GID, 100 x 70 = 7,000 of WHU-OPT-SAR."""


def make_scene(width: int, height: int) -> Scene:
    return Scene(
        id="s",
        item_id="i",
        source="s",
        source_key="k",
        dataset="d",
        modality=Modality.RGB,
        quantity=Quantity.DISPLAY,
        bands=(Band(uri="a.tif", index=1),) * 3,
        width=width,
        height=height,
        dtype="uint8",
        gsd_x_m=0.3,
        gsd_y_m=0.3,
        group="g",
        pair_key="p",
    )


def compat_settings(kind: str) -> TileSettings:
    return RULES[kind].apply(
        TileSettings(gsd_m=(1.0, 10.0), fit="whole", edges="pad", small="drop", min_side=400)
    )


def windows(scene: Scene, settings: TileSettings) -> list[Window]:
    plan = plan_scene(scene, settings)
    return [unit for i in range(plan.n) if isinstance(unit := plan.unit(i), Window)]


@pytest.mark.parametrize(("kind", "size", "count"), PUBLISHED)
def test_counts_are_those_of_mmm_rs(kind: str, size: tuple[int, int], count: int) -> None:
    scene = make_scene(*size)
    assert count_windows(scene, compat_settings(kind)) == count
    assert len(windows(scene, compat_settings(kind))) == count


def test_rules_are_for_the_nine_that_mmm_rs_uses() -> None:
    assert set(RULES) == {kind for kind, _, _ in PUBLISHED}
    assert len(RULES) == 9
    assert set(RULES) <= set(KINDS)


def test_inria_has_four_distances_about_one_centre() -> None:
    """Inria.py: 4096, 2048 and 1024 about the centre, four quadrants of the 1024, its centre 512."""
    found = [
        (w.crop.col, w.crop.row, w.crop.width, w.step_x)
        for w in windows(make_scene(5000, 5000), compat_settings("inria"))
    ]
    assert sorted(found) == sorted(
        [(452, 452, 4096, 8), (1476, 1476, 2048, 4), (1988, 1988, 1024, 2), (2244, 2244, 512, 1)]
        + [(col, row, 512, 1) for col in (1988, 2500) for row in (1988, 2500)]
    )


def test_fmow_takes_the_centre_and_two_corners() -> None:
    found = {(w.crop.col, w.crop.row) for w in windows(make_scene(1900, 700), compat_settings("fmow"))}
    assert found == {(694.0, 94.0), (0.0, 188.0), (1388.0, 0.0)}


def test_whu_drops_what_is_left_over_and_gid_does_not() -> None:
    whu = windows(make_scene(5556, 3704), compat_settings("whu_opt_sar"))
    assert max(w.crop.col + w.crop.width for w in whu) == 5120
    gid = windows(make_scene(7200, 6800), compat_settings("gid"))
    assert max(w.crop.col + w.crop.width for w in gid) == 7200
    assert max(w.crop.row + w.crop.height for w in gid) == 6800


RECIPE = """\
name: x
mode: {mode}
sources: [{{kind: sen1_2, path: '.'}}, {{kind: atlas, scenes: 1}}]
"""


def test_compat_writes_one_prompt_unless_the_recipe_says_otherwise(tmp_path) -> None:  # type: ignore[no-untyped-def]
    faithful, compat = (
        parse_recipe(RECIPE.format(mode=mode), base=tmp_path) for mode in ("faithful", "compat")
    )
    assert faithful.caption_settings() == faithful.caption
    assert (compat.caption_settings().styles, compat.caption_settings().per_image) == (("mmm_rs",), 0)
    told = parse_recipe(RECIPE.format(mode="compat") + "caption: {per_image: 2}\n", base=tmp_path)
    assert told.caption_settings().per_image == 2


def test_other_sources_are_cut_as_they_are_set(tmp_path) -> None:  # type: ignore[no-untyped-def]
    recipe = parse_recipe(RECIPE.format(mode="compat") + "tile: {edges: pad}\n", base=tmp_path)
    chip, atlas = recipe.named_sources()
    assert recipe.tile_settings(chip).fit == "whole"
    assert recipe.tile_settings(atlas) == recipe.tile


def test_a_source_may_still_say_what_it_wants() -> None:
    recipe = Recipe.model_validate(
        {
            "name": "x",
            "mode": "compat",
            "sources": [{"kind": "sen1_2", "path": ".", "tile": {"fit": "windows"}}],
        }
    )
    assert recipe.tile_settings(recipe.named_sources()[0]).fit == "windows"


def test_compat_is_512_pixels() -> None:
    with pytest.raises(ValueError, match="compat makes tiles of 512"):
        Recipe.model_validate(
            {"name": "x", "mode": "compat", "sources": [{"kind": "atlas"}], "tile": {"size": 256}}
        )
