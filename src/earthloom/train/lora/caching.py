"""The cache of a training: latents and texts encoded once, as tars beside those of the release, and reused.

It lies in shards of as many samples, each done when its manifest is written: who is killed goes on with the next shard.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from earthloom.core.errors import RecordError
from earthloom.store.atomic import open_atomic
from earthloom.store.shards import Counts, Manifest, file_sizes, read_manifest
from earthloom.store.stream.sample import Sample
from earthloom.train.lora.encoding import Encoded, Encoder, Ready
from earthloom.train.step import Setting

SHARD = 512
"""Samples of a shard: 32 MB of latents at 512 pixels; some seconds of a GPU's work, which a kill costs at most."""
_STAGE = "cache"
_CUT = "texts cut"
_AHEAD = 3
"""Batches that are decoded while one is encoded."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Samples to encode."""

    place: str
    """In the recipe."""
    n: int
    read: Callable[[int], Sample]
    """Gives one by its number, from 0. Raises `RecordError`."""


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The shards of one source in one folder."""

    folder: Path
    key: str
    """Hash of all that its content depends on."""
    source: Source

    def fill(
        self, open_encoder: Callable[[], Encoder], setting: Setting, *, batch: int, threads: int
    ) -> None:
        """Make this process's part of the shards that are not whole.

        Args:
            open_encoder: loads the models; is not called where nothing is to be done.
            setting: of the training; says which part is this process's.
            batch: pictures that are encoded at a time.
            threads: how many decode.

        Raises:
            WriteError: the disk is full or not writable. Finished shards are kept.

        """
        own = range(setting.share.rank, -(-self.source.n // SHARD), setting.share.world)
        missing = [number for number in own if self._find(number) is None]
        if missing:
            setting.say(
                f"{self.source.place}: encoding up to {min(len(missing) * SHARD, self.source.n):,} of "
                f"{self.source.n:,} pictures once, into {self.folder}."
            )
            encoder = open_encoder()
            with ThreadPoolExecutor(threads, "encoding") as pool:
                for number in missing:
                    self._make(number, encoder, pool, batch)
            self._tell(setting.say)

    def _make(self, number: int, encoder: Encoder, pool: ThreadPoolExecutor, batch: int) -> None:
        path, positions = self._name(number, "tar"), self._positions(number)
        counts, tally = Counts(planned=len(positions)), {_CUT: 0}
        futures = (pool.submit(self._prepare, encoder, position) for position in positions)
        with open_atomic(path) as file, _open_tar(file) as tar:
            for ready in _gather(futures, batch, counts):
                for encoded in encoder.encode(ready):
                    _add(tar, encoded)
                    tally[_CUT] += encoded.n_cut
                    counts.written += 1
        counts.records = counts.written
        manifest = Manifest(
            stage=_STAGE,
            name=path.stem,
            key=self.key,
            counts=counts,
            tally=tally,
            files=file_sizes([path], self.folder),
        )
        manifest.write(self._name(number, "json"))

    def _prepare(self, encoder: Encoder, position: int) -> Ready | RecordError:
        try:
            return encoder.prepare(self.source.read(position))
        except RecordError as error:
            return error

    def _tell(self, say: Callable[[str], None]) -> None:
        """Say what came of it, as far as it is there."""
        found = [
            manifest for n in range(-(-self.source.n // SHARD)) if (manifest := self._find(n)) is not None
        ]
        total = Counts()
        for manifest in found:
            total.add(manifest.counts)
        n_cut = sum(manifest.tally[_CUT] for manifest in found)
        refused = ", ".join(f"{n:,} {reason}" for reason, n in sorted(total.refused.items()))
        say(
            f"{self.source.place}: {total.written:,} pictures encoded"
            + (f", refused {refused}." if refused else ".")
        )
        if n_cut:
            say(
                f"{self.source.place}: {n_cut:,} texts are longer than the text encoder takes; their ends are cut off."
            )

    def _find(self, number: int) -> Manifest | None:
        return read_manifest(self._name(number, "json"), self.key)

    def _positions(self, number: int) -> range:
        return range(number * SHARD, min((number + 1) * SHARD, self.source.n))

    def _name(self, number: int, suffix: str) -> Path:
        return self.folder / f"{self.source.place}-{number:06d}.{suffix}"


def _gather(
    futures: Iterable[Future[Ready | RecordError]], size: int, counts: Counts
) -> Iterator[Sequence[Ready]]:
    """Give what can be encoded, `size` at a time; a few more are made ready meanwhile."""
    row = iter(futures)
    waiting = list(islice(row, _AHEAD * size))
    while waiting:
        found = [future.result() for future in waiting[:size]]
        waiting = waiting[size:] + list(islice(row, size))
        for error in found:
            if isinstance(error, RecordError):
                reason = error.reason.value
                counts.refused[reason] = counts.refused.get(reason, 0) + 1
        if ready := [each for each in found if isinstance(each, Ready)]:
            yield ready


def _open_tar(file: BinaryIO) -> tarfile.TarFile:
    """Names may be long, and of any letters."""
    return tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)


def _add(tar: tarfile.TarFile, encoded: Encoded) -> None:
    for name, data in encoded.members.items():
        header = tarfile.TarInfo(f"{encoded.key}.{name}")  # owner, group and time are 0, mode 0644
        header.size = len(data)
        tar.addfile(header, BytesIO(data))
