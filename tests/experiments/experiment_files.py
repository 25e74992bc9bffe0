"""Files of experiments and results for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from earthloom.evaluate.result import Figure, Protocol, Result
from earthloom.experiments.doing import Ground, Summary
from earthloom.experiments.loading import Experiment, Request, Step, parse_experiment
from earthloom.store.layout import EvaluationFolder

GOOD = """\
experiment: widths
title: Narrow and wide painters
question: Is a wide painter better?
sizes:
  toy:
    sources: [{kind: atlas, name: atlas, scenes: 2, size: 64}]
    steps: 3
    wide: 64
  full:
    data: eurosat
    sources: [{kind: images, name: eurosat, path: $data}]
    steps: 4000
    wide: 96
steps:
  data:
    build: {sources: $sources, tile: {size: 32}}
  narrow:
    train: {train: tiny, data: {release: $data_set}, steps: $steps, width: 32}
  wide_one:
    train: {train: tiny, data: {release: $data_set}, steps: $steps, width: $wide}
  drawn:
    generate: {model: $wide_one, release: $data_set}
  before:
    evaluate: {evaluate: scenes, release: $data_set}
  after:
    evaluate: {evaluate: scenes, release: $data_set, limit: 5}
answers:
  - ask: Is it better?
    figure: accuracy
    of: {the narrow one: before, the wide one: after}
""".replace("  data:\n    build", "  data_set:\n    build")


def parse(
    text: str, base: Path, *, size: str | None = None, given: dict[str, Any] | None = None
) -> Experiment:
    """The experiment of a text, done in `base/out`."""
    request = Request(size=size, given=given or {}, base=base, folder=base / "out")
    return parse_experiment(text, request)


def make_result(figures: Sequence[Figure], name: str = "made") -> Result:
    """A result with these figures."""
    protocol = Protocol(version="1", encoders={}, rules={}, seed=0, resamples=400, level=0.95)
    return Result(kind="scenes", name=name, protocol=protocol, sets=(), figures=tuple(figures))


class Doer:
    """Does steps by making their folders; those that evaluate find the accuracy that they were given."""

    def __init__(self, **accuracy: float) -> None:
        self.accuracy = accuracy
        self.done: list[str] = []

    def __call__(self, step: Step, folder: Path, ground: Ground) -> Summary:
        self.done.append(step.name)
        folder.mkdir(parents=True, exist_ok=True)
        if step.kind == "evaluate":
            value = self.accuracy[step.name]
            figure = Figure(
                name="accuracy", value=value, better="higher", low=value - 0.1, high=value + 0.1, n=50
            )
            result = json.dumps(make_result([figure], step.name).to_json())
            EvaluationFolder(folder).result.write_text(result)
        return {"seen": step.kind}
