"""All samples of a selection by their places: listed shard by shard, read in any order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from earthloom.core.errors import RecordError, RunError
from earthloom.core.ids import hash_json
from earthloom.core.records import Reason
from earthloom.store.selection import Selection
from earthloom.store.stream.beside import Beside
from earthloom.store.stream.counts import CountBook
from earthloom.store.stream.facts import with_extra
from earthloom.store.stream.files import FolderShard
from earthloom.store.stream.kept import Kept
from earthloom.store.stream.order import Spot
from earthloom.store.stream.parquet import ParquetShard, keep_groups
from earthloom.store.stream.places import list_shards
from earthloom.store.stream.remote import ShardCache
from earthloom.store.stream.sample import Sample
from earthloom.store.stream.shard import BrokenShard, Chunk, Listed, OpenShard, find_lots, list_rows
from earthloom.store.stream.tars import TarShard

MIXED_BYTES = 256 * 2**20
"""Of row groups of Parquet that are mixed at a time: 2,000 pictures of 130 KB. Tars need none, whatever is shuffled."""
_SPARE = 1.25
"""Row groups of the next mix that fit beside those of this one."""


class Deck:
    """The samples of a selection. Thread-safe; a shard is opened when it is come to, and some are kept open."""

    def __init__(
        self, selection: Selection, base: Path, *, room: int, beside: Path | None, cache: ShardCache | None
    ) -> None:
        """List the shards. room: samples of shards that are kept open. Raises `UsageError` where there are none."""
        self.selection = selection
        self._cache = cache or ShardCache()
        self._shards = list_shards(selection, base, self._cache)
        self._groups = keep_groups(int(MIXED_BYTES * _SPARE))
        self._beside = None if beside is None else Beside(beside)
        self._limit: Kept[None, int | None] = Kept(lambda _: self._find_limit(), room=1, weigh=lambda _: 1)
        self._listed: Kept[int, Listed] = Kept(self._list, room=room, weigh=lambda listed: listed.n)
        self.counts = self._open_counts()

    @property
    def n_shards(self) -> int:
        """Files; a folder of pictures is one."""
        return len(self._shards)

    def chunks(self, shard: int) -> Sequence[Chunk]:
        """The chunks of a shard, with as many samples as were asked for. Raises `RunError` where these have changed."""
        return self._listed.get(shard).chunks

    def key(self, spot: Spot) -> str:
        """Name of a sample, found without reading it."""
        return self._listed.get(spot.shard).key(spot.chunk, spot.row)

    def read(self, spot: Spot) -> Sample:
        """Read a sample. Raises `RecordError`; `RunError` where its shard cannot be brought here, or has changed."""
        listed, shard = self._listed.get(spot.shard), self._shards[spot.shard]
        try:
            sample = listed.read(spot.chunk, spot.row)
        except RecordError as error:
            if shard.remote is None or error.reason is not Reason.MISSING:
                raise
            shard.find()  # another process needed the room for copies
            sample = listed.read(spot.chunk, spot.row)
        return sample if self._beside is None else with_extra(sample, self._beside.read(sample.key))

    def iter_facts(self, shard: int) -> Iterator[tuple[Spot, Mapping[str, Any]]]:
        """Unified facts of a shard's samples, captions left out; those that cannot be read are passed over."""
        listed = self._listed.get(shard)
        for chunk, rows in enumerate(listed.rows):
            facts = listed.shard.facts(chunk)
            for number, row in enumerate(rows):
                each = facts[row]
                if not isinstance(each, RecordError):
                    yield Spot(shard, chunk, number), each

    def announce(self, shards: Sequence[int]) -> None:
        """Say which shards are wanted next: those that have to be copied are copied in the background."""
        files = [file for number in shards if (file := self._shards[number].remote) is not None]
        if files:
            self._cache.expect(files)

    def describe(self) -> list[Any]:
        """Names and sizes of all files, and what is selected: as JSON, for hashes."""
        shards = [(shard.stem, shard.suffix, shard.size) for shard in self._shards]
        chosen = self.selection.model_dump(mode="json", exclude={"folder", "release"})
        beside = None if self._beside is None else self._beside.identity
        folder = self._listed.get(0).shard if self.selection.folder is not None else None
        return [shards, chosen, beside, folder.identity if isinstance(folder, FolderShard) else None]

    def _open_counts(self) -> CountBook:
        """How many samples each shard has, as far as it is remembered: beside the copies, where shards are copied."""
        if not any(shard.remote for shard in self._shards):
            return CountBook()
        return CountBook(self._cache.folder / f"counts-{hash_json(self.describe())}.jsonl")

    def _list(self, number: int) -> Listed:
        below = None if self.selection.limit is None else self._limit.get(None)
        listed = list_rows(self._open(number), self._shards[number].stem, self.selection, below)
        known = self.counts.find(number)
        if known is None:
            # What cannot be opened today may be whole tomorrow.
            self.counts.note(number, listed.n, is_lasting=not isinstance(listed.shard, BrokenShard))
        elif known != listed.n:
            raise self._make_changed_error(number, known, listed)
        return listed

    def _make_changed_error(self, number: int, known: int, listed: Listed) -> RunError:
        """Positions depend on counts: to go on with another one would be to learn from other samples in silence."""
        shard = self._shards[number]
        why = f" ({listed.shard.error})" if isinstance(listed.shard, BrokenShard) else ""
        return RunError(
            f"{shard.stem or self.selection.place}{shard.suffix} had {known:,} samples that are wanted, and now it has "
            f"{listed.n:,}{why}. Put it back as it was, and run the same command again to go on."
        )

    def _find_limit(self) -> int | None:
        """Of the lots of `limit`, the first that is not taken; None where all are."""
        limit = self.selection.limit or 0
        shards = map(self._open, range(len(self._shards)))
        lots = heapq.nsmallest(limit + 1, chain.from_iterable(find_lots(s, self.selection) for s in shards))
        return lots[limit] if len(lots) > limit else None

    def _open(self, number: int) -> OpenShard:
        shard = self._shards[number]
        path = shard.find()
        try:
            if shard.suffix == ".tar":
                return TarShard(path, shard.stem)
            if shard.suffix == ".parquet":
                return ParquetShard(path, shard.stem, self._groups)
            return FolderShard(path)
        except RecordError as error:
            return BrokenShard(f"{shard.stem}{shard.suffix}", error)
