"""The comparison as a whole: ours against weather that is made wrongly, what is written, what goes wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import simplejpeg

from earthloom.core.errors import UsageError
from earthloom.core.images import encode_jpeg
from earthloom.evaluate.scenes import SceneReport, SceneSettings, evaluate_scenes
from earthloom.evaluate.scenes.report import EffectReport


def compare(weather: Path, out: Path, effect: str, made: str, real_clear: str | None = None) -> EffectReport:
    settings = SceneSettings(
        synthetic={effect: made}, clear="clear", real={effect: f"real-{effect}"}, real_clear=real_clear
    )
    return evaluate_scenes(settings, out, base=weather).effects[0]


def find_passed(report: EffectReport) -> set[str]:
    return {gate.name for gate in report.gates if gate.passed}


def find_failed(report: EffectReport) -> set[str]:
    return {gate.name for gate in report.gates if gate.passed is False}


def take_score(report: EffectReport) -> float:
    assert report.headline is not None
    assert report.headline.score is not None, report.headline.reason
    return report.headline.score.value


@pytest.fixture(scope="module")
def ours(weather: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, EffectReport]:
    out = tmp_path_factory.mktemp("ours")
    return {effect: compare(weather, out / effect, effect, effect) for effect in ("fog", "snow")}


def test_ours_passes_its_gates(ours: dict[str, EffectReport]) -> None:
    assert find_passed(ours["fog"]) >= {"structure", "edges", "dark_channel", "trend"}
    assert find_passed(ours["snow"]) >= {"structure", "edges", "water", "streaks"}
    assert find_failed(ours["fog"]) == find_failed(ours["snow"]) == set()


def test_our_fog_lies_nearer_to_fog_of_another_make_than_clear_pictures(
    ours: dict[str, EffectReport],
) -> None:
    headline = ours["fog"].headline
    assert headline is not None
    assert headline.skill is not None
    assert headline.skill_low is not None
    assert headline.skill > 0.5
    assert headline.skill_low > 0.2
    assert headline.ceiling is not None
    assert headline.floor is not None
    assert abs(headline.floor.value) < 0.1 * headline.ceiling.value


@pytest.mark.parametrize(
    ("effect", "wrong", "fails", "structure_lost", "farther"),
    [
        ("snow", "street-snow", {"streaks", "water", "structure"}, 0.15, 3.0),
        ("fog", "depth-fog", {"trend"}, None, 3.0),
        ("fog", "shuffled-fog", {"structure", "edges"}, 0.2, None),
        ("snow", "shuffled-snow", {"structure", "edges"}, 0.3, None),
    ],
)
def test_wrong_weather_is_clearly_worse(
    ours: dict[str, EffectReport],
    weather: Path,
    tmp_path: Path,
    effect: str,
    wrong: str,
    fails: set[str],
    structure_lost: float | None,
    farther: float | None,
) -> None:
    """It fails gates that ours passes; its structure is lower by so much, or its KID to real weather a multiple.

    Fog by depth keeps the structure of the ground, and shuffled pictures look as real as those that they were: these
    figures cannot tell them.
    """
    found = compare(weather, tmp_path, effect, wrong)
    assert find_failed(found) >= fails
    assert fails <= find_passed(ours[effect])
    if structure_lost is not None:
        best, worse = (report.structure["all"]["structure"].median for report in (ours[effect], found))
        assert worse < best - structure_lost
    if farther is not None:
        assert take_score(found) > farther * max(take_score(ours[effect]), 0.1)


def run(weather: Path, out: Path, **changes: object) -> SceneReport:
    settings = SceneSettings.model_validate(
        {"synthetic": {"fog": "fog"}, "clear": "clear", "real": {"fog": "real-fog"}, "subsets": 20, **changes}
    )
    return evaluate_scenes(settings, out, base=weather)


EFFECT_KEYS = {
    "effect", "n", "n_paired", "n_real", "n_clear", "clear_is_real", "severities", "sides_px", "structure", "gates",
    "distances", "crossed", "told", "pictures",
}  # fmt: skip


def test_numbers_are_written_and_mean_the_same_next_time(weather: Path, tmp_path: Path) -> None:
    report = run(weather, tmp_path / "a")
    told = json.loads((tmp_path / "a" / "scenes.json").read_text())
    assert told == json.loads(json.dumps(report.to_json()))
    assert (told["format"], told["format_version"]) == ("earthloom-scenes", 1)
    assert set(told) == {"format", "format_version", "settings", "versions", "encoders", "effects", "refused"}
    (effect,) = told["effects"]
    assert set(effect) == EFFECT_KEYS
    assert (effect["n"], effect["n_paired"], effect["n_real"], effect["n_clear"]) == (24, 24, 24, 24)
    assert effect["sides_px"] == {"synthetic": 160, "real": 160, "clear": 160}
    kid, frechet = effect["distances"]
    assert (kid["name"], kid["encoder"], kid["subset_size"], kid["n_subsets"]) == (
        "kid",
        "classical@1",
        12,
        20,
    )
    assert kid["skill"] == pytest.approx(
        (kid["ceiling"]["value"] - kid["score"]["value"]) / (kid["ceiling"]["value"] - kid["floor"]["value"]),
        1e-4,
    )
    assert frechet["skill"] is None
    assert "wants more than 152" in frechet["reason"]
    assert set(effect["pictures"][0]) == {"key", "severity", "kept", "gates", "failed"}
    again = run(weather, tmp_path / "b")
    for name in ("scenes.json", "index.html"):
        assert (again.folder / name).read_bytes() == (report.folder / name).read_bytes()


def test_real_clear_pictures_take_the_place_of_the_originals(weather: Path, tmp_path: Path) -> None:
    effect = run(weather, tmp_path, real_clear="real-clear").effects[0]
    assert effect.clear_is_real
    assert effect.n_clear == 24
    assert effect.crossed[0].real_to_synthetic is not None
    assert effect.crossed[0].real_to_synthetic.balanced_accuracy > 0.7


def test_without_real_pictures_there_are_structure_and_gates_only(weather: Path, tmp_path: Path) -> None:
    report = run(weather, tmp_path, real={})
    (effect,) = report.effects
    assert effect.distances == effect.crossed == effect.told == ()
    assert effect.structure["all"]["structure"].n == 24
    assert "no real pictures given: structure and gates only" in report.to_text()


def test_without_originals_there_is_neither_structure_nor_ceiling(weather: Path, tmp_path: Path) -> None:
    (effect,) = run(weather, tmp_path, clear=None).effects
    assert (effect.n, effect.n_paired, effect.structure, effect.gates) == (24, 0, {}, ())
    assert effect.headline is not None
    assert effect.headline.score is not None
    assert effect.headline.floor is not None
    assert effect.headline.reason == "no clear pictures, and so no ceiling"
    assert effect.crossed[0].reason == "wants 20 clear original pictures of different ground, got 0"


def test_pictures_that_cannot_be_used_are_set_aside_and_counted(weather: Path, tmp_path: Path) -> None:
    for name in ("fog", "clear", "real-fog"):
        shutil.copytree(weather / name, tmp_path / name)
    (tmp_path / "fog" / "003.jpg").write_bytes((weather / "fog" / "003.jpg").read_bytes()[:900])
    (tmp_path / "clear" / "005.jpg").write_bytes(b"")
    (tmp_path / "real-fog" / "007.jpg").write_bytes(b"no picture at all")
    (tmp_path / "fog" / "009.jpg").write_bytes(cut(tmp_path / "fog" / "009.jpg", 100))
    (tmp_path / "fog" / "011.jpg").write_bytes(cut(tmp_path / "fog" / "011.jpg", 20))
    report = run(tmp_path, tmp_path / "out")
    (effect,) = report.effects
    reasons = {
        Path(place).relative_to(tmp_path).as_posix(): told["reason"] for place, told in report.refused.items()
    }
    assert reasons == {
        "fog/003.jpg": "unreadable",
        "fog/009.jpg": "misaligned",
        "fog/011.jpg": "too_small",
        "clear/005.jpg": "empty",
        "real-fog/007.jpg": "not_an_image",
    }
    assert (effect.n, effect.n_paired, effect.n_real) == (21, 20, 23)
    assert "set aside 5 pictures" in report.to_text()
    assert "Set aside" in report.page.read_text()


def cut(path: Path, side: int) -> bytes:
    picture = simplejpeg.decode_jpeg(path.read_bytes())
    return encode_jpeg(picture[:side, :side], 95)


def test_a_limit_takes_the_same_pictures_whatever_else_is_there(weather: Path, tmp_path: Path) -> None:
    (effect,) = run(weather, tmp_path / "out", limit=20).effects
    assert (effect.n, effect.n_real, effect.n_paired) == (20, 20, 20)
    assert effect.headline is not None
    assert effect.headline.subset_size == 10
    (few,) = run(weather, tmp_path / "few", limit=6).effects
    assert {one.key for one in few.pictures} < {one.key for one in effect.pictures}
    assert few.headline is not None
    assert few.headline.reason == "wants 20 synthetic pictures of different ground, got 6"


def test_nothing_usable_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "fog").mkdir()
    (tmp_path / "fog" / "a.png").write_bytes(b"none")
    with pytest.raises(UsageError, match="none of 1 pictures with fog can be used"):
        evaluate_scenes(SceneSettings(synthetic={"fog": "fog"}), tmp_path / "out", base=tmp_path)
    assert not (tmp_path / "out").exists()
