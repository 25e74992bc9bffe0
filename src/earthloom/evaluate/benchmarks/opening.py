"""What a model is tested on, opened: a set of one's own, or a common one by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from earthloom.core.errors import UsageError
from earthloom.core.seeds import stable_hash
from earthloom.evaluate.benchmarks.captions import list_captioned
from earthloom.evaluate.benchmarks.classes import list_classified
from earthloom.evaluate.benchmarks.config import BenchmarkSettings
from earthloom.evaluate.benchmarks.names import Benchmark, find_benchmark
from earthloom.evaluate.sets import Entry, OpenSet
from earthloom.evaluate.work import Work


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Pictures that a model is tested on."""

    opened: OpenSet
    benchmark: Benchmark | None
    notes: tuple[str, ...] = ()
    """What a reader has to know of the set."""


def open_tested(recipe: BenchmarkSettings, work: Work, task: Literal["classes", "captions"]) -> Chosen:
    """List the pictures of a recipe.

    Args:
        recipe: names them.
        work: knows what paths are relative to.
        task: what has to come with the pictures.

    Raises:
        UsageError: they are not there, lie in another layout, or have not what the task wants.

    """
    if recipe.pictures is not None:
        return Chosen(opened=work.open("pictures", recipe.pictures), benchmark=None)
    assert recipe.test is not None, "the settings see to it"
    assert recipe.path is not None, "the settings see to it"
    benchmark = find_benchmark(recipe.test)
    if benchmark.task != task:
        raise UsageError(f"test: a set with {task} was wanted, {benchmark.title} has {benchmark.task}.")
    listed = (list_classified if task == "classes" else list_captioned)(benchmark, work.base / recipe.path)
    split = recipe.split or (("test",) if task == "captions" else ())
    chosen = _choose(listed, split, benchmark)
    taken = _limit(chosen, recipe)
    opened = OpenSet(
        name="test",
        place=recipe.path,
        entries=tuple(taken),
        is_generated=False,
        details={
            "benchmark": f"{benchmark.name}@{benchmark.version}",
            "split": list(split),
            "limit": recipe.limit,
        },
    )
    return Chosen(
        opened=opened, benchmark=benchmark, notes=tuple(_tell(benchmark, split, chosen, len(taken)))
    )


def _choose(listed: list[Entry], split: tuple[str, ...], benchmark: Benchmark) -> list[Entry]:
    if not split:
        return listed
    counts = Counter(entry.shown.split or "none" for entry in listed)
    chosen = [entry for entry in listed if entry.shown.split in split]
    if not chosen:
        there = ", ".join(f"{name} ({n:,})" for name, n in sorted(counts.items()))
        raise UsageError(f"split: {benchmark.title} has {there} there, none of {', '.join(split)}.")
    return chosen


def _limit(chosen: list[Entry], recipe: BenchmarkSettings) -> list[Entry]:
    if recipe.limit is None or recipe.limit >= len(chosen):
        return chosen
    lots = sorted(range(len(chosen)), key=lambda i: stable_hash(recipe.seed, "select", chosen[i].key))
    return [chosen[i] for i in sorted(lots[: recipe.limit])]


def _tell(benchmark: Benchmark, split: tuple[str, ...], chosen: list[Entry], n_taken: int) -> Iterator[str]:
    published = benchmark.count_published(split)
    named = f"{benchmark.title}{' ' + ' + '.join(split) if split else ''}"
    if published is not None and len(chosen) != published:
        yield f"{named} has {published:,} pictures as published, {len(chosen):,} are there: others' tables do not fit."
    if n_taken < len(chosen):
        yield f"`limit` took {n_taken:,} of {len(chosen):,} pictures: others' tables do not fit."
    if benchmark.note:
        yield benchmark.note
