"""What a look at a source found, and how it is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from earthloom.core.records import Reason
from earthloom.geo.vocabulary import WordKind, unknown_words
from earthloom.ingest.datasets import Strays

KEPT = 20
"""Problems of one sort that are kept with their names."""
MAX_SORTS = 50
"""Sorts that are told apart."""
_NAMED = re.compile(r"\S*[\d/._]\S*")
"""Words that name a file or hold a number."""
_INDENT = 10
_SHOWN = 3
"""Problems of one sort that are shown by name."""
_FACT_NAMES = {
    "gsd_x_m": "GSD", "acquired": "date", "lon": "position", "sun_elevation_deg": "sun", "off_nadir_deg": "view angle",
    "cloud_share": "cloud cover", "published_split": "publisher's split",
}  # fmt: skip

REMEDIES: Mapping[Reason, str] = {
    Reason.MISSING: "Download or unpack it again, or go on without it.",
    Reason.EMPTY: "Download it again.",
    Reason.UNREADABLE: "Download or unpack it again.",
    Reason.NOT_AN_IMAGE: "Download it again: a server's error page may have been saved under its name.",
    Reason.NO_PERMISSION: "Give yourself the right to read it.",
    Reason.UNSAFE_PATH: "Take it out of the archive or the folder.",
    Reason.DUPLICATE: "Remove one of the two.",
    Reason.TOO_SMALL: "It is left out.",
    Reason.TOO_LARGE: "Convert it to a tiled GeoTIFF and read it as `kind: geotiff`.",
    Reason.UNSUPPORTED_PIXELS: "Say in the recipe what its bands are, or leave it out with `skip`.",
    Reason.MISALIGNED: "The files belong to different versions: download them from one place.",
    Reason.BAD_FACTS: "Repair the annotation or leave the image out with `skip`.",
    Reason.BAD_GRID: "Repair the geo-reference or leave the image out with `skip`.",
    Reason.UNKNOWN_CLASS: "Check that the labels are those of this dataset and of its version.",
    Reason.UNREACHABLE: "Try again later: every run asks for it again.",
    Reason.DISALLOWED: "The site asks for it to be left alone, and so it is left out.",
    Reason.PRIVATE_ADDRESS: "Set `net: {allow_private: true}` if you trust who made the source.",
}
"""What a person can do, by reason."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that cannot be used, or only in part."""

    key: str
    reason: Reason
    detail: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES.get(self.reason, "It is left out.")


Sort = tuple[Reason, str]
"""Problems that differ in names and numbers alone: their reason, and what is left of their text without those."""


@dataclass(slots=True)
class Problems:
    """What cannot be used: how much of it by reason, and the first of each sort."""

    counts: Counter[Reason] = field(default_factory=Counter)
    sorts: Counter[Sort] = field(default_factory=Counter)
    first: dict[Sort, list[Problem]] = field(default_factory=dict)
    """At most `KEPT` of each."""

    def add(self, key: str, reason: Reason, detail: str) -> None:
        """Count a problem."""
        self.counts[reason] += 1
        sort = (reason, _NAMED.sub("*", detail))
        if sort not in self.sorts and len(self.sorts) >= MAX_SORTS:
            sort = (reason, "")
        self.sorts[sort] += 1
        kept = self.first.setdefault(sort, [])
        if len(kept) < KEPT:
            kept.append(Problem(key=key, reason=reason, detail=detail))


@dataclass(kw_only=True)
class Check:
    """What was found at a path; counts are of all items unless they say `read`."""

    kind: str
    path: str
    title: str
    what: str
    terms: str
    whole: tuple[tuple[str, int], ...]
    items: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    """Files by their role."""
    splits: Counter[str] = field(default_factory=Counter)
    """Scenes read, by the publisher's split."""
    strays: Strays = field(default_factory=Strays)
    problems: Problems = field(default_factory=Problems)
    read: int = 0
    """Items whose headers were read."""
    usable: int = 0
    """Of those, items that give scenes."""
    modalities: Counter[str] = field(default_factory=Counter)
    """Scenes read."""
    facts: Counter[str] = field(default_factory=Counter)
    """Scenes read that know a fact."""
    boxes: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    masks: int = 0
    """Scenes read that have a class mask."""
    platforms: Counter[str] = field(default_factory=Counter)
    sensors: Counter[str] = field(default_factory=Counter)
    tiles: dict[str, Counter[str]] = field(default_factory=dict)
    """Planned tiles of the scenes read, by mode and modality."""

    @property
    def scenes(self) -> int:
        """Scenes read."""
        return self.modalities.total()

    def unknown_words(self) -> list[str]:
        """Names of platforms and sensors that the vocabulary lacks; they are kept as they are."""
        return [
            *unknown_words(WordKind.PLATFORM, self.platforms),
            *unknown_words(WordKind.SENSOR, self.sensors),
        ]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "kind": self.kind,
            "path": self.path,
            "title": self.title,
            "terms": self.terms,
            "published": dict(self.whole),
            "items": self.items,
            "files": dict(sorted(self.parts.items())),
            "strays": {"n": self.strays.n, "first": self.strays.keys},
            "problems": {reason.value: n for reason, n in self.problems.counts.items()},
            "first_problems": [
                {"key": p.key, "reason": p.reason.value, "detail": p.detail, "remedy": p.remedy}
                for problems in self.problems.first.values()
                for p in problems
            ],
            "read": self.read,
            "usable": self.usable,
            "scenes": dict(sorted(self.modalities.items())),
            "facts": dict(self.facts),
            "splits": dict(sorted(self.splits.items())),
            "boxes": self.boxes,
            "classes": dict(sorted(self.classes.items())),
            "masks": self.masks,
            "platforms": dict(sorted(self.platforms.items())),
            "sensors": dict(sorted(self.sensors.items())),
            "unknown_words": self.unknown_words(),
            "tiles": {mode: dict(sorted(counts.items())) for mode, counts in self.tiles.items()},
        }

    def to_text(self) -> str:
        """As a page for a person."""
        return _write(self)


