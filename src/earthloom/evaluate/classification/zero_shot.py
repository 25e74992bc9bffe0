"""Classification by a dual encoder that was told the classes in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.evaluate.averages import resample
from earthloom.evaluate.benchmarks.names import Benchmark
from earthloom.evaluate.benchmarks.words import (
    Prompts,
    choose_templates,
    list_folders,
    name_classes,
)
from earthloom.evaluate.classification.config import ClassificationRecipe
from earthloom.evaluate.classification.telling import Judged, list_figures, tabulate
from earthloom.evaluate.duals import OpenDual
from earthloom.evaluate.result import Figure, Table
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Work
from earthloom.metrics.zero_shot import (
    describe_classes,
    judge_classes,
    mean_average_precision,
    score_classes,
)

Features = npt.NDArray[np.float64]
_DEFAULT_TEMPLATES = "satellite"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one model gave."""

    figures: Sequence[Figure]
    encoders: Mapping[str, str]
    rules: Mapping[str, str] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()


def classify_by_words(
    kept: Sequence[Entry],
    pictures: Features,
    prompts: Prompts,
    dual: OpenDual,
    recipe: ClassificationRecipe,
    work: Work,
) -> Part:
    """Judge every picture by the class whose sentences are nearest.

    Args:
        kept: pictures with a class, N.
        pictures: their features by `dual`, N x D.
        prompts: sentences for all classes, as `make_prompts` gives them.
        dual: told the classes.
        recipe: how often is drawn for intervals, and whether pictures may have several classes.
        work: is told how far the work is.

    """
    work.tell("reading class names")
    texts = dual.describe_texts(prompts.texts)
    scores = score_classes(pictures, describe_classes(texts.features, len(prompts.templates)))
    rules = {
        "class names": prompts.wording,
        "templates": f"{prompts.template_set}: {len(prompts.templates)} such as {prompts.templates[0]!r}, averaged",
        "zero-shot": "the class of the highest cosine; one that ties with a wrong one is missed",
        "long texts": dual.tell_rules("", texts.n_long, len(prompts.texts))["long texts"],
    }
    encoders = {dual.name: dual.encoder.resize}
    if recipe.several:
        figure = _average_precision(kept, scores, prompts, dual.name, recipe)
        return Part(figures=(figure,), encoders=encoders, rules=rules)
    judged = _judge(kept, scores, prompts, dual.name)
    return Part(
        figures=tuple(list_figures(judged, recipe)),
        encoders=encoders,
        rules=rules,
        tables=(_tabulate_words(prompts), *tabulate(judged)),
    )


def make_prompts(
    entries: Sequence[Entry], benchmark: Benchmark | None, recipe: ClassificationRecipe
) -> Prompts:
    """Sentences for all classes: those of a test set, whether or not all are there; else those that occur.

    Raises:
        UsageError: there are fewer than two classes, or no such templates or wording.

    """
    labels = sorted({label for entry in entries for label in list_labels(entry, recipe)})
    if benchmark is not None:
        labels = sorted(list_folders(benchmark.name))
    if len(labels) < 2:
        raise UsageError(f"Pictures of at least two classes were wanted, got {', '.join(labels) or 'none'}.")
    published = (benchmark.wording, benchmark.templates) if benchmark else (None, None)
    wording = recipe.wording or published[0]
    names, named = name_classes(
        labels, benchmark=benchmark.name if benchmark else None, wording=wording, own=recipe.classes
    )
    templates, template_set = choose_templates(recipe.templates or published[1] or _DEFAULT_TEMPLATES)
    return Prompts(
        classes=tuple(labels), names=names, templates=templates, wording=named, template_set=template_set
    )


def list_labels(entry: Entry, recipe: ClassificationRecipe) -> tuple[str, ...]:
    """The classes of a picture: its one class, or all labels where it may carry several."""
    if not recipe.several:
        return () if entry.label is None else (entry.label,)
    told = entry.facts.get("labels") or ()
    return tuple(dict.fromkeys(label["name"] for label in told if label.get("kind") in {"class", None}))


def _judge(kept: Sequence[Entry], scores: Features, prompts: Prompts, encoder: str) -> Judged:
    place = {label: i for i, label in enumerate(prompts.classes)}
    truth = np.array([place[str(entry.label)] for entry in kept], np.int64)
    found = judge_classes(scores, truth)
    return Judged(
        way="zero_shot",
        encoder=encoder,
        classes=prompts.classes,
        truth=truth,
        predicted=found.predicted,
        is_right=found.is_first,
        is_in_top=found.is_in_top,
        grounds=[entry.group for entry in kept],
        details={"tied": found.tied, "templates": prompts.template_set, "wording": prompts.wording},
    )


def _average_precision(
    kept: Sequence[Entry], scores: Features, prompts: Prompts, encoder: str, recipe: ClassificationRecipe
) -> Figure:
    truth = np.array([[name in list_labels(entry, recipe) for name in prompts.classes] for entry in kept])

    def statistic(chosen: npt.NDArray[np.int64]) -> float:
        return mean_average_precision(scores[chosen], truth[chosen])

    more: dict[str, Any] = {"encoder": encoder, "better": "higher"}
    return resample(
        "zero_shot:map",
        statistic,
        [entry.group for entry in kept],
        recipe,
        null=float(truth[:, truth.any(axis=0)].mean()),
        details={"null_is": "constant scores: the mean share of pictures that carry a class"},
        **more,
    )


def _tabulate_words(prompts: Prompts) -> Table:
    return Table(
        title="Classes in words",
        columns=("class", "words", "first sentence"),
        rows=tuple(
            (label, name, prompts.templates[0].replace("{}", name))
            for label, name in zip(prompts.classes, prompts.names, strict=True)
        ),
        note=f"{len(prompts.templates)} sentences a class ({prompts.template_set}), names {prompts.wording}.",
    )
