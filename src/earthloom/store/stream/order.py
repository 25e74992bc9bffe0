"""The order of samples: from a position in an endless row to a place in a shard, without going through the row.

Every epoch takes the shards in an order of its own, in blocks of as many as hold `shuffle` samples; the samples of a
block are permuted. Where chunks have to be held in memory to be read in any order (row groups of Parquet), a block's
chunks are permuted first and then mixed as many at a time as fit. All of it follows from the seed, the number of the
epoch and the sizes of the shards.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import RLock
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.seeds import make_rng
from earthloom.store.stream.counts import CountBook
from earthloom.store.stream.kept import Kept
from earthloom.store.stream.shard import Chunk

Spots = npt.NDArray[np.int32]
"""N x 3: shard, chunk and row of N samples, in the order in which they come."""

_BLOCKS = 3
"""Orders of blocks that are kept: threads are at the end of one and at the start of the next."""


_TRIES = 100
"""Broken samples that are passed over when the first ones are looked for."""
Read = TypeVar("Read")


class Spot(NamedTuple):
    """Where a sample is."""

    shard: int
    chunk: int
    row: int
    """Among those of its chunk that were asked for."""


class Part(NamedTuple):
    """A chunk of a block."""

    shard: int
    chunk: int
    size: Chunk


class Order:
    """Which sample is at which position. Thread-safe; a shard is listed when it is come to."""

    def __init__(
        self,
        n_shards: int,
        list_chunks: Callable[[int], Sequence[Chunk]],
        *,
        seed: int,
        purpose: str,
        shuffle: int,
        room: int,
        announce: Callable[[Sequence[int]], None] = lambda shards: None,
        counts: CountBook | None = None,
    ) -> None:
        """Take how many shards there are, and how the chunks of one are found.

        Args:
            n_shards: how many.
            list_chunks: gives the chunks of a shard, always the same ones.
            seed: of all permutations.
            purpose: another one, another order.
            shuffle: samples of a block, at least.
            room: bytes of chunks that are mixed at a time.
            announce: is told which shards will be wanted next, soonest first.
            counts: samples of each shard, as far as they are known already.

        """
        self._n_shards = n_shards
        self._list_chunks = list_chunks
        self._seed = seed
        self._purpose = purpose
        self._shuffle = shuffle
        self._room = room
        self._announce = announce
        self._counts = CountBook() if counts is None else counts
        self._epochs: Kept[int, _Epoch] = Kept(self._open_epoch, room=_BLOCKS, weigh=lambda _: 1)
        self._mixed: Kept[tuple[int, int], Spots] = Kept(self._mix_block, room=_BLOCKS, weigh=lambda _: 1)

    def locate(self, position: int) -> Spot | None:
        """Find the sample at a position, from 0; None where there are no samples at all."""
        first = self._epochs.get(0)  # held: asked for again, it might be one that was made anew
        epoch, within, block = 0, position, first.find(position)
        if block is None:  # beyond the first epoch: all shards are counted now
            total = first.n_listed
            if total == 0:
                return None
            epoch, within = divmod(position, total)
            block = self._epochs.get(epoch).find(within)
            assert block is not None
        spots = self._mixed.get((epoch, block))
        start = self._epochs.get(epoch).start_of(block)
        return Spot(*(int(each) for each in spots[within - start]))

    def is_in_first_epoch(self, position: int) -> bool:
        """Whether a position comes before any sample comes a second time."""
        return self._epochs.get(0).find(position) is not None

    def count(self) -> int:
        """How many samples an epoch has; lists every shard that was not come to yet."""
        return sum(map(self._count, range(self._n_shards)))

    def known_count(self) -> int | None:
        """The same where every shard was come to; else None."""
        return self._counts.total() if len(self._counts) == self._n_shards else None

    def _count(self, shard: int) -> int:
        n = self._counts.find(shard)
        if n is None:
            n = sum(chunk.n for chunk in self._list_chunks(shard))
            self._counts.note(shard, n)
        return n

    def _rng(self, *what: int) -> np.random.Generator:
        return make_rng(self._seed, "stream", self._purpose, *map(str, what))

    def _open_epoch(self, number: int) -> _Epoch:
        return _Epoch(self._rng(number).permutation(self._n_shards), self._count, self._shuffle)

    def _mix_block(self, which: tuple[int, int]) -> Spots:
        epoch, block = which
        shards, later = self._epochs.get(epoch).shards_of(block)
        self._announce([*shards, *later])
        parts = [
            Part(shard, number, chunk)
            for shard in shards
            for number, chunk in enumerate(self._list_chunks(shard))
        ]
        return mix(parts, self._rng(epoch, block), self._room)


def read_first(order: Order, read: Callable[[Spot], Read], n: int) -> list[Read]:
    """Read at most `n` samples from the beginning of an order, each once; broken ones are passed over."""
    found: list[Read] = []
    for position in range(n + _TRIES):
        if len(found) == n or not order.is_in_first_epoch(position):
            break
        spot = order.locate(position)
        assert spot is not None
        with suppress(RecordError):  # it is told of when its turn comes
            found.append(read(spot))
    return found


class _Epoch:
    """One round through all shards, divided into blocks as far as was asked for. Thread-safe.

    Other threads may have pushed an epoch out of the cache since a block of it was found: whatever is asked of a block
    works on one that was made anew.
    """

    def __init__(self, shards: npt.NDArray[np.int64], count: Callable[[int], int], shuffle: int) -> None:
        self._shards = [int(shard) for shard in shards]
        self._count = count
        self._shuffle = shuffle
        self._lock = RLock()
        self._starts: list[int] = []
        """Position in the epoch of each block's first sample."""
        self._cuts = [0]
        """Index of each block's first shard, and of that after the last."""
        self.n_listed = 0
        """Samples of all blocks so far."""

    def find(self, within: int) -> int | None:
        """Number of the block with a position; None beyond the end of the epoch, which is known from then on."""
        with self._lock:
            while within >= self.n_listed and self._cuts[-1] < len(self._shards):
                self._add_block()
            return bisect_right(self._starts, within) - 1 if within < self.n_listed else None

    def start_of(self, block: int) -> int:
        """Position in the epoch of a block's first sample."""
        with self._lock:
            self._list_to(block)
            return self._starts[block]

    def shards_of(self, block: int) -> tuple[list[int], list[int]]:
        """The shards of a block, and as many after them."""
        with self._lock:
            self._list_to(block)
            start, stop = self._cuts[block : block + 2]
            return self._shards[start:stop], self._shards[stop : 2 * stop - start]

    def _list_to(self, block: int) -> None:
        while len(self._starts) <= block and self._cuts[-1] < len(self._shards):
            self._add_block()

    def _add_block(self) -> None:
        n, cut = 0, self._cuts[-1]
        while n < self._shuffle and cut < len(self._shards):
            n += self._count(self._shards[cut])
            cut += 1
        if n:
            self._starts.append(self.n_listed)
            self._cuts.append(cut)
            self.n_listed += n
        else:  # nothing was asked for in all that is left
            self._cuts[-1] = cut


def mix(parts: Sequence[Part], rng: np.random.Generator, room: int) -> Spots:
    """Permute the samples of some chunks; where they exceed `room` bytes, those of as many chunks at a time as fit.

    Every sample comes once.
    """
    if sum(part.size.n_bytes for part in parts) <= room:
        return _permute(parts, rng)
    parts = [parts[int(i)] for i in rng.permutation(len(parts))]
    mixed, waiting, held = [], list[Part](), 0
    for part in parts:
        if waiting and held + part.size.n_bytes > room:
            mixed.append(_permute(waiting, rng))
            waiting, held = [], 0
        waiting.append(part)
        held += part.size.n_bytes
    return np.concatenate([*mixed, _permute(waiting, rng)])


def _permute(parts: Sequence[Part], rng: np.random.Generator) -> Spots:
    counts = [part.size.n for part in parts]
    places = np.array([(part.shard, part.chunk) for part in parts], np.int32).reshape(-1, 2)
    rows = np.concatenate([np.arange(n, dtype=np.int32) for n in counts] or [np.zeros(0, np.int32)])
    spots = np.column_stack([np.repeat(places, counts, axis=0), rows]).astype(np.int32)
    return np.asarray(spots[rng.permutation(len(spots))], np.int32)
