"""MMM-RS's JSON: prompts taken apart, pictures found whatever the field is called, modalities by folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from dataset_contents import read_dataset, select
from fakes import released_mmm_rs as fake
from fakes.released_pictures import encode
from hypothesis import given
from hypothesis import strategies as st

import earthloom
from earthloom.core.errors import UsageError
from earthloom.core.records import Modality, Reason
from earthloom.ingest.released.mmm_rs import parse_prompt
from earthloom.recipes import parse_recipe


@pytest.mark.parametrize("layout", ["list", "columns", "lines"])
@pytest.mark.parametrize(
    ("field", "prefix"), [("image", ""), ("target", "./"), ("xyz", "/home/luo/MMM-RS/weather/")]
)
def test_prompts_and_pictures_of_the_weather_archive(
    tmp_path: Path, layout: fake.Layout, field: str, prefix: str
) -> None:
    truths = fake.write_weather(tmp_path / "weather", layout, field, prefix)
    found = read_dataset("mmm_rs", tmp_path / "weather")
    assert found.refused == {}
    scenes = {scene.bands[0].uri: scene for scene in found.alone().values()}
    assert len(scenes) == len(truths)
    for truth in truths:
        scene = scenes[str(tmp_path / "weather" / truth.image)]
        assert [text.text for text in scene.texts] == [truth.prompt]
        assert (scene.platform, scene.modality, scene.cloud_share) == (truth.platform, Modality.RGB, 0.25)
        assert (scene.gsd_x_m, scene.licence) == (None, "CC BY-NC-SA")
        assert [(lab.name, lab.kind) for lab in scene.labels] == [
            ("farmland", "class"),
            (truth.weather, "weather"),
        ]


@pytest.mark.parametrize(
    ("prompt", "level", "weather", "platform"),
    [
        (fake.PROMPTS["fog"], "Ordinary precision resolution", "fog", "Sentinel-2"),
        (fake.PROMPTS["night"], "High precision resolution", "night", "Gaofen-2"),
        (fake.WHU_PROMPT, "Low precision resolution", None, "Gaofen-1"),
        ("Low precision resolution, a satellite image shows a city, Sentinel-1", "Low precision resolution", None,
         "Sentinel-1"),
        ("Ultra-low precision resolution, a mountain, elsewhere", "Ultra-low precision resolution", None, None),
        ("a photo of fog, Sentinel-2", None, None, None),
        ("", None, None, None),
    ],
)  # fmt: skip
def test_a_prompt_is_taken_apart(
    prompt: str, level: str | None, weather: str | None, platform: str | None
) -> None:
    parts = parse_prompt(prompt)
    assert (parts.level, parts.weather, parts.platform and parts.platform.name) == (level, weather, platform)


@given(st.text())
def test_any_text_is_a_prompt_or_none(text: str) -> None:
    parts = parse_prompt(text)
    assert parts.weather in {None, "fog", "night", "snow"}
    assert parts.level is not None or (parts.weather is None and parts.platform is None)


@pytest.mark.parametrize("images", [None, "whu.zip", "whu"])
def test_modalities_come_from_their_folders_and_are_pairs(tmp_path: Path, images: str | None) -> None:
    fake.write_whu(tmp_path / "whu")
    if images == "whu.zip":
        shutil.make_archive(str(tmp_path / "whu"), "zip", tmp_path, "whu")
        shutil.rmtree(tmp_path / "whu/WHU-OPT-SAR_dataset")
    scenes = read_dataset("mmm_rs", tmp_path / "whu", images=images).alone()
    assert [(key.split("/")[1], scene.modality.value, len(scene.bands)) for key, scene in scenes.items()] == [
        ("RGB_jpg", "rgb", 3),
        ("NIR_jpg", "nir", 1),
        ("sar_jpg", "sar", 1),
    ] * 2
    pairs = [scene.pair_key for scene in scenes.values()]
    assert len(set(pairs)) == 2
    assert len(set(pairs[:3])) == 1
    assert [scene.group for scene in scenes.values()] == pairs


def test_radar_by_the_satellite_of_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/a.png").write_bytes(encode(1))
    prompt = "Low precision resolution, a satellite image shows a city, Sentinel-1"
    (tmp_path / "m/x.json").write_text(json.dumps([{"image": "a.png", "text": prompt}]))
    (scene,) = read_dataset("mmm_rs", tmp_path / "m").alone().values()
    assert (scene.modality, scene.platform, scene.sensor) == (Modality.SAR, "Sentinel-1", "C-SAR")


def test_fields_of_any_name_and_resolution_only_where_the_recipe_says_so(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/a.png").write_bytes(encode(1))
    rows = [{"im": "a", "t": "a city", "spatial_resolution": 0.5}, {"im": "b", "t": "b"}, {"t": "c"}, 5]
    rows[0]["im"] = "a.png"  # type: ignore[index]
    (tmp_path / "m/x.json").write_text(json.dumps(rows))
    fields = {"image": "im", "caption": "t", "gsd_m": "spatial_resolution"}
    found = read_dataset("mmm_rs", tmp_path / "m", fields=fields)
    (scene,) = found.alone().values()
    assert (scene.gsd_x_m, scene.texts[0].text) == (0.5, "a city")
    assert found.refused == {
        "x.json#b": Reason.MISSING,
        "x.json#2": Reason.BAD_FACTS,
        "x.json#3": Reason.BAD_FACTS,
    }
    with pytest.raises(UsageError, match=r"fields: \{image"):
        (tmp_path / "m/x.json").write_text(json.dumps([{"im": 1, "t": "a"}]))
        read_dataset("mmm_rs", tmp_path / "m")


def test_the_weather_archive_through_a_build(tmp_path: Path) -> None:
    truths = fake.write_weather(tmp_path / "weather")
    fake.write_whu(tmp_path / "whu")
    text = """\
name: mmm-rs
sources: [{kind: mmm_rs, path: weather}, {kind: mmm_rs, path: whu}]
tile: {size: 64}
export: {formats: [parquet], report: false}
"""
    summary = earthloom.build(parse_recipe(text, base=tmp_path), tmp_path / "w", base=tmp_path, workers=0)
    assert summary.n_out == len(truths) + 6
    rows = select(tmp_path / "w", "captions, labels, source", "where source = 'weather'")
    prompts = sorted(c["text"] for captions, _, _ in rows for c in captions if c["style"] == "source")
    assert prompts == sorted(truth.prompt for truth in truths)
    weather = {label["name"] for _, labels, _ in rows for label in labels if label["kind"] == "weather"}
    assert weather == {"fog", "snow", "night"}
    pairs = select(
        tmp_path / "w", "pair_id, count(*), count(distinct split)", "where source = 'whu' group by 1"
    )
    assert [(n, splits) for _, n, splits in pairs] == [(3, 1), (3, 1)]
