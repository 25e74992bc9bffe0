"""Counting a release: one pass over the facts of its pairs, in memory that does not grow with their number.

What does grow is eight bytes for every group, scene and picture, which the search for leaks needs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from earthloom.core.records import Pair
from earthloom.export.release import FACTS, Facts, ShardFile, iter_facts, list_files
from earthloom.export.statistics import (
    GSD_EDGES_M,
    SHARE_STEP,
    WORD_STEP,
    Captions,
    Dates,
    Footprint,
    Pick,
    Source,
    Span,
    Statistics,
)
from earthloom.store.tables import from_rows

SPLIT_ORDER = {"train": 0, "val": 1, "test": 2}
MODALITY_ORDER = {"rgb": 0, "nir": 1, "sar": 2}
_CANDIDATES = 96
"""Pairs kept for the mosaics, for each modality and source."""
_FOOTPRINTS = 6000
"""Footprints kept for the maps."""
_COUNTED: tuple[tuple[str, ...], ...] = (
    ("split", "modality"),
    ("platform",),
    ("sensor",),
    ("polarisation",),
    ("width", "height"),
)
_CREDITS = 20
"""Different credits kept for one source."""


def collect_statistics(release: Path) -> Statistics:
    """Count what a release folder holds. Raises `UsageError` when it is no release or cannot be read."""
    files = list_files(release)
    tally = _Tally()
    for facts in iter_facts(files):
        tally.add(facts)
    return tally.finish(files)


class _Part(Protocol):
    def add(self, table: pa.Table) -> None: ...


class _Tally:
    """The running counts, one part for each topic."""

    def __init__(self) -> None:
        self._pairs = 0
        self._counts: dict[tuple[str, ...], Counter[Any]] = {names: Counter() for names in _COUNTED}
        self._media: Counter[tuple[str, str]] = Counter()
        self._known: Counter[str] = Counter()
        self._sources = _Sources()
        self._gsd = _Gsd()
        self._dates = _Dates()
        self._captions = _Captions()
        self._labels: Counter[tuple[str, str]] = Counter()
        self._effects: Counter[tuple[str, str]] = Counter()
        self._valid: Counter[float] = Counter()
        self._cells: Counter[tuple[int, int, bool]] = Counter()
        self._apart = {name: _Apart(name) for name in ("group", "scene_id", "sha256")}
        self._footprints = _Sample(_FOOTPRINTS)
        self._candidates: dict[tuple[str, str], _Sample] = {}
        self._paths: list[Path] = []

    def add(self, facts: Facts) -> None:
        table = facts.table
        self._pairs += table.num_rows
        for names, counter in self._counts.items():
            _count_into(counter, table, names)
        suffixes = pc.replace_substring_regex(pc.struct_field(table["image"], "path"), r"^.*\.", "")
        _count_into(self._media, pa.table({"m": table["modality"], "s": suffixes}), ("m", "s"))
        parts: list[_Part] = [self._sources, self._gsd, self._dates, self._captions, *self._apart.values()]
        for part in parts:
            part.add(table)
        self._known.update(_count_known(table))
        self._labels.update(_count_labels(table["labels"]))
        _count_into(self._effects, _take_effects(table["effect"]), ("name", "severity"))
        self._valid.update(_bin_shares(table["valid_share"]))
        self._cells.update(_bin_places(table))
        self._sample(facts)

    def _sample(self, facts: Facts) -> None:
        table = facts.table
        places = table.select(["id", "lon", "lat", "footprint", "split", "modality", "place"])
        self._footprints.add(places.filter(pc.is_valid(pc.add(places["lon"], places["lat"]))))
        if facts.file.path not in self._paths[-1:]:
            self._paths.append(facts.file.path)
        rows = pa.array(np.arange(facts.start, facts.start + table.num_rows))
        numbers = pa.repeat(len(self._paths) - 1, table.num_rows)
        table = table.append_column("_row", rows).append_column("_file", numbers)
        for key in (
            table.select(["modality", "source"]).group_by(["modality", "source"]).aggregate([]).to_pylist()
        ):
            kind = (key["modality"], key["source"])
            is_kind = pc.and_(pc.equal(table["modality"], kind[0]), pc.equal(table["source"], kind[1]))
            self._candidates.setdefault(kind, _Sample(_CANDIDATES)).add(table.filter(is_kind))

    def finish(self, files: list[ShardFile]) -> Statistics:
        return Statistics(
            pairs=self._pairs,
            splits=dict(sorted(self._counts["split", "modality"].items(), key=_by_kind)),
            platforms=_unwrap(self._counts["platform",]),
            sensors=_unwrap(self._counts["sensor",]),
            polarisations=_unwrap(self._counts["polarisation",]),
            media=dict(sorted(self._media.items())),
            sizes=dict(_by_count(self._counts["width", "height"])),
            sources=self._sources.finish(),
            gsd=dict(sorted(self._gsd.counts.items())),
            gsd_span=self._gsd.span,
            dates=self._dates.finish(self._pairs),
            captions=self._captions.finish(),
            labels=dict(_by_count(self._labels)),
            effects=dict(_by_count(self._effects)),
            valid=dict(sorted(self._valid.items())),
            cells=dict(sorted(self._cells.items())),
            footprints=tuple(self._iter_footprints()),
            known={name: self._known[name] for name in FACTS},
            groups=self._apart["group"].count(),
            leaking_groups=self._apart["group"].count_shared(),
            repeated_images=self._apart["sha256"].count_shared(),
            scenes=self._apart["scene_id"].count(),
            picks=tuple(self._iter_picks()),
            files=_sum_by_form(files, lambda _: 1),
            bytes=_sum_by_form(files, lambda file: file.size),
        )

    def _iter_footprints(self) -> Iterator[Footprint]:
        for row in self._footprints.rows():
            del row["id"]
            yield Footprint(shape=row.pop("footprint"), **row)

    def _iter_picks(self) -> Iterator[Pick]:
        for _, sample in sorted(self._candidates.items()):
            for row in sample.rows():
                row["image"]["bytes"] = b""
                row |= {"valid_mask": None, "class_mask": None}
                file, number = self._paths[row.pop("_file")], row.pop("_row")
                yield Pick(pair=next(from_rows([row], Pair)), file=file, row=number)


class _Sample:
    """The rows with the smallest ids. Ids are hashes, so this is an even sample, whatever the order of reading."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._table: pa.Table | None = None

    def add(self, table: pa.Table) -> None:
        if self._table is not None:
            if self._table.num_rows == self._size:
                table = table.filter(pc.less(table["id"], self._table["id"][-1]))
            table = pa.concat_tables([self._table, table])
        self._table = table.sort_by("id").slice(0, self._size).combine_chunks()

    def rows(self) -> list[dict[str, Any]]:
        return [] if self._table is None else self._table.to_pylist()


