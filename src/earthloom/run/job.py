"""What a job is: one shard to be made. Engines know no more of the work than this."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from earthloom.store.shards import Manifest

Tick = Callable[[int], None]
"""Called with the number of the unit about to be worked on; raises `StoppedError` when the run must stop."""


class Job(Protocol):
    """One shard to be made."""

    @property
    def stage(self) -> str:
        """Name of the stage."""

    @property
    def name(self) -> str:
        """Name of the shard within the stage."""

    @property
    def key(self) -> str:
        """Hash of everything that the shard depends on."""

    @property
    def work(self) -> Path:
        """Root of the work folder."""

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        """Make the shard. Units in `skip` killed a worker before: they count as failed, for that cause."""
