"""Samples of two selections that show one ground at one time, such as its RGB and its SAR."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.ids import hash_json
from earthloom.core.images import probe_image
from earthloom.core.records import Reason
from earthloom.store.selection import Selection
from earthloom.store.stream.deck import MIXED_BYTES, Deck
from earthloom.store.stream.kept import Kept
from earthloom.store.stream.order import Order, Spot, read_first
from earthloom.store.stream.remote import ShardCache
from earthloom.store.stream.sample import Sample
from earthloom.store.stream.samples import choose_shuffle
from earthloom.store.stream.shard import Chunk

Pair = tuple[Sample, Sample]
Numbers = npt.NDArray[np.int32]


class _Keyed(NamedTuple):
    """Samples by the hash of what they are joined by."""

    keys: npt.NDArray[np.uint64]
    spots: Numbers
    """N x 3, see `Spot`."""


class _Joined(NamedTuple):
    """Pairs, sorted by the chunk of their first sample."""

    firsts: Numbers
    seconds: Numbers
    """N x 3 each, see `Spot`."""
    starts: dict[tuple[int, int], int]
    """Shard and chunk of the first sample to the first of its pairs."""
    chunks: dict[int, tuple[Chunk, ...]]
    """By shard of the first sample, how many pairs of each chunk."""


class PairStream:
    """Pairs of co-registered samples in an endless row, in the order of the first ones. Thread-safe.

    Samples are joined by `pair_key`; one with several partners comes with each of them, one without any does not come.
    The facts of all samples are read when the first pair is asked for, and 50 bytes of each pair are held.
    """

    def __init__(
        self,
        first: Selection,
        second: Selection,
        base: Path,
        *,
        seed: int,
        shuffle: int | None = None,
        cache: ShardCache | None = None,
    ) -> None:
        """List the shards of both selections. Arguments and errors are those of `Stream`."""
        self._shuffle = choose_shuffle(first) if shuffle is None else shuffle
        room = 3 * self._shuffle
        self._decks = tuple(Deck(s, base, room=room, beside=None, cache=cache) for s in (first, second))
        self._seed = seed
        self._joined: Kept[None, _Joined] = Kept(lambda _: self._join(), room=1, weigh=lambda _: 1)
        self._order = self._make_order("pairs", self._shuffle)

    def read(self, position: int) -> Pair:
        """Read the pair at a position, from 0, of the endless row.

        Raises:
            RecordError: one of both cannot be read, or they differ in size (MISALIGNED).
            UsageError: no samples have one ground.
            RunError: a shard cannot be brought here.

        """
        return self._read(self._locate(position))

    def key(self, position: int) -> str:
        """Name the first sample of a pair without reading it."""
        return self._decks[0].key(self._find(self._locate(position))[0])

    def first(self, n: int) -> list[Pair]:
        """Read a fixed choice of at most `n` pairs, whatever was read before; broken ones are passed over."""
        return read_first(self._make_order("first", max(n, self._shuffle)), self._read, n)

    def count(self) -> int:
        """How many pairs there are."""
        return len(self._joined.get(None).firsts)

    def known_count(self) -> int | None:
        """The same; all is joined by the time that a pair is read."""
        return self.count()

    @property
    def identity(self) -> str:
        """Hash of the shards' names and sizes, of what is selected, and of how it is shuffled."""
        return hash_json([*(deck.describe() for deck in self._decks), self._seed, self._shuffle])

    def _make_order(self, purpose: str, shuffle: int) -> Order:
        return Order(
            self._decks[0].n_shards,
            lambda shard: self._joined.get(None).chunks[shard],
            seed=self._seed,
            purpose=purpose,
            shuffle=shuffle,
            room=MIXED_BYTES,
            announce=self._decks[0].announce,
        )

    def _locate(self, position: int) -> Spot:
        spot = self._order.locate(position)
        if spot is None:
            names = " and ".join(
                deck.selection.model_dump_json(exclude_defaults=True) for deck in self._decks
            )
            raise UsageError(f"No two samples of {names} show one ground at one time (equal `pair_id`).")
        return spot

    def _find(self, spot: Spot) -> tuple[Spot, Spot]:
        joined = self._joined.get(None)
        at = joined.starts[spot.shard, spot.chunk] + spot.row
        return Spot(*map(int, joined.firsts[at])), Spot(*map(int, joined.seconds[at]))

    def _read(self, spot: Spot) -> Pair:
        first, second = (deck.read(at) for deck, at in zip(self._decks, self._find(spot), strict=True))
        sizes = [(header.width, header.height) for header in map(probe_image, (first.image, second.image))]
        if sizes[0] != sizes[1]:
            raise RecordError(
                Reason.MISALIGNED,
                f"{first.key} is {sizes[0]} and its partner {second.key} {sizes[1]}; wanted equal width and height",
            )
        return first, second

    def _join(self) -> _Joined:
        firsts, seconds = (_list_keys(deck) for deck in self._decks)
        order = np.argsort(seconds.keys, kind="stable")
        keys = seconds.keys[order]
        start, stop = (np.searchsorted(keys, firsts.keys, side) for side in ("left", "right"))
        n_partners = stop - start
        which = np.repeat(np.arange(len(firsts.keys)), n_partners)
        offset = np.arange(len(which)) - np.repeat(np.cumsum(n_partners) - n_partners, n_partners)
        partners = seconds.spots[order[start[which] + offset]]
        return _arrange(firsts.spots[which], partners, self._decks[0])


def _list_keys(deck: Deck) -> _Keyed:
    keys: list[int] = []
    spots: list[Spot] = []
    for shard in range(deck.n_shards):
        for spot, facts in deck.iter_facts(shard):
            if isinstance(name := facts.get("pair_id"), str):
                digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
                keys.append(int.from_bytes(digest, "big"))
                spots.append(spot)
    return _Keyed(np.array(keys, np.uint64), np.array(spots, np.int32).reshape(-1, 3))


def _arrange(firsts: Numbers, seconds: Numbers, deck: Deck) -> _Joined:
    starts: dict[tuple[int, int], int] = {}
    chunks: dict[int, tuple[Chunk, ...]] = {}
    for shard in range(deck.n_shards):
        of_shard = firsts[:, 0] == shard
        sizes = deck.chunks(shard)
        counts = np.bincount(firsts[of_shard, 1], minlength=len(sizes))
        begin = int(np.searchsorted(firsts[:, 0], shard))
        ends: Sequence[int] = np.cumsum(counts).tolist()
        for number, end in enumerate(ends):
            starts[shard, number] = begin + end - int(counts[number])
        chunks[shard] = tuple(Chunk(int(n), size.n_bytes) for n, size in zip(counts, sizes, strict=True))
    return _Joined(firsts, seconds, starts, chunks)
