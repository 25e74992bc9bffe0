"""Samples of a selection, one after the other, in an order that is shuffled and can be entered anywhere."""

from __future__ import annotations

from pathlib import Path

from earthloom.core.ids import hash_json
from earthloom.store.selection import Selection, is_uri
from earthloom.store.stream.deck import MIXED_BYTES, Deck
from earthloom.store.stream.order import Order, Spot, read_first
from earthloom.store.stream.remote import ShardCache
from earthloom.store.stream.sample import Sample, Words

__all__ = ["Sample", "Stream", "Words"]

SHUFFLE = 32_768
"""Samples that are permuted as one: some thirty shards, whose lists take half a second to read. Shards are often
sorted, by class or by scene: the more of them are mixed, the more a batch looks like the whole."""
REMOTE_SHUFFLE = 8192
"""The same of object storage: 1 GB of pictures of 512 px, which is copied before the first sample can be read."""


class Stream:
    """Samples of a selection in an endless row: epoch after epoch, each in an order of its own. Thread-safe.

    What is at a position depends on the shards, the selection and the seed alone. Nothing is opened before it is
    needed, and what is held does not grow with the number of samples.
    """

    def __init__(
        self,
        selection: Selection,
        base: Path,
        *,
        seed: int,
        shuffle: int | None = None,
        beside: Path | None = None,
        cache: ShardCache | None = None,
    ) -> None:
        """List the shards of a selection; none is opened.

        Args:
            selection: which samples, and where.
            base: folder that the selection's path is relative to.
            seed: of all orders.
            shuffle: samples that are permuted as one, at least: whole shards are taken until there are as many.
                Left out, 32,768, and 8,192 of object storage.
            beside: folder of tars with further members of the same samples, such as latents, see `Beside`.
            cache: for copies of shards in object storage.

        Raises:
            UsageError: there is no such place, or no shard in it.

        """
        self._shuffle = choose_shuffle(selection) if shuffle is None else shuffle
        self._deck = Deck(selection, base, room=3 * self._shuffle, beside=beside, cache=cache)
        self._seed = seed
        self._order = self._make_order("samples", self._shuffle)

    def read(self, position: int) -> Sample:
        """Read the sample at a position, from 0, of the endless row.

        Raises:
            RecordError: that sample, or its shard, cannot be read.
            UsageError: no sample passes the filters.
            RunError: a shard cannot be brought here, or has changed since its samples were counted.

        """
        return self._deck.read(self._locate(position))

    def key(self, position: int) -> str:
        """Name the sample at a position without reading it. Raises `UsageError` and `RunError` as `read`."""
        return self._deck.key(self._locate(position))

    def first(self, n: int) -> list[Sample]:
        """Read a fixed choice of at most `n` samples, whatever was read before; broken ones are passed over."""
        return read_first(self._make_order("first", max(n, self._shuffle)), self._deck.read, n)

    def count(self) -> int:
        """How many samples there are, broken ones included. Opens every shard: 20 ms for 1,000 samples in a tar."""
        return self._order.count()

    def known_count(self) -> int | None:
        """The same where all shards have been opened already; else None."""
        return self._order.known_count()

    @property
    def identity(self) -> str:
        """Hash of the shards' names and sizes, of what is selected, and of how it is shuffled."""
        return hash_json([self._deck.describe(), self._seed, self._shuffle])

    def _make_order(self, purpose: str, shuffle: int) -> Order:
        return Order(
            self._deck.n_shards,
            self._deck.chunks,
            seed=self._seed,
            purpose=purpose,
            shuffle=shuffle,
            room=MIXED_BYTES,
            announce=self._deck.announce,
            counts=self._deck.counts,
        )

    def _locate(self, position: int) -> Spot:
        spot = self._order.locate(position)
        if spot is None:
            raise self._deck.selection.make_empty_error()
        return spot


def choose_shuffle(selection: Selection) -> int:
    """Samples that are permuted as one, of a place."""
    return REMOTE_SHUFFLE if is_uri(selection.place) else SHUFFLE
