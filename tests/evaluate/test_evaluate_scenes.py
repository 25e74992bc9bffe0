"""The comparison as a whole: ours against weather that is made wrongly, what is written, what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from earthloom.evaluate import SceneSettings, evaluate_scenes
from earthloom.evaluate.report import EffectReport


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
    """It fails gates that ours passes; its structure is lower by so much, or its KID to real weather so many times ours.

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
