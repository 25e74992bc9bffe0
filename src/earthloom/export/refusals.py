"""What was not good enough, counted by reason, with a few examples of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from earthloom.core.errors import UsageError
from earthloom.store.layout import RELEASE_REFUSED

_EXAMPLES = 3
_COLUMNS = ["stage", "id", "key", "reason", "detail", "n"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One thing that was refused."""

    key: str
    """Source and name."""
    detail: str
    """What was measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusals:
    """All that one stage refused for one reason."""

    stage: str
    reason: str
    n: int
    """In the unit of the stage: items, windows or pairs."""
    examples: tuple[Example, ...]


def read_refusals(release: Path) -> tuple[Refusals, ...]:
    """Gather `refused.parquet` of a release, most frequent first; empty where there is no such file."""
    path = release / RELEASE_REFUSED
    if not path.is_file():
        return ()
    try:
        return _gather(path)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}. Run `earthloom build` again to write it anew."
        ) from error


def _gather(path: Path) -> tuple[Refusals, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    kept: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for row in _iter_rows(path):
        kind = (row["stage"], row["reason"])
        counts[kind] += row["n"]
        examples = kept.setdefault(kind, [])
        # ids are hashes: the smallest ones are an even choice that does not depend on the order of reading
        if len(examples) < _EXAMPLES or row["id"] < examples[-1][0]:
            kept[kind] = sorted([*examples, (row["id"], row["key"], row["detail"])])[:_EXAMPLES]
    return tuple(
        Refusals(
            stage=stage,
            reason=reason,
            n=n,
            examples=tuple(Example(key=key, detail=detail) for _, key, detail in kept[stage, reason]),
        )
        for (stage, reason), n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _iter_rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=_COLUMNS):
            yield from batch.to_pylist()
