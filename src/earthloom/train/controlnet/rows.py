"""Samples of three modalities that show one ground: pairs, each with one more of its partners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_json
from earthloom.core.images import probe_image
from earthloom.core.records import Reason
from earthloom.store.selection import Selection
from earthloom.store.stream.deck import Deck
from earthloom.store.stream.order import Spot
from earthloom.store.stream.pairs import PairStream
from earthloom.store.stream.sample import Sample
from earthloom.store.stream.samples import choose_shuffle

Group = tuple[Sample, ...]
"""What is drawn after, in the order of the recipe; then what is drawn."""


@dataclass
class Rows:
    """Groups of co-registered samples as `train.batches.Row` wants them. Thread-safe.

    They come in the order of their pairs. A pair that lacks a third picture raises `RecordError` MISSING when it is
    read.
    """

    pairs: PairStream
    """Of the first condition and of what is drawn."""
    also: Deck | None = None
    """The second condition."""

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._spots: dict[str, Spot] | None = None

    def read(self, position: int) -> Group:
        """Read the group at a position. Raises `RecordError` as the streams do, or where a third picture is missing."""
        return self._join(self.pairs.read(position))

    def key(self, position: int) -> str:
        """Name the first sample at a position."""
        return self.pairs.key(position)

    def first(self, n: int) -> list[Group]:
        """Read a fixed choice of at most `n` groups."""
        return list(self._join_all(self.pairs.first(n)))

    def known_count(self) -> int | None:
        """How many pairs there are."""
        return self.pairs.known_count()

    @property
    def identity(self) -> str:
        """Hash of what is read, and in which order."""
        return hash_json([self.pairs.identity, None if self.also is None else self.also.describe()])

    def _join_all(self, pairs: list[tuple[Sample, Sample]]) -> Iterator[Group]:
        for pair in pairs:
            try:
                yield self._join(pair)
            except RecordError:  # it is told of when its turn comes
                continue

    def _join(self, pair: tuple[Sample, Sample]) -> Group:
        if self.also is None:
            return pair
        first, drawn = pair
        spot = self._find_spots(self.also).get(first.pair_key or "")
        if spot is None:
            modality = self.also.selection.modality.value
            raise RecordError(
                Reason.MISSING, f"{first.key} has no partner in {modality}, which is drawn after too"
            )
        more = self.also.read(spot)
        sizes = [(header.width, header.height) for header in map(probe_image, (first.image, more.image))]
        if sizes[0] != sizes[1]:
            raise RecordError(
                Reason.MISALIGNED,
                f"{first.key} is {sizes[0]} and its partner {more.key} {sizes[1]}; wanted equal width and height",
            )
        return first, more, drawn

    def _find_spots(self, deck: Deck) -> dict[str, Spot]:
        with self._lock:
            if self._spots is None:
                rows = (row for shard in range(deck.n_shards) for row in deck.iter_facts(shard))
                self._spots = {
                    str(facts["pair_id"]): spot for spot, facts in rows if facts.get("pair_id") is not None
                }
            return self._spots


def open_rows(
    conditions: tuple[Selection, ...], drawn: Selection, base: Path, *, seed: int, shuffle: int | None = None
) -> Rows:
    """Join one or two selections with one more; paths are relative to `base`.

    Raises:
        UsageError: there is no such release.

    """
    pairs = PairStream(conditions[0], drawn, base, seed=seed, shuffle=shuffle)
    also = (
        Deck(
            conditions[1],
            base,
            room=4 * (choose_shuffle(conditions[1]) if shuffle is None else shuffle),
            beside=None,
            cache=None,
        )
        if conditions[1:]
        else None
    )
    return Rows(pairs, also)
