"""The comparison of weather as one kind of evaluation: its figures, beside the page that it has of its own."""

from __future__ import annotations

from collections.abc import Iterator

from earthloom.evaluate.result import Figure, SetInfo
from earthloom.evaluate.scenes.comparing import EVALUATE_VERSION, evaluate_scenes
from earthloom.evaluate.scenes.realism import Distance
from earthloom.evaluate.scenes.recipe import SceneRecipe
from earthloom.evaluate.scenes.report import EffectReport
from earthloom.evaluate.work import Outcome, Work

FOLDER = "scenes"
"""Below the evaluation's folder: the page with every gate, plate and classifier."""
_RULES = {
    "scenes": f"version {EVALUATE_VERSION}: gates and structure in linear light against the clear original of each",
    "skill": "1 as near to real pictures as these are to each other, 0 as far as clear ones; over random halves",
}


def measure_scenes(recipe: SceneRecipe, work: Work) -> Outcome:
    """Measure synthetic weather. Raises `UsageError` as `evaluate_scenes`."""
    report = evaluate_scenes(recipe.scene_settings(), work.folder / FOLDER, base=work.base, tell=work.tell)
    work.refused |= {place: dict(told) for place, told in report.refused.items()}
    place = recipe.release or ", ".join(sorted(recipe.synthetic.values()))
    sets = [SetInfo(name="synthetic", place=place, n=sum(effect.n for effect in report.effects))]
    for effect in report.effects:
        if effect.n_real:
            sets.append(
                SetInfo(name=f"real {effect.effect}", place=recipe.real[effect.effect], n=effect.n_real)
            )
    return Outcome(
        sets=tuple(sets),
        figures=tuple(figure for effect in report.effects for figure in _list_figures(effect)),
        encoders=dict.fromkeys(report.encoders, "as each encoder has it"),
        rules=_RULES,
        notes=(f"Pictures, gates and classifiers stand in {FOLDER}/index.html.",),
    )


def _list_figures(effect: EffectReport) -> Iterator[Figure]:
    for distance in effect.distances:
        yield _tell_skill(effect, distance)
    structure = effect.structure.get("all", {}).get("structure")
    if structure is not None:
        yield Figure(
            name="structure",
            value=structure.median,
            better="higher",
            group=effect.effect,
            low=structure.low,
            high=structure.high,
            interval="5th to 95th percentile of the pictures",
            ceiling=1.0,
            n=structure.n,
        )
    for gate in effect.gates:
        yield Figure(
            name=f"gate:{gate.name}",
            value=gate.measured,
            unit=gate.unit or None,
            group=effect.effect,
            n=gate.n,
            passed=gate.passed,
            bound=gate.bound,
            reason=gate.note,
        )


def _tell_skill(effect: EffectReport, distance: Distance) -> Figure:
    return Figure(
        name=f"skill:{distance.name}",
        value=distance.skill,
        better="higher",
        encoder=distance.encoder,
        group=effect.effect,
        low=distance.skill_low,
        high=distance.skill_high,
        interval="5th to 95th percentile over random halves" if distance.skill is not None else None,
        null=0.0,
        ceiling=1.0,
        n=effect.n,
        n_real=effect.n_real,
        reason=distance.reason,
    )
