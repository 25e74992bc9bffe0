"""Faithfulness of pictures that are plain numbers: what is right is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from earthloom.evaluate.attributes.judging import Judged, judge_all
from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.attributes.traits import Sample, Traits
from earthloom.evaluate.result import Figure

RESAMPLING = Resampling(resamples=200, level=0.95, seed=0)
LABELS = ("forest", "river", "sea lake")
SCENES = ("clear", "fog")
GSDS = (1.0, 2.0, 4.0, 8.0)


def draw(n: int, seed: int, *, noise: float = 0.3, ground: str = "g", **fixed: Any) -> Sample:
    """Pictures whose features are their traits and noise, each trait dealt at random."""
    rng = np.random.default_rng(seed)
    traits, features = [], np.zeros((n, 8))
    for row in range(n):
        label, scene, gsd = rng.integers(3), rng.integers(2), rng.integers(4)
        told = {"label": LABELS[label], "scene": SCENES[scene], "gsd_m": GSDS[gsd], "modality": "rgb"} | fixed
        traits.append(Traits(**told))
        features[row, label] = 1
        features[row, 3 + scene] = 1
        features[row, 5] = gsd
    features += rng.normal(scale=noise, size=features.shape)
    return Sample(
        features=features, traits=tuple(traits), groups=tuple(f"{ground}{row // 2}" for row in range(n))
    )


def find(figures: list[Figure], name: str, group: str | None = None) -> Figure:
    return next(figure for figure in figures if figure.name == name and figure.group == group)


@pytest.fixture(scope="module")
def real() -> Sample:
    return draw(300, 1)


def judge(real: Sample, generated: Sample) -> dict[str, Judged]:
    judged = judge_all(real, generated, encoder="made@1", resampling=RESAMPLING)
    return {each.trait: each for each in judged}


def measure(real: Sample, generated: Sample) -> list[Figure]:
    return [figure for each in judge(real, generated).values() for figure in each.figures]


def test_pictures_that_show_what_was_asked_for_reach_the_ceiling(real: Sample) -> None:
    figures = measure(real, draw(200, 2, ground="p"))
    for trait in ("class", "scene"):
        figure = find(figures, f"faithful:{trait}")
        assert figure.value is not None
        assert figure.ceiling is not None
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high
        assert abs(figure.value - figure.ceiling) < 0.06
        assert figure.null == pytest.approx(1 / (3 if trait == "class" else 2))
        assert figure.n == 200
        assert figure.interval == "bootstrap over 100 prompts"
    distance = find(figures, "faithful:gsd")
    assert distance.value is not None
    assert distance.ceiling is not None
    assert distance.value == pytest.approx(distance.ceiling, abs=0.06)
    assert distance.value < 0.35
    assert distance.null is not None
    assert distance.null > 0.8
    assert distance.unit == "octaves"


def test_prompts_dealt_out_anew_come_to_the_null(real: Sample) -> None:
    generated = draw(400, 3, ground="p")
    order = np.random.default_rng(0).permutation(400)
    shuffled = replace(generated, traits=tuple(generated.traits[row] for row in order))
    figures = measure(real, shuffled)
    for trait in ("class", "scene"):
        figure = find(figures, f"faithful:{trait}")
        assert figure.value == pytest.approx(figure.null, abs=0.08)
        assert figure.high is not None
        assert figure.ceiling is not None
        assert figure.high < figure.ceiling
    distance = find(figures, "faithful:gsd")
    assert distance.value is not None
    assert distance.null is not None
    assert distance.value > distance.null


def test_one_name_that_is_always_missed_is_seen_in_its_group_and_in_the_table(real: Sample) -> None:
    generated = draw(200, 4, ground="p")
    rivers = [row for row, traits in enumerate(generated.traits) if traits.label == "river"]
    features = generated.features.copy()
    features[rivers, 1] -= 1
    features[rivers, 0] += 1
    judged = judge(real, replace(generated, features=features))["class"]
    figures = list(judged.figures)
    river, forest = (find(figures, "faithful:class", name) for name in ("river", "forest"))
    assert river.value is not None
    assert forest.value is not None
    assert river.value < 0.2
    assert forest.value > 0.8
    table = judged.tables[0]
    row = next(row for row in table.rows if str(row[0]).startswith("river"))
    shares = dict(zip(table.columns[1:], row[1:], strict=True))
    assert isinstance(shares["forest"], float)
    assert shares["forest"] > 0.8
    assert sum(share for share in row[1:] if isinstance(share, float)) == pytest.approx(1)


def test_traits_that_do_not_vary_in_real_pictures_are_not_judged_and_say_why() -> None:
    judged = judge(draw(120, 5, gsd_m=10.0), draw(40, 6))
    for trait, told in {"gsd": "one distance, 10 m", "modality": "only rgb"}.items():
        (figure,) = judged[trait].figures
        assert figure.value is None
        assert figure.reason is not None
        assert told in figure.reason
    assert judged["class"].figures[0].value is not None


def test_what_nobody_asked_for_is_no_figure(real: Sample) -> None:
    generated = draw(30, 7, scene=None, modality=None, gsd_m=None)
    assert list(judge(real, generated)) == ["class"]
    assert judge(real, draw(30, 7, label=None, scene=None, modality=None, gsd_m=None)) == {}


def test_names_that_real_pictures_do_not_teach_are_counted_and_left_out(real: Sample) -> None:
    generated = draw(60, 8)
    traits = tuple(replace(each, label="volcano") for each in generated.traits[:20]) + generated.traits[20:]
    figure = judge(real, replace(generated, traits=traits))["class"].figures[0]
    assert figure.details["n_unlearned"] == 20
    assert figure.n == 40
    alone = judge(real, draw(20, 9, label="volcano"))["class"].figures[0]
    assert alone.reason is not None
    assert "forest, river, sea lake" in alone.reason


def test_distances_beyond_those_of_real_pictures_are_not_judged(real: Sample) -> None:
    figure = judge(real, draw(20, 9, gsd_m=64.0))["gsd"].figures[0]
    assert figure.reason is not None
    assert "from 1 to 8 m" in figure.reason


def test_spelling_does_not_matter(real: Sample) -> None:
    generated = draw(60, 10)
    other = {"sea lake": "SeaLake", "river": "River", "forest": "FOREST"}
    traits = tuple(replace(each, label=other[each.label or ""]) for each in generated.traits)
    one, two = judge(real, generated)["class"], judge(real, replace(generated, traits=traits))["class"]
    assert one == two


def test_the_ceiling_is_that_of_what_was_asked_for(real: Sample) -> None:
    generated = draw(60, 11, label="river")
    figure = judge(real, generated)["class"].figures[0]
    assert figure.details["n_held_out"] == sum(traits.label == "river" for traits in real.traits)
    assert figure.null == 1
    assert figure.reason is not None
    assert "one name alone" in figure.reason


def test_probes_never_see_the_ground_that_they_are_tried_on() -> None:
    """Features that tell the ground and nothing else teach nothing."""
    rng = np.random.default_rng(12)
    labels = [LABELS[rng.integers(2)] for _ in range(60)]
    own = rng.normal(size=(60, 40))
    real = Sample(
        features=np.repeat(own, 4, axis=0),
        traits=tuple(Traits(label=label) for label in labels for _ in range(4)),
        groups=tuple(f"g{row}" for row in range(60) for _ in range(4)),
    )
    seen = Sample(features=own, traits=real.traits[::4], groups=real.groups[::4])
    figure = judge(real, seen)["class"].figures[0]
    assert figure.ceiling is not None
    assert figure.value is not None
    assert figure.ceiling < 0.65  # ground that was held out
    assert figure.value > 0.9  # the very pictures that were learned


def test_rows_are_plain_and_of_every_picture(real: Sample) -> None:
    generated = draw(30, 13, ground="p")
    judged = judge(real, generated)
    assert [reading.row for reading in judged["class"].readings] == list(range(30))
    first = judged["gsd"].readings[0]
    assert first.asked == pytest.approx(generated.traits[0].gsd_m)
    assert first.prompt == "p0"
    right = np.mean([reading.asked == reading.read for reading in judged["class"].readings])
    assert judged["class"].figures[0].details["accuracy"] == pytest.approx(right)


def test_equal_input_gives_equal_figures(real: Sample) -> None:
    generated = draw(40, 14)
    assert measure(real, generated) == measure(real, generated)
