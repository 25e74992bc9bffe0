"""Which pictures are compared: of folders, by name; of releases, by what the records say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scene_pictures import make_ground

import earthloom
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.images import encode_png
from earthloom.core.records import Reason
from earthloom.evaluate.scenes import SceneSettings, evaluate_scenes, parse_settings
from earthloom.evaluate.scenes.pictures import Weather, decode, gather
from earthloom.recipes import parse_recipe
from earthloom.run.build import build
from earthloom.store.shown import Shown

RECIPE = """\
name: weather
sources:
  - {kind: atlas, name: here, scenes: 4, size: 512, gsd_m: 30, seed: 3}
tile: {size: 128}
synthesize:
  - {effect: fog, count: 12}
  - {effect: cloud, count: 24, severity: [light, moderate]}
  - {effect: low_light, count: 8}
export: {shard_pairs: 40}
"""


def write(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(make_ground(number, 48)))


def gather_folders(base: Path, **others: object) -> tuple[Weather, ...]:
    return gather(SceneSettings.model_validate({"synthetic": {"fog": "fog"}, **others}), base)


def test_pictures_are_paired_by_path_and_name_without_ending(tmp_path: Path) -> None:
    write(tmp_path / "fog", "a/1.png", "b/1.png", "c.png")
    write(tmp_path / "clear", "a/1.png", "b/2.png", "c.jpg.png", "d.png")
    (tmp_path / "clear" / "b" / "1.tif").write_bytes(encode_png(make_ground(9, 48)))
    (weather,) = gather_folders(tmp_path, clear="clear")
    pairs = {v.after.key: None if v.before is None else v.before.key for v in weather.variants}
    assert pairs == {"a/1.png": "a/1.png", "b/1.png": "b/1.tif", "c.png": None}
    assert weather.n_paired == 2
    assert {shown.key for shown in weather.clear} == {"a/1.png", "b/1.tif"}
    assert not weather.clear_is_real


def test_two_originals_of_one_name_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "fog", "1.png")
    write(tmp_path / "clear", "1.png", "1.tif")
    with pytest.raises(UsageError, match=r"two clear pictures are called '1'"):
        gather_folders(tmp_path, clear="clear")


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"clear": "nowhere"}, "there is no folder"),
        ({"real": {"fog": "nowhere"}}, "there is no folder"),
        ({"real_clear": "empty"}, "holds no picture"),
        (
            {"real": {"snow": "fog"}},
            "real pictures were given for snow, but there are synthetic ones only of fog",
        ),
    ],
)
def test_wrong_folders_are_told(tmp_path: Path, others: dict[str, object], said: str) -> None:
    write(tmp_path / "fog", "1.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=said):
        gather_folders(tmp_path, **others)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"synthetic": ["fog"]}, r"--synthetic wants EFFECT=FOLDER, such as fog=pictures/fog, got 'fog'"),
        ({"real": ["=x"], "release": "w"}, "--real wants EFFECT=FOLDER"),
        ({"synthetic": ["fog=a", "fog=b"]}, "one folder for fog"),
        ({}, "wants either a release or --synthetic"),
        ({"release": "w", "synthetic": ["fog=a"]}, "wants either a release or --synthetic"),
        ({"release": "w", "clear": "c"}, "leave --clear out"),
        ({"release": "w", "encoder": "vgg"}, "--encoder: .*'classical', 'dinov2' or 'inception'.*got 'vgg'"),
        ({"release": "w", "encoder": "dinov2"}, "dinov2 wants its weights"),
        ({"release": "w", "weights": "x"}, "the classical encoder has no weights"),
        ({"release": "w", "limit": 0}, "--limit: .*got 0"),
    ],
)
def test_wrong_settings_are_told(told: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_settings(**{"synthetic": [], "real": [], **told})  # type: ignore[arg-type]


def test_what_cannot_be_compared_is_refused_with_its_reason(tmp_path: Path) -> None:
    def refuse(data: bytes | None) -> Reason:
        path = tmp_path / "x.png"
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(RecordError) as caught:
            decode(Shown(key="x", base_key="x", group="x", path=path))
        return caught.value.reason

    assert refuse(None) is Reason.MISSING
    assert refuse(b"") is Reason.EMPTY
    assert refuse(encode_png(np.full((64, 64, 3), 90, np.uint8))) is Reason.FLAT
    assert refuse(encode_png(make_ground(0, 40)[:20])) is Reason.TOO_SMALL


def test_linear_values_are_shown_as_light(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    stored = cv2.resize(np.arange(256, dtype=np.uint8).reshape(16, 16), (64, 64))
    path.write_bytes(encode_png(np.repeat(stored[:, :, None], 3, axis=2)))
    found = decode(Shown(key="x", base_key="x", group="x", path=path, is_linear=True))
    light = stored / 255
    wanted = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(found[:, :, 1] - wanted).max() <= 0.51


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("work")
    summary = build(parse_recipe(RECIPE, base=work), work, workers=0)
    assert isinstance(summary, earthloom.Summary)
    return work


def test_a_release_pairs_its_variants_with_what_they_were_made_of(release: Path) -> None:
    found = {weather.effect: weather for weather in gather(SceneSettings(release=str(release)), Path())}
    assert set(found) == {"fog", "cloud", "low_light"}
    for weather in found.values():
        assert weather.n_paired == len(weather.variants)
        for variant in weather.variants:
            assert variant.before is not None
            assert variant.before.effect is None
            assert variant.before.key == variant.after.base_key != variant.after.key
            assert variant.group == variant.before.group
            assert variant.severity in {"light", "moderate", "heavy"}
            assert "measured" in variant.record
    assert len(found["fog"].variants) == 12
    again = gather(SceneSettings(release=str(release / "release")), Path())
    assert [[v.after.key for v in w.variants] for w in again] == [
        [v.after.key for v in found[name].variants] for name in sorted(found)
    ]


def test_what_is_on_record_is_found_again_in_the_pictures(release: Path, tmp_path: Path) -> None:
    report = evaluate_scenes(SceneSettings(release=str(release)), tmp_path / "out")
    gates = {effect.effect: {gate.name: gate for gate in effect.gates} for effect in report.effects}
    assert gates["fog"]["transmission"].passed is True
    assert gates["cloud"]["shadow_offset"].passed is True
    assert gates["cloud"]["shadow_offset"].n >= 8
    assert gates["low_light"]["before_noise"].passed is True
    fog = next(effect for effect in report.effects if effect.effect == "fog")
    assert sum(fog.severities.values()) == 12
    assert set(fog.structure) == {"all", *fog.severities}


def test_a_release_without_effects_says_what_to_do(tmp_path: Path) -> None:
    text = RECIPE.partition("synthesize:")[0].replace("scenes: 4", "scenes: 1")
    build(parse_recipe(text, base=tmp_path), tmp_path / "work", workers=0)
    with pytest.raises(UsageError, match="add `synthesize` to its recipe"):
        gather(SceneSettings(release=str(tmp_path / "work")), Path())
