"""NaSC-TG2: ten classes however they are spelt, pictures and 14-band files as pairs, members of the archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from dataset_contents import Contents, origins_of, read_dataset, select
from fakes import nasc_tg2 as fake
from fakes.fields import write_tiff
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import earthloom
from earthloom.core.errors import UsageError
from earthloom.core.records import Modality, Quantity, Reason, Scene
from earthloom.ingest.datasets import nasc_tg2
from earthloom.recipes import parse_recipe
from earthloom.tile.pixels import ScenePixels

RGB_BANDS = [fake.RED, fake.GREEN, fake.BLUE]


def contents(folder: Path, **settings: object) -> Contents:
    return read_dataset("nasc_tg2", folder, **settings)


def check(scene: Scene, true: fake.Scene, modality: Modality) -> None:
    assert scene.modality is modality
    assert (scene.width, scene.height) == (128, 128)
    assert [(label.name, label.kind, label.origin) for label in scene.labels] == [
        (true.name, "class", "file name")
    ]
    assert (scene.platform, scene.sensor) == ("Tiangong-2", "WIS")
    assert (scene.gsd_x_m, scene.gsd_y_m, scene.acquired, scene.lon) == (100.0, 100.0, None, None)
    assert origins_of(scene)["gsd_x_m"] == "dataset documentation"


@pytest.mark.parametrize("variant", ["pairs", "rgb", "zip"])
def test_pictures_have_their_class_however_it_is_spelt(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant, n=2)
    found = contents(tmp_path)
    assert not found.refused
    above = {"pairs": "NaSC_TG2_*/", "rgb": "", "zip": "NASC_TG2.zip/NaSC_TG2_*/"}[variant]
    scenes = found.alone()
    assert set(scenes) == {f"{above}{true.folder}/{true.stem}" for true in truth.scenes}
    for true in truth.scenes:
        scene = scenes[f"{above}{true.folder}/{true.stem}"]
        check(scene, true, Modality.RGB)
        assert (scene.quantity, [band.index for band in scene.bands]) == (Quantity.DISPLAY, [1, 2, 3])
        assert (scene.bands[0].within is not None) == (variant == "zip")
        assert scene.bands[0].uri.endswith(".zip" if variant == "zip" else f"{true.stem}.jpg")
    assert len({scene.group for scene in scenes.values()}) == len(truth.scenes)


def test_the_archive_itself_can_be_the_source(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "zip")
    scenes = contents(tmp_path / "NASC_TG2.zip").alone()
    assert set(scenes) == {f"NaSC_TG2_*/{true.folder}/{true.stem}" for true in truth.scenes}


def test_pictures_and_bands_pair_up(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    found = contents(tmp_path, nir_band=fake.NIR, rgb_bands=RGB_BANDS)
    assert not found.refused
    for true in truth.scenes:
        rgb, nir = found.scenes[f"NaSC_TG2_*/{true.folder}/{true.stem}"]
        check(rgb, true, Modality.RGB)
        check(nir, true, Modality.NIR)
        assert rgb.bands[0].uri.endswith(".jpg"), (
            "the publisher's picture goes before bands chosen by the user"
        )
        assert (rgb.pair_key, rgb.group) == (nir.pair_key, nir.group)
        assert (nir.quantity, nir.dtype, origins_of(nir)["modality"]) == (Quantity.COUNTS, "uint16", "recipe")
        values, _ = ScenePixels(nir).read((0, 0, 128, 128))
        np.testing.assert_array_equal(values, true.bands[:, :, fake.NIR - 1 : fake.NIR])


def test_bands_alone_need_to_be_told(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "bands")
    keys = {f"NaSC_TG2_*/{true.folder}/{true.stem}": true for true in truth.scenes}
    unknown = contents(tmp_path)
    assert unknown.refused == dict.fromkeys(keys, Reason.UNSUPPORTED_PIXELS)
    assert "set rgb_bands or nir_band" in next(iter(unknown.details.values()))
    found = contents(tmp_path, rgb_bands=RGB_BANDS)
    for key, true in keys.items():
        (scene,) = found.scenes[key]
        check(scene, true, Modality.RGB)
        values, _ = ScenePixels(scene).read((0, 0, 128, 128))
        np.testing.assert_array_equal(values, true.bands[:, :, [number - 1 for number in RGB_BANDS]])
    both = contents(tmp_path, rgb_bands=RGB_BANDS, nir_band=fake.NIR)
    assert all(
        [s.modality for s in scenes] == [Modality.RGB, Modality.NIR] for scenes in both.scenes.values()
    )
    only = contents(tmp_path, nir_band=fake.NIR)
    assert all([s.modality for s in scenes] == [Modality.NIR] for scenes in only.scenes.values())
    for wrong in ({"nir_band": 15}, {"nir_band": 0}, {"rgb_bands": [1, 2]}):
        with pytest.raises(ValidationError):
            contents(tmp_path, **wrong)


def test_bands_in_an_archive_are_refused_where_they_are_asked_for(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "zip")
    found = contents(tmp_path, nir_band=fake.NIR)
    assert set(found.refused.values()) == {Reason.UNREADABLE}
    assert len(found.refused) == len(truth.scenes)
    assert "unpack" in next(iter(found.details.values()))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((128, 128, 3), Reason.UNSUPPORTED_PIXELS),
        ((128, 128, 13), Reason.UNSUPPORTED_PIXELS),
        ((64, 128, 14), Reason.MISALIGNED),
    ],
)
def test_files_of_other_bands_or_sizes_are_refused(
    tmp_path: Path, shape: tuple[int, ...], reason: Reason
) -> None:
    fake.write(tmp_path)
    write_tiff(tmp_path / "NaSC_TG2_TIF/cloud/cloud_1.tif", np.full(shape, 900, np.uint16))
    assert contents(tmp_path, nir_band=1).refused == {"NaSC_TG2_*/cloud/cloud_1": reason}


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    truth = fake.write(tmp_path)
    fake.DAMAGES[name](tmp_path)
    found = contents(tmp_path)
    keys = {f"NaSC_TG2_*/{true.folder}/{true.stem}" for true in truth.scenes}
    refused = {
        "class not in the table": {"NaSC_TG2_*/sea_ice/river_1": Reason.UNKNOWN_CLASS},
        "picture cut short": {"NaSC_TG2_*/cloud/cloud_1": Reason.UNREADABLE},
        "unfinished download": {
            "NASC_TG2.zip.crdownload": Reason.UNREADABLE,
            **dict.fromkeys(keys, Reason.UNSUPPORTED_PIXELS),
        },
    }[name]
    assert found.refused == refused
    assert set(found.scenes) == keys - set(refused) - {"NaSC_TG2_*/river/river_1"} | (
        {"NaSC_TG2_*/river/river_1"} if name == "picture cut short" else set()
    )


def test_a_class_folder_is_no_source(tmp_path: Path) -> None:
    fake.write(tmp_path, "rgb")
    with pytest.raises(UsageError, match="Give the folder above"):
        contents(tmp_path / "cloud")


FOLDERS = st.lists(st.sampled_from(["data", "NaSC TG2", "train", "a.zip"]), max_size=3)
AROUND = st.sampled_from(["", "NaSC_TG2_", "x-", "14 "])
BEHIND = st.sampled_from(["", "_train", "-128"])


@given(
    FOLDERS,
    AROUND,
    BEHIND,
    st.sampled_from(["TIF", "TIFF", "MS", "tif", "ms"]),
    st.sampled_from(["jpg", "png"]),
)
def test_folders_that_differ_in_one_word_pair_up(
    above: list[str], before: str, behind: str, word: str, suffix: str
) -> None:
    settings = nasc_tg2.NascTg2Settings(kind="nasc_tg2", path="p")
    top = "".join(f"{folder}/" for folder in above)
    picture = f"{top}{before}RGB{behind}/beach/beach_1.{suffix}"
    raster = f"{top}{before}{word}{behind}/beach/beach_1.tif"
    places = [nasc_tg2.place(settings, key) for key in (picture, raster)]
    for place in places:
        assert place is not None
        assert place.item == f"{top}{before}*{behind}/beach/beach_1"
        assert picture in place.files["rgb"]
        assert raster in place.files["bands"]
    alone = nasc_tg2.place(settings, f"{top}beach/beach_1.jpg")
    assert alone is not None
    assert f"{top}beach/beach_1.tif" in alone.files["bands"]
    assert nasc_tg2.place(settings, "beach_1.jpg") is None


def test_a_run_gives_pairs_of_tiles(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data")
    recipe = parse_recipe(
        f"name: made\nsources: [{{kind: nasc_tg2, path: data, nir_band: {fake.NIR}}}]\ntile: {{size: 128}}\n",
        base=tmp_path,
    )
    summary = earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)
    assert summary.n_out == 2 * len(truth.scenes)
    rows = select(
        tmp_path / "work",
        "pair_id, list(modality order by modality), list(distinct labels[1].name), list(distinct gsd_m),"
        " list(distinct split)",
        "group by pair_id",
    )
    assert len(rows) == len(truth.scenes)
    assert all(row[1] == ["nir", "rgb"] and row[3] == [100.0] and len(row[4]) == 1 for row in rows)
    assert sorted(row[2] for row in rows) == sorted([true.name] for true in truth.scenes)


def test_a_run_reads_pictures_out_of_the_archive(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "zip")
    assert zipfile.is_zipfile(tmp_path / "NASC_TG2.zip")
    recipe = parse_recipe(
        "name: made\nsources: [{kind: nasc_tg2, path: NASC_TG2.zip}]\ntile: {size: 128}\n", base=tmp_path
    )
    assert earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0).n_out == len(truth.scenes)
