"""What is in a work folder or a release, as text for a person or JSON for a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earthloom.core.errors import UsageError
from earthloom.export.card import read_title, say_share, say_span
from earthloom.export.statistics import Statistics
from earthloom.export.tally import collect_statistics
from earthloom.store.layout import RELEASE_DATA, RELEASE_REFUSED, WorkFolder

_ROWS = 8
"""Lines of a list before the rest is summed up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What a folder holds."""

    kind: str
    """`work` or `release`."""
    name: str
    release: Path
    statistics: Statistics
    run: Mapping[str, Any] | None
    """`run.json` of a work folder: counts, timings, versions."""

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values; what is unknown is called `unknown` where it is a key."""
        statistics = self.statistics
        return {
            "kind": self.kind,
            "name": self.name,
            "release": str(self.release),
            **_count_pairs(statistics),
            **_tell_facts(statistics),
            **_tell_texts(statistics),
            "scenes": statistics.scenes,
            "groups": statistics.groups,
            "leaking_groups": statistics.leaking_groups,
            "repeated_images": statistics.repeated_images,
            "files": {
                form: {"files": n, "bytes": statistics.bytes[form]} for form, n in statistics.files.items()
            },
            "run": None if self.run is None else dict(self.run),
        }

    def to_text(self) -> str:
        """A page of plain text."""
        return "\n".join(_iter_lines(self))


def _count_pairs(s: Statistics) -> dict[str, Any]:
    return {
        "pairs": s.pairs,
        "splits": _nest(s.splits),
        "platforms": _name_unknown(s.platforms),
        "sensors": _name_unknown(s.sensors),
        "licences": _name_unknown(s.licences()),
        "synthetic": s.synthetic(),
        "sources": [dataclasses.asdict(source) for source in s.sources],
    }


def _tell_facts(s: Statistics) -> dict[str, Any]:
    return {
        "gsd_m": None if s.gsd_span is None else {"min": s.gsd_span.low, "max": s.gsd_span.high},
        "acquired": {
            "first": s.dates.first,
            "last": s.dates.last,
            "unknown": s.dates.unknown,
            "years": {str(year): n for year, n in s.dates.years.items()},
        },
        "known": dict(s.known),
    }


def _tell_texts(s: Statistics) -> dict[str, Any]:
    kinds = [
        {"style": style, "role": role, "author": author, "captions": n}
        for (style, role, author), n in s.captions.kinds.items()
    ]
    mean_words = round(s.captions.mean_words, 2)
    return {
        "captions": {"total": s.captions.total, "mean_words": mean_words, "kinds": kinds},
        "labels": [{"kind": kind, "name": name, "pairs": n} for (kind, name), n in s.labels.items()],
        "effects": [
            {"name": name, "severity": severity, "pairs": n} for (name, severity), n in s.effects.items()
        ],
    }


def describe(folder: Path) -> Description:
    """Look into a work folder or a release. Raises `UsageError` when it is neither, or is broken."""
    release = find_release(folder)
    is_work = release != folder
    return Description(
        kind="work" if is_work else "release",
        name=read_title(release),
        release=release,
        statistics=collect_statistics(release),
        run=_read_run(WorkFolder(folder).run) if is_work else None,
    )


def find_release(folder: Path) -> Path:
    """The release in a work folder, or the folder itself when it is one. Raises `UsageError` otherwise."""
    work = WorkFolder(folder)
    if work.run.is_file() and work.release.is_dir():
        return work.release
    if (folder / RELEASE_DATA).is_dir() or (folder / RELEASE_REFUSED).is_file():
        return folder
    raise UsageError(_explain_missing(folder, work))


def _explain_missing(folder: Path, work: WorkFolder) -> str:
    if not folder.exists():
        return f"{folder} does not exist. Name a work folder or a release that `earthloom build` has made."
    if not folder.is_dir():
        return f"{folder} is a file. Name the folder of a run or of a release."
    if work.recipe.is_file():
        return f"The run in {folder} is not finished. Run the same `earthloom build` again: it goes on from there."
    return (
        f"{folder} is neither a work folder (run.json and release/) nor a release (data/). "
        f"Name a folder that `earthloom build` has made."
    )


def _read_run(path: Path) -> Mapping[str, Any]:
    try:
        run = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}. Run `earthloom build` again to write it anew."
        ) from error
    if not isinstance(run, dict):
        raise UsageError(f"{path} should hold a JSON object. Run `earthloom build` again to write it anew.")
    return run


def _nest(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (outer, inner), n in counts.items():
        nested.setdefault(outer, {})[inner] = n
    return nested


def _name_unknown(counts: Mapping[str | None, int]) -> dict[str, int]:
    return {name or "unknown": n for name, n in counts.items()}


def _iter_lines(description: Description) -> Iterator[str]:
    s = description.statistics
    yield f"{description.name}: {s.pairs:,} pairs from {s.scenes:,} source images, {s.captions.total:,} captions"
    yield from _lay_out(_count_rows(s))
    yield from _lay_out(
        [
            ("gsd", say_span(s)),
            (
                "acquired",
                f"{s.dates.first or 'unknown'} to {s.dates.last or 'unknown'}, {s.dates.unknown:,} undated",
            ),
            ("captions", f"{s.captions.mean_words:.3g} words on average"),
            (
                "leaks",
                f"{s.leaking_groups:,} of {s.groups:,} groups, {s.repeated_images:,} pictures, in several splits",
            ),
            (
                "files",
                ", ".join(f"{n:,} {form} ({s.bytes[form] / 1e6:,.1f} MB)" for form, n in s.files.items()),
            ),
            ("release", str(description.release)),
        ]
    )
    for title, counts in (
        ("sources", _name_unknown(s.by_source())),
        ("platforms", _name_unknown(s.platforms)),
        ("licences", _name_unknown(s.licences())),
        ("labels", {name: n for (_, name), n in s.labels.items()}),
        ("effects", {f"{severity} {name}": n for (name, severity), n in s.effects.items()}),
    ):
        yield from _list_counts(title, counts, s.pairs)
    if description.run is not None:
        yield from _say_run(description.run)


def _count_rows(statistics: Statistics) -> Iterator[tuple[str, str]]:
    for split, n in statistics.by_split().items():
        parts = [f"{statistics.splits[key]:,} {key[1]}" for key in statistics.splits if key[0] == split]
        yield split, f"{n:,} ({', '.join(parts)})"


def _lay_out(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from (f"  {name:10} {value}".rstrip() for name, value in rows)


def _list_counts(title: str, counts: Mapping[str, int], whole: int) -> Iterator[str]:
    if not counts:
        return
    yield title
    for name, n in list(counts.items())[:_ROWS]:
        yield f"  {n:>10,}  {say_share(n, whole):>7}  {' '.join(name.split())}"
    if len(counts) > _ROWS:
        rest = list(counts.values())[_ROWS:]
        yield f"  {sum(rest):>10,}           {len(rest):,} others"


def _say_run(run: Mapping[str, Any]) -> Iterator[str]:
    counts = run.get("counts")
    if not isinstance(counts, dict):
        return
    yield "run"
    yield f"  {counts.get('in', 0):>10,}  source items"
    yield f"  {counts.get('out', 0):>10,}  pairs"
    for reason, n in sorted((counts.get("refused") or {}).items()):
        yield f"  {n:>10,}  refused: {reason}"
    yield f"  {counts.get('failed', 0):>10,}  failed"
