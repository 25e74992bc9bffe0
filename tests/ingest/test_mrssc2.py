"""MRSSC2.0: modes and classes from folders, what is refused because nothing here describes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_contents import Contents, origins_of, read_dataset, select
from fakes import mrssc2 as fake
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import earthloom
from earthloom.core.errors import UsageError
from earthloom.core.records import Modality, Quantity, Reason, Scene
from earthloom.ingest.datasets import mrssc2
from earthloom.recipes import parse_recipe


def contents(folder: Path, **settings: object) -> Contents:
    return read_dataset("mrssc2", folder, **settings)


def check(scene: Scene, true: fake.Picture, modality: Modality, sensor: str) -> None:
    assert scene.modality is modality
    assert [band.index for band in scene.bands] == ([1] if modality is not Modality.RGB else [1, 2, 3])
    assert (scene.width, scene.height, scene.quantity) == (256, 256, Quantity.DISPLAY)
    assert [(label.name, label.kind, label.origin) for label in scene.labels] == [
        (true.name, "class", "file name")
    ]
    assert (scene.platform, scene.sensor, scene.polarisation) == ("Tiangong-2", sensor, None)
    assert (scene.gsd_x_m, scene.gsd_y_m, scene.acquired, scene.published_split) == (100.0, 100.0, None, None)
    assert origins_of(scene)["gsd_x_m"] == "dataset documentation"


@pytest.mark.parametrize("variant", ["modes", "zip", "tar"])
def test_visible_and_radar_pictures_are_read_and_infrared_ones_refused(tmp_path: Path, variant: str) -> None:
    truth = fake.write(tmp_path, variant)
    found = contents(tmp_path)
    scenes = found.alone()
    assert set(scenes) == set(truth.of("VIS", "SAR"))
    for key, true in truth.of("VIS").items():
        check(scenes[key], true, Modality.RGB, "WIS")
    for key, true in truth.of("SAR").items():
        check(scenes[key], true, Modality.SAR, "InIRA")
    assert found.refused == dict.fromkeys(truth.of("SWI", "INF"), Reason.UNSUPPORTED_PIXELS)
    assert {found.details[key] for key in truth.of("INF")} == {
        "thermal infrared is neither RGB nor near infrared; set modes to {inf: nir} to take it as such"
    }
    assert (
        len({scene.group for scene in scenes.values()})
        == len({s.pair_key for s in scenes.values()})
        == len(scenes)
    )


def test_the_user_can_say_what_infrared_is_taken_as(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    found = contents(tmp_path, modes={"swi": "nir", "inf": "rgb"})
    assert not found.refused
    scenes = found.alone()
    for key, true in truth.of("SWI").items():
        check(scenes[key], true, Modality.NIR, "WIS short-wave infrared")
        assert origins_of(scenes[key])["modality"] == "recipe"
    for key in truth.of("INF"):
        assert scenes[key].modality is Modality.RGB
        assert [band.index for band in scenes[key].bands] == [1, 1, 1]
        assert scenes[key].sensor == "WIS thermal infrared"
    for wrong in ({"vis": "nir"}, {"swi": "sar"}):
        with pytest.raises(ValidationError):
            contents(tmp_path, modes=wrong)


def test_without_a_mode_folder_the_recipe_says_the_mode(tmp_path: Path) -> None:
    truth = fake.write(tmp_path, "visible")
    unknown = contents(tmp_path)
    assert unknown.refused == dict.fromkeys((p.key for p in truth.pictures), Reason.UNSUPPORTED_PIXELS)
    assert "set mode" in next(iter(unknown.details.values()))
    scenes = contents(tmp_path, mode="vis").alone()
    for true in truth.pictures:
        check(scenes[true.key], true, Modality.RGB, "WIS")
        assert origins_of(scenes[true.key])["modality"] == "recipe"
    radar = contents(tmp_path, mode="sar").alone()
    assert {scene.modality for scene in radar.values()} == {Modality.SAR}


def test_the_folder_of_one_mode_can_be_the_source(tmp_path: Path) -> None:
    truth = fake.write(tmp_path)
    scenes = contents(tmp_path / "SAR", mode="vis").alone()
    assert {f"SAR/{key}": scene.modality for key, scene in scenes.items()} == dict.fromkeys(
        truth.of("SAR"), Modality.SAR
    )
    with pytest.raises(UsageError, match="Give the folder above"):
        contents(tmp_path / "SAR/city")


def test_a_picture_right_below_a_mode_has_no_class(tmp_path: Path) -> None:
    fake.write(tmp_path, n=1)
    (tmp_path / "VIS/city/0001.png").rename(tmp_path / "VIS/0001.png")
    scene = contents(tmp_path).alone()["VIS/0001.png"]
    assert (scene.modality, scene.labels) == (Modality.RGB, ())


@pytest.mark.parametrize("name", list(fake.DAMAGES))
def test_damage_costs_no_more_than_it_hit(tmp_path: Path, name: str) -> None:
    truth = fake.write(tmp_path)
    fake.DAMAGES[name](tmp_path)
    found = contents(tmp_path, modes={"swi": "nir", "inf": "nir"})
    refused, lost = {
        "picture cut short": ({"SAR/city/0001.png": Reason.UNREADABLE}, {"SAR/city/0001.png"}),
        "half unpacked": ({"VIS.rar": Reason.UNREADABLE}, set(truth.of("VIS"))),
        "mode folder renamed": (
            {key.replace("INF", "new folder"): Reason.UNSUPPORTED_PIXELS for key in truth.of("INF")},
            set(truth.of("INF")),
        ),
    }[name]
    assert found.refused == refused
    assert set(found.scenes) == {picture.key for picture in truth.pictures} - lost


WORDS = st.sampled_from(["city", "Farm_Land", "data", "x", "train", "visible"])


@given(st.lists(WORDS, min_size=1, max_size=4), st.data())
def test_the_nearest_mode_counts_and_is_no_class(folders: list[str], data: st.DataObject) -> None:
    settings = mrssc2.Mrssc2Settings(kind="mrssc2", path="p")
    assert mrssc2.find_mode(settings, "/".join([*folders, "1.png"])) is None
    place = data.draw(st.integers(0, len(folders)))
    mode = data.draw(st.sampled_from(list(fake.MODES)))
    spelt = data.draw(st.sampled_from([mode, mode.lower(), f"{mode}_train", f"{mode.lower()}.zip"]))
    key = "/".join(["SAR.tar", *folders[:place], spelt, *folders[place:], "1.png"])
    found = mrssc2.find_mode(settings, key)
    assert found is not None
    assert found[0] == mode.lower()
    name = mrssc2.find_class(key)
    assert name is None or not {"vis", "swi", "inf", "sar"} & set(name.split())


def test_a_run_gives_a_tile_a_picture(tmp_path: Path) -> None:
    truth = fake.write(tmp_path / "data")
    recipe = parse_recipe(
        "name: made\nsources: [{kind: mrssc2, path: data, modes: {swi: nir}}]\ntile: {size: 256}\n",
        base=tmp_path,
    )
    summary = earthloom.build(recipe, tmp_path / "work", base=tmp_path, workers=0)
    assert summary.n_out == len(truth.of("VIS", "SWI", "SAR"))
    rows = select(tmp_path / "work", "source_key, modality, gsd_m, platform, labels, class_mask")
    modalities = {"VIS": "rgb", "SWI": "nir", "SAR": "sar"}
    for key, modality, gsd_m, platform, labels, mask in rows:
        true = truth.of("VIS", "SWI", "SAR")[key]
        assert (modality, gsd_m, platform, mask) == (modalities[true.mode], 100.0, "Tiangong-2", None)
        assert [label["name"] for label in labels] == [true.name]
