"""Grids of pictures: generated ones beside real ones, and beside what they may be copies of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from earthloom.evaluate.gathering import Gathered
from earthloom.evaluate.generation.classes import Labels
from earthloom.evaluate.generation.copying import Pairs
from earthloom.evaluate.sets import Entry, Picture
from earthloom.evaluate.work import Grid, Row, Work
from earthloom.store.selection import CLEAR

ACROSS = 4
"""Pictures of each set in a row."""
_LETTERS = 160
"""Of a prompt beside a row."""


def show_classes(work: Work, real: Gathered, generated: Gathered, labels: Labels, rows: int) -> Grid | None:
    """Some of every class that both sets have, drawn at random; None where there is no class."""
    by_class = [
        _list_by_name(names, each.entries)
        for names, each in ((labels.real, real), (labels.generated, generated))
    ]
    names = sorted(set(by_class[0]) & set(by_class[1]))[:rows]
    found = [_show_both(work, name, by_class[0][name], by_class[1][name]) for name in names]
    if not found:
        return None
    return Grid(
        title="Real and generated, by class",
        rows=tuple(found),
        note=f"{ACROSS} real pictures, then {ACROSS} generated ones; drawn at random, none was chosen.",
    )


def show_prompts(work: Work, generated: Gathered, pairs: Mapping[str, Entry], rows: int) -> Grid | None:
    """Generated pictures by prompt, beside the real picture whose caption it was where that is known."""
    by_prompt: dict[str, list[Entry]] = {}
    for entry in generated.entries:
        if entry.prompt is not None:
            by_prompt.setdefault(entry.prompt_key or entry.key, []).append(entry)
    if not by_prompt:
        return None
    keys = work.rng("prompts shown").permutation(sorted(by_prompt))[:rows].tolist()
    found = [_show_prompt(work, by_prompt[key], pairs.get(key)) for key in keys]
    return Grid(
        title="Generated, by prompt",
        rows=tuple(found),
        note="Prompts were drawn at random."
        + (" First the real picture whose caption was the prompt." if pairs else ""),
    )


def show_pairs(work: Work, generated: Gathered, train: Gathered, pairs: Pairs, rows: int) -> Grid:
    """The generated pictures that come nearest to a training picture, each beside it."""
    found = []
    for own, other, label in zip(pairs.rows[:rows], pairs.partners[:rows], pairs.labels[:rows], strict=True):
        pictures, captions = [], []
        for name, entry in (("generated", generated.entries[own]), ("trained on", train.entries[other])):
            picture = work.read(entry)
            if picture is not None:
                pictures.append(picture)
                captions.append(f"{name}: {entry.key}")
        found.append(Row(label=label, pictures=tuple(pictures), captions=tuple(captions)))
    return Grid(title=pairs.title, rows=tuple(found), note=pairs.note)


def _show_both(work: Work, name: str, real: Sequence[Entry], generated: Sequence[Entry]) -> Row:
    found = [
        (picture, _caption(kind, entry))
        for kind, entries in (("real", real), ("generated", generated))
        for entry, picture in _read_some(work, entries, f"{kind} {name}", ACROSS)
    ]
    return Row(
        label=name,
        pictures=tuple(picture for picture, _ in found),
        captions=tuple(caption for _, caption in found),
    )


def _caption(kind: str, entry: Entry) -> str:
    return kind if entry.scene in {None, CLEAR} else f"{kind}, {entry.scene}"


def _show_prompt(work: Work, drawn: Sequence[Entry], pair: Entry | None) -> Row:
    text = drawn[0].prompt or ""
    label = text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
    real = [] if pair is None else [picture for picture in [work.read(pair)] if picture is not None]
    made = [picture for entry in drawn[: 2 * ACROSS - 1] if (picture := work.read(entry)) is not None]
    captions = ["real"] * len(real) + ["generated"] * len(made)
    return Row(label=label, pictures=(*real, *made), captions=tuple(captions))


def _read_some(work: Work, entries: Sequence[Entry], purpose: str, n: int) -> list[tuple[Entry, Picture]]:
    """Pictures drawn at random, as many as can be read."""
    found: list[tuple[Entry, Picture]] = []
    for row in work.rng(f"shown {purpose}").permutation(len(entries)):
        picture = work.read(entries[row])
        if picture is not None:
            found.append((entries[row], picture))
        if len(found) == n:
            break
    return found


def _list_by_name(names: Sequence[str | None], entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for name, entry in zip(names, entries, strict=True):
        if name is not None:
            found.setdefault(name, []).append(entry)
    return found
