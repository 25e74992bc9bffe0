"""Batches of samples of a stream: read and prepared by threads, the same ones however many threads there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from earthloom.core.errors import RecordError, RunError
from earthloom.core.ids import hash_json
from earthloom.core.seeds import make_rng
from earthloom.store.stream.samples import Sample
from earthloom.train.step import Batch, Share

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
Arrays = Mapping[str, npt.NDArray[Any]]
Prepare = Callable[[Sample, np.random.Generator], Arrays]
"""One sample's arrays, of the same shapes for all samples. What it draws, it draws from the generator. Raises
`RecordError` for a sample that cannot be used; is called by several threads at a time."""
PreparePair = Callable[[tuple[Sample, Sample], np.random.Generator], Arrays]
"""The same for two samples that show one ground."""

_TRIES = 100
"""Samples that are tried for one place in a batch before training is given up."""
_HELD = "validate"
"""Place of held-out samples in a recipe."""
_NEAR = 64
"""Positions among which the first replacements of a broken sample are drawn: most are in shards that are open."""


class Row(Protocol[S_co]):
    """An endless row of samples, or of pairs of them, that can be entered anywhere: `Stream`, `PairStream`."""

    def read(self, position: int) -> S_co:
        """Read what is at a position, from 0. Raises `RecordError`."""
        ...

    def key(self, position: int) -> str:
        """Name what is at a position without reading it."""
        ...

    def first(self, n: int) -> Sequence[S_co]:
        """Read a fixed choice."""
        ...

    def known_count(self) -> int | None:
        """How many there are, where that is known by now."""
        ...

    @property
    def identity(self) -> str:
        """Hash of what is in the row and of its order."""
        ...


class StreamBatches(Generic[S]):
    """Batches of a row of samples, as `train.step.Batches` wants them.

    Sample i of micro-batch m, from 1, on process r of w is the one at position ((m - 1) * w + r) * batch + i. In the
    place of one that cannot be used comes another, drawn by that position alone; `refused` tells what was set aside.
    """

    def __init__(
        self,
        stream: Row[S],
        prepare: Callable[[S, np.random.Generator], Arrays],
        *,
        batch: int,
        seed: int,
        share: Share,
        threads: int,
        place: str = "data",
        n_shown: int = 8,
        held: Row[S] | None = None,
        n_held: int = 0,
        prepare_fixed: Callable[[S, np.random.Generator], Arrays] | None = None,
    ) -> None:
        """Take a row, and what makes arrays of a sample.

        Args:
            stream: the samples.
            prepare: see `Prepare`.
            batch: samples of a micro-batch of this process.
            seed: of what `prepare` draws, and of replacements.
            share: which part of every step is this process's.
            threads: how many read and prepare samples; with 0 it is done when a batch is asked for.
            place: of the selection in the recipe, for what is told of broken samples.
            n_shown: samples of which pictures are made while training goes on.
            held: held-out samples, None for none.
            n_held: how many of them losses are measured on, at most.
            prepare_fixed: prepares shown and held-out samples, as `prepare` where it is not given.

        """
        self._stream = stream
        self._prepare = prepare
        self._prepare_fixed = prepare_fixed or prepare
        self._batch = batch
        self._seed = seed
        self._share = share
        self._place = place
        self._n_shown = n_shown
        self._held_stream = held
        self._n_held = n_held
        self._held: tuple[Batch, ...] | None = None
        self._refused: dict[str, dict[str, str]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(threads, "samples") if threads else None
        self._n_ahead = 1 + -(-2 * threads // batch) if threads else 0
        self._waiting: dict[int, list[Future[Arrays]]] = {}

    def draw(self, number: int) -> Batch:
        """Make one micro-batch; numbers count from 1. The next ones are begun by the threads.

        Raises `RunError` where none of a hundred samples can be used, or samples have arrays of different shapes.
        """
        if self._pool is None:
            return collate([self._make(position) for position in self._positions(number)])
        with self._lock:
            wanted = range(number, number + self._n_ahead + 1)
            for each in wanted:
                if each not in self._waiting:
                    self._waiting[each] = [self._pool.submit(self._make, p) for p in self._positions(each)]
            for each in [each for each in self._waiting if each not in wanted]:
                for future in self._waiting.pop(each):
                    future.cancel()
            futures = self._waiting.pop(number)
        return collate([future.result() for future in futures])

    def show(self) -> Batch:
        """Make the batch of which samples are made: always the same one. Raises `RunError` where none can be used."""
        shown = self._make_first(self._stream, self._n_shown, "show", self._place)
        if not shown:
            raise self._give_up(self._place)
        return collate(shown)

    def held(self) -> Sequence[Batch]:
        """Batches of held-out samples, always the same ones, kept in memory; the last one may be smaller.

        Raises `RunError` where samples are named and none can be used.
        """
        if self._held is None:
            self._held = () if self._held_stream is None else tuple(self._make_held(self._held_stream))
        return self._held

    @property
    def identity(self) -> str:
        """Hash of what is drawn from, and in which order."""
        held = None if self._held_stream is None else self._held_stream.identity
        return hash_json([self._stream.identity, held])

    @property
    def counts(self) -> Mapping[str, int]:
        """Samples by place in the recipe: empty while not all shards have been come to."""
        n = self._stream.known_count()
        return {} if n is None else {self._place: n}

    @property
    def refused(self) -> Mapping[str, Mapping[str, str]]:
        """What could not be used so far: place in the recipe, key, and reason with detail."""
        with self._lock:
            return {place: dict(sorted(reasons.items())) for place, reasons in sorted(self._refused.items())}

    def _positions(self, number: int) -> range:
        start = ((number - 1) * self._share.world + self._share.rank) * self._batch
        return range(start, start + self._batch)

    def _make(self, position: int) -> Arrays:
        for candidate in self._candidates(position):
            try:
                rng = make_rng(self._seed, "prepare", self._place, str(position))
                return self._prepare(self._stream.read(candidate), rng)
            except RecordError as error:
                self._set_aside(self._place, self._stream.key(candidate), error)
        raise self._give_up(self._place)

    def _candidates(self, position: int) -> Iterator[int]:
        """The position itself, then others after it, further and further away."""
        yield position
        instead = make_rng(self._seed, "instead", self._place, str(position))
        for n_tried in range(_TRIES - 1):
            yield position + int(instead.integers(1, _NEAR << (n_tried // 8)))

    def _make_first(self, row: Row[S], n: int, purpose: str, place: str) -> list[Arrays]:
        """Prepare the first `n` samples that can be used; those behind them are looked at only where some cannot."""
        found: list[Arrays] = []
        for n_read in (n, n + _TRIES):
            samples = row.first(n_read)
            found = list(self._prepare_all(samples, purpose, place))
            if len(found) >= n or len(samples) < n_read:
                break
        return found[:n]

    def _prepare_all(self, samples: Sequence[S], purpose: str, place: str) -> Iterator[Arrays]:
        for number, sample in enumerate(samples):
            try:
                yield self._prepare_fixed(sample, make_rng(self._seed, purpose, place, str(number)))
            except RecordError as error:
                self._set_aside(place, f"{purpose} {number}", error)

    def _make_held(self, row: Row[S]) -> Iterator[Batch]:
        found = self._make_first(row, self._n_held, "held-out", _HELD)
        if not found and self._n_held:
            raise self._give_up(_HELD)
        for start in range(0, len(found), self._batch):
            yield collate(found[start : start + self._batch])

    def _set_aside(self, place: str, key: str, error: RecordError) -> None:
        with self._lock:
            self._refused.setdefault(place, {})[key] = str(error)

    def _give_up(self, place: str) -> RunError:
        found = [f"{key!r} because of {why}" for key, why in self.refused.get(place, {}).items()]
        last = found[-1] if found else "none is there"
        return RunError(
            f"None of {_TRIES} samples drawn from `{place}` could be used; {last}. Check what the recipe selects."
        )


def collate(samples: Sequence[Arrays]) -> dict[str, torch.Tensor]:
    """Stack the arrays of samples by name; types stay as they are. Raises `RunError` where names or shapes differ."""
    names = samples[0].keys()
    if any(sample.keys() != names for sample in samples):
        found = sorted({", ".join(sorted(sample)) for sample in samples})
        raise RunError(f"Samples of one batch were prepared to different arrays: {found}.")
    try:
        return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in names}
    except ValueError as error:
        shapes = {name: sorted({sample[name].shape for sample in samples}) for name in names}
        raise RunError(f"Samples of one batch have arrays of different shapes: {shapes}.") from error
