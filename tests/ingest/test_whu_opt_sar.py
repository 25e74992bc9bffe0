"""WHU-OPT-SAR: band order, missing pixels, sheet numbers, the division, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_contents import origins_of, read_dataset, select
from fakes import whu_opt_sar as fake
from hypothesis import given
from hypothesis import strategies as st

import earthloom
from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Reason
from earthloom.ingest.datasets.whu_opt_sar import locate_sheet, parse_division
from earthloom.recipes import parse_recipe
from earthloom.run.compat import RULES
from earthloom.tile import TileSettings, check_classes, count_windows
from earthloom.tile.pixels import ScenePixels


@pytest.mark.parametrize("variant", fake.VARIANTS)
def test_sheets_are_what_was_written(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant, cell=4)
    found = read_dataset("whu_opt_sar", tmp_path)
    assert not found.refused
    assert set(found.scenes) == set(truth.sheets)
    for key, true in truth.sheets.items():
        rgb, nir, sar = found.scenes[key]
        pixels = {scene.modality: ScenePixels(scene).read((0, 0, 48, 32)) for scene in (rgb, nir, sar)}
        values, valid = pixels[Modality.RGB]
        np.testing.assert_array_equal(values[::4, ::4], true.optical[:, :, [2, 1, 0]])
        shown = np.ones((32, 48), bool) if valid is None else valid  # None where nothing is missing
        np.testing.assert_array_equal(shown[::4, ::4], true.optical.any(axis=2))
        assert pixels[Modality.NIR][1] is None
        np.testing.assert_array_equal(pixels[Modality.NIR][0][::4, ::4, 0], true.optical[:, :, 3])
        np.testing.assert_array_equal(pixels[Modality.SAR][0][::4, ::4, 0], true.sar)
        assert (rgb.platform, nir.platform, sar.platform) == ("Gaofen-1", "Gaofen-1", "Gaofen-3")
        for scene in (rgb, nir, sar):
            assert (scene.gsd_x_m, scene.country, scene.published_split) == (5.0, "CN", true.split)
            assert scene.group == f"WHU-OPT-SAR:{key.rpartition('/')[2]}"
            assert scene.mask is not None
            assert "intro" not in Path(scene.mask.band.uri).relative_to(tmp_path).parts
            check_classes(scene)
        assert len({scene.pair_key for scene in (rgb, nir, sar)}) == 1
    told = read_dataset("whu_opt_sar", tmp_path, optical_order="rgbn").scenes[key][0]
    assert [band.index for band in told.bands] == [1, 2, 3]
    assert origins_of(told)["modality"] == "recipe"


def test_a_sheet_number_is_a_place() -> None:
    # The sheet NH49 of the world's 1:1,000,000 map spans 108 to 114 E and 28 to 32 N; its north-west corner is row 1.
    first = locate_sheet("NH49E001001")
    assert [first.lon, first.lat] == pytest.approx([108.125, 32 - 1 / 12])
    last = locate_sheet("NH49E024024")
    assert [last.lon, last.lat] == pytest.approx([113.875, 28 + 1 / 12])
    for name in ("NH49E000001", "NH49E025001", "scene1"):
        assert locate_sheet(name).lon is None


@given(st.sampled_from(["\n", "\r\n", ", ", " "]), st.sampled_from(["", ".tif"]), st.booleans())
def test_a_division_is_read_however_it_is_written(between: str, suffix: str, is_upper: bool) -> None:
    names = {"train": fake.STEMS[:2], "test": fake.STEMS[2:]}
    text = "\n".join(
        f"{(word.upper() if is_upper else word)} set:{between}{between.join(n + suffix for n in stems)}"
        for word, stems in names.items()
    )
    assert parse_division(text) == {stem: word for word, stems in names.items() for stem in stems}
    assert fake.STEMS[0] not in parse_division(f"{text}\n{fake.STEMS[0]}"), "in two parts"


@given(st.text())
def test_any_text_is_a_division(text: str) -> None:
    assert set(parse_division(text).values()) <= {"train", "val", "test"}


DAMAGED = {
    "radar missing": ({f"sar/{fake.STEMS[0]}.tif": Reason.MISSING}, 3),
    "optical cut short": ({fake.STEMS[0]: Reason.UNREADABLE}, 2),
    "class not in the table": ({}, 3),
}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    fake.write(tmp_path, cell=4)
    fake.DAMAGES[name](tmp_path)
    found = read_dataset("whu_opt_sar", tmp_path)
    assert (found.refused, len(found.scenes)) == DAMAGED[name]
    if name == "class not in the table":
        with pytest.raises(RecordError) as error:
            check_classes(found.scenes[fake.STEMS[0]][0])
        assert error.value.reason is Reason.UNKNOWN_CLASS


def test_a_true_sheet_gives_seventy_tiles_in_compat(tmp_path: Path) -> None:
    fake.write(tmp_path, n=1)
    assert all(path.stat().st_size < 2**20 for path in tmp_path.rglob("*.tif"))
    (scenes,) = read_dataset("whu_opt_sar", tmp_path).scenes.values()
    assert [(scene.width, scene.height) for scene in scenes] == [(5556, 3704)] * 3
    rules = RULES["whu_opt_sar"].apply(TileSettings())
    assert [count_windows(scene, rules) for scene in scenes] == [70, 70, 70]


def test_a_run_gives_the_shares_of_the_land_cover(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data", cell=32, n=1)
    recipe = parse_recipe(
        "name: made\nsources: [{kind: whu_opt_sar, path: data}]\ntile: {size: 128, gsd_m: [native]}\n",
        base=tmp_path,
    )
    assert earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0).n_out == 3 * 3 * 2
    names = dict(
        zip(
            range(10, 80, 10),
            ["farmland", "city", "village", "water", "forest", "road", "others"],
            strict=True,
        )
    )
    for key, crop, labels in select(tmp_path / "work", "source_key, crop, labels"):
        row, col = int(crop["row"]) // 32, int(crop["col"]) // 32
        values, counts = np.unique(
            truth.sheets[key].classes[row : row + 4, col : col + 4], return_counts=True
        )
        wanted = {names[v]: pytest.approx(n / 16, abs=1e-6) for v, n in zip(values, counts, strict=True)}
        assert {label["name"]: label["share"] for label in labels} == wanted
