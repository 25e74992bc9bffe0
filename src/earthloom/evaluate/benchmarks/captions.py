"""Test sets of pictures with captions: Karpathy's JSON, as RSICD, RSITMD, UCM- and Sydney-Captions have it.

Read as well: files `captions_SPLIT.jsonl` with a line `{"file": ..., "captions": [...]}` for each picture.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from earthloom.core.errors import UsageError
from earthloom.evaluate.benchmarks.files import PictureFile, list_pictures
from earthloom.evaluate.benchmarks.names import Benchmark
from earthloom.evaluate.sets import Entry
from earthloom.store.shown import Shown
from earthloom.store.stream.sample import Words

_JSON = ("dataset*.json", "*/dataset*.json")
_LINES = "captions_*.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Captioned:
    """What a file says of one picture."""

    name: str
    split: str
    captions: tuple[str, ...]


def list_captioned(benchmark: Benchmark, place: Path) -> list[Entry]:
    """List the pictures of a test set with their captions, in the order of the file that has them.

    A picture that the file names twice in one split is one, with the captions of both; one that is not on disk is
    listed, and set aside when it is read.

    Raises:
        UsageError: no file of captions is there, it is in another form, or none of its pictures is there.

    """
    told = _merge(_read(benchmark, place))
    root = place.parent if place.is_file() else place
    found = _index(list_pictures(root), {one.name for one in told})
    if not found:
        raise UsageError(
            f"{benchmark.title} was wanted as {benchmark.layout}; none of {len(told):,} pictures, such as "
            f"{told[0].name!r}, lies below {root} or in a .tar there."
        )
    return [_describe(one, found.get(one.name), root, benchmark) for one in told]


def _read(benchmark: Benchmark, place: Path) -> list[Captioned]:
    if place.is_file():
        return list(_read_lines(place) if place.suffix == ".jsonl" else _read_karpathy(place))
    if not place.is_dir():
        raise UsageError(f"There is no folder or file {str(place)!r}.")
    files = next((paths for pattern in _JSON if (paths := sorted(place.glob(pattern)))), [])
    if len(files) > 1:
        raise UsageError(f"{place} holds several sets: give one of {', '.join(path.name for path in files)}.")
    if files:
        return list(_read_karpathy(files[0]))
    lines = sorted(place.glob(_LINES))
    if not lines:
        raise UsageError(
            f"{benchmark.title} was wanted as {benchmark.layout}; {place} holds no dataset*.json and no {_LINES}."
        )
    return [one for path in lines for one in _read_lines(path)]


def _read_karpathy(path: Path) -> Iterator[Captioned]:
    plain = _parse(path, _read_text(path))
    rows = plain.get("images") if isinstance(plain, dict) else None
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"{path} was wanted in Karpathy's form, an object with a list `images`.")
    for number, row in enumerate(rows):
        try:
            texts = [_word(sentence) for sentence in row["sentences"]]
            yield _make(str(row["filename"]), str(row["split"]), texts)
        except (KeyError, TypeError) as error:
            raise UsageError(
                f"{path}, images[{number}]: filename, split and sentences with `raw` or `tokens` were wanted: {error}."
            ) from error


def _word(sentence: Any) -> str:
    """The sentence as it was written; of its tokens where that is not told."""
    return str(sentence["raw"]) if "raw" in sentence else " ".join(sentence["tokens"])


def _read_lines(path: Path) -> Iterator[Captioned]:
    split = path.stem.partition("_")[2]
    lines = _read_text(path).split("\n")  # a caption may hold what `splitlines` splits at
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _parse(path, line, number)
        try:
            yield _make(str(row["file"]), split, [str(text) for text in row["captions"]])
        except (KeyError, TypeError) as error:
            raise UsageError(f"{path}, line {number}: `file` and `captions` were wanted: {error}.") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error


def _parse(path: Path, text: str, line: int | None = None) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        where = f", line {line}" if line is not None else ""
        raise UsageError(f"{path}{where} is no JSON: {error}.") from error


def _make(name: str, split: str, texts: list[str]) -> Captioned:
    return Captioned(name=name, split=split, captions=tuple(text.strip() for text in texts if text.strip()))


def _merge(told: list[Captioned]) -> list[Captioned]:
    """One for each picture of a split."""
    merged: dict[tuple[str, str], Captioned] = {}
    for one in told:
        before = merged.get((one.split, one.name))
        captions = one.captions if before is None else (*before.captions, *one.captions)
        merged[one.split, one.name] = Captioned(name=one.name, split=one.split, captions=captions)
    return list(merged.values())


def _index(pictures: list[PictureFile], wanted: set[str]) -> dict[str, PictureFile]:
    """Pictures by the names that captions give them; where several folders have one, from that which has most."""
    bases = {PurePosixPath(name).name: name for name in wanted}
    named = [picture for picture in pictures if picture.name in bases]
    weight = Counter((picture.path.parent, picture.within is None) for picture in named)
    named.sort(key=lambda picture: weight[picture.path.parent, picture.within is None])
    return {bases[picture.name]: picture for picture in named}


def _describe(one: Captioned, picture: PictureFile | None, root: Path, benchmark: Benchmark) -> Entry:
    if picture is None:
        path = root / one.name
        shown = Shown(key=one.name, base_key=one.name, group=one.name, path=path, split=one.split)
    else:
        shown = picture.show(split=one.split, source=benchmark.name)
    return Entry(shown=shown, captions=tuple(Words(text=text) for text in one.captions))