class _Apart:
    """Which values of a column are in which split, as 64-bit hashes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: dict[str, list[np.ndarray]] = {}

    def add(self, table: pa.Table) -> None:
        for split in pc.unique(table["split"]).to_pylist():
            values = pc.unique(table[self._name].filter(pc.equal(table["split"], split)))
            hashes = np.fromiter((_hash(v) for v in values.to_pylist()), np.uint64, len(values))
            self._seen.setdefault(split, []).append(hashes)

    def _per_split(self) -> np.ndarray:
        empty = [np.empty(0, np.uint64)]
        return np.concatenate([np.unique(np.concatenate(parts)) for parts in self._seen.values()] or empty)

    def count(self) -> int:
        return len(np.unique(self._per_split()))

    def count_shared(self) -> int:
        _, splits = np.unique(self._per_split(), return_counts=True)
        return int((splits > 1).sum())


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class _Sources:
    def __init__(self) -> None:
        self._pairs: Counter[tuple[Any, ...]] = Counter()
        self._credits: dict[tuple[Any, ...], set[str]] = {}

    def add(self, table: pa.Table) -> None:
        names = ("source", "dataset", "licence", "terms", "synthetic")
        _count_into(self._pairs, table, names)
        for row in table.group_by([*names, "credit"], use_threads=False).aggregate([]).to_pylist():
            known = self._credits.setdefault(tuple(row[name] for name in names), set())
            if row["credit"] is not None and len(known) < _CREDITS:
                known.add(row["credit"])

    def finish(self) -> tuple[Source, ...]:
        return tuple(
            Source(
                source=key[0],
                dataset=key[1],
                licence=key[2],
                terms=key[3],
                synthetic=key[4],
                pairs=n,
                credits=tuple(sorted(self._credits[key])),
            )
            for key, n in _by_count(self._pairs)
        )


class _Gsd:
    def __init__(self) -> None:
        self.counts: Counter[tuple[str, float]] = Counter()
        self.span: Span | None = None

    def add(self, table: pa.Table) -> None:
        known = table.select(["modality", "gsd_m"]).filter(pc.is_valid(table["gsd_m"]))
        if known.num_rows == 0:
            return
        values = known["gsd_m"].to_numpy()
        bins = np.clip(np.searchsorted(GSD_EDGES_M, values, "right") - 1, 0, len(GSD_EDGES_M) - 1)
        edges = np.asarray(GSD_EDGES_M)[bins]
        _count_into(self.counts, pa.table({"m": known["modality"], "e": edges}), ("m", "e"))
        low, high = float(values.min()), float(values.max())
        if self.span is not None:
            low, high = min(low, self.span.low), max(high, self.span.high)
        self.span = Span(low=low, high=high)


class _Dates:
    def __init__(self) -> None:
        self._years: Counter[str] = Counter()
        self._months: Counter[str] = Counter()
        self._ends: list[str] = []

    def add(self, table: pa.Table) -> None:
        dates = table["acquired"].drop_null()
        dates = dates.filter(pc.match_substring_regex(dates, r"^\d{4}(-\d\d|$)"))
        if len(dates) == 0:
            return
        self._years.update(_count_values(pc.utf8_slice_codeunits(dates, 0, 4)))
        monthly = dates.filter(pc.greater(pc.utf8_length(dates), 4))
        self._months.update(_count_values(pc.utf8_slice_codeunits(monthly, 5, 7)))
        ends = pc.min_max(dates).as_py()
        self._ends = [*self._ends, ends["min"], ends["max"]]
        self._ends = [min(self._ends), max(self._ends)]

    def finish(self, pairs: int) -> Dates:
        return Dates(
            years={int(year): n for year, n in sorted(self._years.items())},
            months={int(month): n for month, n in sorted(self._months.items())},
            first=self._ends[0] if self._ends else None,
            last=self._ends[1] if self._ends else None,
            unknown=pairs - self._years.total(),
        )


class _Captions:
    def __init__(self) -> None:
        self._kinds: Counter[tuple[Any, ...]] = Counter()
        self._bins: Counter[int] = Counter()
        self._words = 0

    def add(self, table: pa.Table) -> None:
        flat = pc.list_flatten(table["captions"])
        if len(flat) == 0:
            return
        parts = {name: pc.struct_field(flat, name) for name in ("style", "role", "author", "text")}
        _count_into(self._kinds, pa.table(parts), ("style", "role", "author"))
        words = pc.count_substring_regex(parts["text"], r"\S+").to_numpy()
        self._words += int(words.sum())
        self._bins.update(_count_numbers(words // WORD_STEP * WORD_STEP))

    def finish(self) -> Captions:
        total = self._kinds.total()
        return Captions(
            total=total,
            words=dict(sorted(self._bins.items())),
            mean_words=self._words / total if total else 0.0,
            kinds={(key[0], key[1], key[2]): n for key, n in _by_count(self._kinds)},
        )


def _count_known(table: pa.Table) -> dict[str, int]:
    """Column to rows that say something: not null, and not an empty list."""
    known = {}
    for name in FACTS:
        column = table[name]
        if pa.types.is_list(column.type):
            known[name] = pc.sum(pc.greater(pc.list_value_length(column), 0)).as_py() or 0
        else:
            known[name] = len(column) - column.null_count
    return known


def _count_labels(labels: pa.ChunkedArray) -> dict[tuple[str, str], int]:
    flat = pc.list_flatten(labels)
    if len(flat) == 0:
        return {}
    names = ("kind", "name")
    columns = {name: pc.struct_field(flat, name) for name in names}
    carried = pa.table({"row": pc.list_parent_indices(labels), **columns})
    once = carried.group_by(["row", *names], use_threads=False).aggregate([])
    counts: Counter[tuple[str, str]] = Counter()
    _count_into(counts, once, names)
    return counts


def _take_effects(effects: pa.ChunkedArray) -> pa.Table:
    known = effects.filter(pc.is_valid(effects))
    return pa.table({name: pc.struct_field(known, name) for name in ("name", "severity")})


def _bin_shares(shares: pa.ChunkedArray) -> dict[float, int]:
    steps = round(1 / SHARE_STEP)
    # the small addition keeps 0.95, which is 18.99... steps in floats, out of the bin below
    numbers = np.floor(np.clip(shares.to_numpy(), 0, 1) * steps + 1e-9).astype(int)
    return {number / steps: n for number, n in _count_numbers(numbers).items()}


def _bin_places(table: pa.Table) -> dict[tuple[int, int, bool], int]:
    known = table.filter(pc.is_valid(pc.add(table["lon"], table["lat"])))
    lon = np.floor(known["lon"].to_numpy()).astype(int)
    lat = np.floor(known["lat"].to_numpy()).astype(int)
    synthetic = np.asarray(known["synthetic"].to_pylist(), dtype=int)
    codes = _count_numbers(((lon + 180) % 360 * 1000 + lat + 90) * 2 + synthetic)
    return {(c // 2000 - 180, c // 2 % 1000 - 90, bool(c % 2)): n for c, n in codes.items()}


def _count_into(counter: Counter[Any], table: pa.Table, names: Iterable[str]) -> None:
    names = list(names)
    grouped = table.select(names).group_by(names, use_threads=False).aggregate([([], "count_all")])
    for row in grouped.to_pylist():
        counter[tuple(row[name] for name in names)] += row["count_all"]


def _count_values(values: pa.ChunkedArray) -> dict[str, int]:
    return {row["values"]: row["counts"] for row in pc.value_counts(values).to_pylist()}


def _count_numbers(values: np.ndarray) -> dict[int, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _by_count(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Most frequent first; equals in alphabetical order, so that the order of reading does not show."""
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


def _by_kind(item: tuple[tuple[Any, ...], int]) -> tuple[int, int, str]:
    (split, modality), _ = item
    return SPLIT_ORDER.get(split, 9), MODALITY_ORDER.get(modality, 9), str(modality)


def _unwrap(counts: Counter[tuple[Any, ...]]) -> dict[str | None, int]:
    return {key[0]: n for key, n in _by_count(counts)}


def _sum_by_form(files: Iterable[ShardFile], measure: Callable[[ShardFile], int]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for file in files:
        sums[file.form] += measure(file)
    return dict(sorted(sums.items()))
