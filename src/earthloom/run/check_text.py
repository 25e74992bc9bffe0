"""The page that a check of a source prints."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from earthloom.core.records import Reason

if TYPE_CHECKING:
    from earthloom.run.check import Check, Problem

_INDENT = 10
_SHOWN = 3
"""Problems of one sort that are shown by name."""
_FACT_NAMES = {
    "gsd_x_m": "GSD", "acquired": "date", "lon": "position", "sun_elevation_deg": "sun", "off_nadir_deg": "view angle",
    "cloud_share": "cloud cover", "published_split": "publisher's split",
}  # fmt: skip


def write_check(check: Check) -> str:
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
    yield f"{_count(check.items, 'item')} of these files: {roles}" if check.items else "nothing that can be read"
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
    if check.boxes:
        yield f"{check.boxes:,} boxes"
    if check.masks:
        yield f"{_count(check.masks, 'scene')} with a class mask"
    if check.classes:
        yield f"{_count(len(check.classes), 'class', 'classes')}: {_list_counts(check.classes, 8)}"


def _say_problems(check: Check) -> Iterator[str]:
    if not check.problems:
        yield "none"
    for reason, problems in _by_reason(check.problems).items():
        for problem in problems[:_SHOWN]:
            yield f"{problem.key}: {problem.detail}. {problem.remedy}"
        if len(problems) > _SHOWN:
            yield f"... and {len(problems) - _SHOWN:,} more that are {reason.value}"


def _say_tiles(check: Check) -> Iterator[str]:
    if check.read < check.items:
        yield f"from the {check.read:,} items read, of {check.items:,}:"
    for mode, counts in check.tiles.items():
        views = ", ".join(f"{n:,} {modality}" for modality, n in sorted(counts.items()))
        yield f"{mode}: {_count(counts.total(), 'tile')} of 512 px: {views}"
    if not check.tiles:
        yield "nothing"


def _by_reason(problems: list[Problem]) -> dict[Reason, list[Problem]]:
    sorted_out: dict[Reason, list[Problem]] = defaultdict(list)
    for problem in problems:
        sorted_out[problem.reason].append(problem)
    return sorted_out


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
