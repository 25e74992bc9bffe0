"""One evaluation, from its recipe to `result.json` and `index.html`."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

from earthloom.evaluate.config import EvaluationSettings
from earthloom.evaluate.making import measure
from earthloom.evaluate.page import render_page
from earthloom.evaluate.result import PROTOCOL_VERSION, Protocol, Result
from earthloom.evaluate.settling import settle
from earthloom.evaluate.work import Outcome, Tell, Work
from earthloom.store.atomic import write_json, write_text
from earthloom.store.layout import EvaluationFolder
from earthloom.store.lock import hold_lock

_LIBRARIES = ("earthloom", "numpy", "opencv-python-headless", "pillow", "scipy")


def evaluate(
    recipe: EvaluationSettings,
    folder: Path,
    *,
    base: Path = Path(),
    tell: Tell = lambda text: None,
    asked: EvaluationSettings | None = None,
    measure_by: Callable[[Any, Work], Outcome] = measure,
) -> Result:
    """Measure what a recipe describes and write `result.json` and `index.html` into a folder.

    Args:
        recipe: one of `earthloom.evaluate.kinds`; pictures of its generators have been drawn, see
            `earthloom.run.evaluating`.
        folder: made where it is not there.
        base: folder that the paths of the recipe are relative to.
        tell: is told in a few words how far the work is.
        asked: the recipe before anything was drawn for it, for the record.
        measure_by: measures; by the recipe where it is not given.

    Raises:
        UsageError: a path holds nothing to measure, or an encoder cannot be used.
        LockedError: another process evaluates into the folder.
        WriteError: the folder cannot be written.
        RunError: nothing could be measured.

    """
    start = monotonic()
    home = EvaluationFolder(folder)
    with hold_lock(home.lock):
        work = Work(base=base, folder=folder, seed=recipe.seed, tell=tell)
        outcome = settle(measure_by(recipe, work))
        tell("writing the page")
        result = _make_result(asked or recipe, outcome, work, monotonic() - start)
        write_text(home.page, render_page(result, outcome.grids))
        write_json(home.result, result.to_json())  # last: where it is, all of it is
    return result


def _make_result(recipe: EvaluationSettings, outcome: Outcome, work: Work, seconds: float) -> Result:
    plain = json.loads(recipe.model_dump_json(by_alias=True, exclude_unset=True))
    return Result(
        kind=recipe.model_dump()["evaluate"],
        name=recipe.name,
        protocol=Protocol(
            version=PROTOCOL_VERSION,
            encoders=outcome.encoders,
            rules=outcome.rules,
            seed=recipe.seed,
            resamples=recipe.resamples,
            level=recipe.level,
        ),
        sets=outcome.sets,
        figures=outcome.figures,
        tables=outcome.tables,
        curves=outcome.curves,
        notes=outcome.notes,
        refused=work.refused,
        recipe=plain,
        versions={name: version(name) for name in _LIBRARIES},
        seconds=seconds,
    )