def _write(check: Check) -> str:
    """The whole page; every line stands for itself."""
    lines = [f"{check.kind} at {check.path}", f"{check.title}: {check.what}", ""]
    for head, texts in (
        ("found", _say_found(check)),
        ("facts", _say_facts(check)),
        ("problems", _say_problems(check)),
        ("builds", _say_tiles(check)),
        ("terms", iter((check.terms,))),
    ):
        for number, text in enumerate(texts):
            lines.append(f"{head if number == 0 else '':<{_INDENT}}{text}")
    return "\n".join(lines)


def _say_found(check: Check) -> Iterator[str]:
    roles = ", ".join(f"{n:,} {role}" for role, n in sorted(check.parts.items()))
    files = f" of these files: {roles}" if roles else ""
    yield f"{_count(check.items, 'item')}{files}" if check.items else "nothing that can be read"
    for unit, n in check.whole[:1]:
        yield f"{_share(check.items, n)} of the {n:,} {unit} that are published"
    if check.strays.n:
        some = ", ".join(check.strays.keys[:_SHOWN])
        more = ", ..." if check.strays.n > _SHOWN else ""
        yield f"{_count(check.strays.n, 'file')} that the layout does not know: {some}{more}"


def _say_facts(check: Check) -> Iterator[str]:
    if not check.scenes:
        return
    sampled = "" if check.read == check.items else f" (a sample of {check.read:,})"
    views = ", ".join(f"{n:,} {modality}" for modality, n in sorted(check.modalities.items()))
    yield f"{_count(check.scenes, 'scene')} read{sampled}: {views}"
    if check.splits:
        yield "publisher's split: " + _list_counts(check.splits)
    known = ", ".join(
        f"{_FACT_NAMES.get(name, name)} {_of(n, check.scenes)}" for name, n in check.facts.items()
    )
    yield f"known: {known}" if known else "known: nothing"
    if check.platforms:
        yield "taken by " + _list_counts(check.platforms)
    if words := check.unknown_words():
        yield f"not in the vocabulary, kept as written: {', '.join(words)}"
    if check.boxes:
        yield f"{check.boxes:,} boxes"
    if check.masks:
        yield f"{_count(check.masks, 'scene')} with a class mask"
    if check.classes:
        yield f"{_count(len(check.classes), 'class', 'classes')}: {_list_counts(check.classes, 8)}"


def _say_problems(check: Check) -> Iterator[str]:
    if not check.problems.counts:
        yield "none"
    for sort, n in check.problems.sorts.items():
        for problem in check.problems.first[sort][:_SHOWN]:
            yield f"{problem.key}: {problem.detail}. {problem.remedy}"
        if n > _SHOWN:
            yield f"... and {n - _SHOWN:,} more of this sort ({sort[0].value})"


def _say_tiles(check: Check) -> Iterator[str]:
    """Planned tiles; of a sample, what follows for all items."""
    factor = check.items / check.read if check.read else 1.0
    about = "about " if check.read < check.items else ""
    for mode, counts in check.tiles.items():
        views = ", ".join(f"{round(n * factor):,} {modality}" for modality, n in sorted(counts.items()))
        yield f"{mode}: {about}{_count(round(counts.total() * factor), 'tile')} of 512 px: {views}"
    if not check.tiles:
        yield "nothing"


def _list_counts(counts: Counter[str], most: int = 12) -> str:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    more = f", and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(f"{name} {n:,}" for name, n in ordered[:most]) + more


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _of(n: int, total: int) -> str:
    return "all" if n == total else f"{n:,} of {total:,}"


def _share(n: int, whole: int) -> str:
    percent = 100 * n / whole
    return f"{percent:.0f} %" if percent >= 10 or n == whole else f"{percent:.2g} %"
