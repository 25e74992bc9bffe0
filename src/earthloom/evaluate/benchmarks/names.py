"""Which test sets there are, and what is published about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from earthloom.evaluate.result import Table
from earthloom.evaluate.tables import read_table

BenchmarkName = Literal[
    "eurosat", "resisc45", "aid", "ucm", "rsicd", "rsitmd", "ucm-captions", "sydney-captions"
]
NAMES: tuple[str, ...] = get_args(BenchmarkName)


@dataclass(frozen=True, kw_only=True, slots=True)
class Benchmark:
    """A common test set."""

    name: str
    title: str
    task: Literal["classes", "captions"]
    """What comes with its pictures."""
    version: int
    """Of how it is read and what words are put to it."""
    source: str
    """The paper."""
    layout: str
    """How it lies on disk, for messages."""
    endings: tuple[str, ...] = ()
    """Of its pictures, lower case; empty for any that can be read."""
    published: int | None = None
    """Pictures of the whole."""
    published_splits: Mapping[str, int] = field(default_factory=dict)
    """Pictures of each split."""
    templates: str | None = None
    """Set of prompt templates that published tables use."""
    wording: str | None = None
    """Of the class names."""
    note: str | None = None
    measured: tuple[Mapping[str, Any], ...] = ()
    """What others measured, per cent."""

    def count_published(self, split: tuple[str, ...]) -> int | None:
        """Pictures of some splits, of all where none is named; None where that is not published."""
        if not self.published_splits:
            return None if split else self.published
        wanted = split or tuple(self.published_splits)
        counts = [self.published_splits.get(name) for name in wanted]
        return None if None in counts else sum(n for n in counts if n is not None)


def find_benchmark(name: str) -> Benchmark:
    """A test set by its name. Raises KeyError."""
    told = dict(read_table("benchmarks")[name])
    told["endings"] = tuple(told.get("endings", ()))
    told["measured"] = tuple(told.get("measured", ()))
    return Benchmark(name=name, **told)


def tabulate_measured(benchmark: Benchmark) -> Table | None:
    """What others measured on it, beside which a figure may be held where the protocols are equal."""
    if not benchmark.measured:
        return None
    columns = (
        ("model", "accuracy")
        if benchmark.task == "classes"
        else ("model", "mR", *(f"{way} R@{top}" for way in ("to text", "to picture") for top in (1, 5, 10)))
    )
    return Table(
        title=f"Published on {benchmark.title}, per cent",
        columns=(*columns, "source"),
        rows=tuple((*_list_values(row, len(columns)), str(row["source"])) for row in benchmark.measured),
        note="Comparable only over the same pictures, texts and prompts.",
    )


def _list_values(row: Mapping[str, Any], width: int) -> tuple[str | float | None, ...]:
    if width == len(("model", "accuracy")):
        return str(row["model"]), float(row["accuracy"])
    shares = [*row.get("to_text", (None,) * 3), *row.get("to_picture", (None,) * 3)]
    return str(row["model"]), float(row["mr"]), *shares
