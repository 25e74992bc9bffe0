"""Which shards of a stage are done, and which are worth another try."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from earthloom.run.job import Job
from earthloom.store.atomic import translate_write_errors
from earthloom.store.layout import ShardFiles, WorkFolder
from earthloom.store.shards import Manifest, read_manifest


def is_done(folder: WorkFolder, job: Job) -> bool:
    """Tell whether the shard of a job is whole, fresh, and lacks nothing that another try may bring."""
    manifest = read_manifest(ShardFiles(folder.stage(job.stage), job.name).manifest, job.key)
    return manifest is not None and not manifest.n_unreachable


class Standing:
    """The shards of one stage in the order of the plan.

    A shard is done when its manifest has the key that the plan asks for. One in which something could not be reached
    is done again: downloads are kept, so that costs little. What the new try could reach less of than the old one
    gives way to it: nothing that was brought home is lost to a bad day of the network.
    """

    def __init__(self, folder: Path, advance: Callable[[int], None]) -> None:
        """`advance` is told the planned units of every shard that is done."""
        self._folder = folder
        self._advance = advance
        self._names: list[str] = []
        self._done: dict[str, Manifest] = {}
        self._before: dict[str, Manifest] = {}
        self.n_reused = 0

    def pending(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Yield the jobs whose shards are missing, stale or worth another try; remember the others as done."""
        for job in jobs:
            self._names.append(job.name)
            manifest = read_manifest(ShardFiles(self._folder, job.name).manifest, job.key)
            if manifest is not None and not manifest.n_unreachable:
                self.n_reused += 1
                self._note(manifest)
                continue
            if manifest is not None:
                self._keep(manifest)
            yield job

    def note(self, manifest: Manifest) -> None:
        """A shard is done."""
        before = self._before.pop(manifest.name, None)
        if before is not None:
            manifest = self._choose(before, manifest)
        self._note(manifest)

    def in_order(self) -> list[Manifest]:
        """All manifests in the order of the plan. Jobs are not kept: those of ingest hold every item."""
        return [self._done[name] for name in self._names]

    def _note(self, manifest: Manifest) -> None:
        self._done[manifest.name] = manifest
        self._advance(manifest.counts.planned)

    def _keep(self, manifest: Manifest) -> None:
        """Hold on to the files of a shard, as links, while it is done again."""
        self._before[manifest.name] = manifest
        with translate_write_errors(self._aside):
            self._aside.mkdir(exist_ok=True)
            for name in self._files(manifest):
                (self._aside / name).unlink(missing_ok=True)
                os.link(self._folder / name, self._aside / name)

    def _choose(self, before: Manifest, now: Manifest) -> Manifest:
        is_worse = now.n_unreachable > before.n_unreachable
        with translate_write_errors(self._folder):
            if is_worse:
                for name in set(self._files(now)) - set(self._files(before)):
                    (self._folder / name).unlink()
            for name in self._files(before):
                if is_worse:
                    (self._aside / name).replace(self._folder / name)
                else:
                    (self._aside / name).unlink()
            if not self._before:
                shutil.rmtree(self._aside)
        return before if is_worse else now

    @property
    def _aside(self) -> Path:
        return self._folder / "before"

    def _files(self, manifest: Manifest) -> tuple[str, ...]:
        """Names of a shard's files, the manifest last."""
        return (*sorted(manifest.files), ShardFiles(self._folder, manifest.name).manifest.name)


def remove_strangers(folder: Path, names: set[str]) -> None:
    """Delete shards that the plan does not know: they come from an earlier recipe."""
    for manifest in sorted(folder.glob("*.json")):
        if manifest.stem not in names:
            files = ShardFiles(folder, manifest.stem)
            for path in (files.manifest, files.rows, files.refused, files.failed):
                path.unlink(missing_ok=True)
