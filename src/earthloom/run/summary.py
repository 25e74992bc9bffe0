"""The summary of a run: what went in, what came out, and what became of the rest."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from earthloom.core.errors import AccountError
from earthloom.store.layout import STAGES
from earthloom.store.shards import Counts

LIBRARIES = (
    "numpy",
    "opencv-python-headless",
    "pillow",
    "pyarrow",
    "pyproj",
    "rasterio",
    "shapely",
    "simplejpeg",
)
"""Libraries whose version can change a release's bytes."""


@dataclass(frozen=True, kw_only=True)
class StageSummary:
    """One stage of a run."""

    counts: Counts
    seconds: float
    """Wall time of this run; near 0 where all shards were finished before."""
    n_shards: int
    n_reused: int
    """Shards that an earlier run had finished."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run did. `counts` is what `run.json` holds under that name."""

    name: str
    work: Path
    stages: dict[str, StageSummary]
    """In the order of the data flow; `synthesize` only where the recipe has effects."""
    seconds: float
    n_workers: int
    recipe_digest: str
    dropped: dict[str, int] = field(default_factory=dict)
    """Captions that were written and failed a check, by its name; their pictures may have others."""

    @property
    def n_in(self) -> int:
        """Source items."""
        return self.stages["ingest"].counts.planned

    @property
    def n_out(self) -> int:
        """Pairs in the release."""
        return self.stages["export"].counts.written

    @property
    def refused(self) -> dict[str, int]:
        """Refusals by reason over all stages, each in the unit of its stage (items, windows, pairs)."""
        return self._total().refused

    @property
    def n_failed(self) -> int:
        """Records on which earthloom itself failed."""
        return self._total().failed

    @property
    def release(self) -> Path:
        """Folder of the release."""
        return self.work / "release"

    def _total(self) -> Counts:
        total = Counts()
        for stage in self.stages.values():
            total.add(stage.counts)
        return total

    def check(self) -> None:
        """Raise `AccountError` unless every stage's counts add up and each stage got what the last one gave."""
        for name, stage in self.stages.items():
            if not stage.counts.adds_up:
                raise AccountError(f"The counts of {name} do not add up: {stage.counts.to_json()}.")
        makers = [stage for name, stage in self.stages.items() if name in {"tile", "synthesize"}]
        given = sum(stage.counts.records for stage in makers)
        chain = [name for name in STAGES if name not in {"ingest", "tile", "synthesize"}]
        for name in chain:
            counts = self.stages[name].counts
            if counts.planned != given:
                raise AccountError(f"{name} planned {counts.planned} records, but {given} were handed to it.")
            given = counts.records

    def to_json(self) -> dict[str, Any]:
        """As `run.json` holds it."""
        return {
            "name": self.name,
            "counts": {
                "in": self.n_in,
                "out": self.n_out,
                "refused": dict(sorted(self.refused.items())),
                "failed": self.n_failed,
                "dropped_captions": self.dropped,
                "stages": {name: stage.counts.to_json() for name, stage in self.stages.items()},
            },
            "timings": {
                "seconds": round(self.seconds, 3),
                "workers": self.n_workers,
                "stages": {
                    name: {
                        "seconds": round(stage.seconds, 3),
                        "shards": stage.n_shards,
                        "reused": stage.n_reused,
                    }
                    for name, stage in self.stages.items()
                },
            },
            "versions": read_versions(),
            "recipe": self.recipe_digest,
        }


def read_versions() -> dict[str, str]:
    """Versions of earthloom, Python and the libraries that make pixels and files."""
    versions = {name: version(name) for name in LIBRARIES}
    return {"earthloom": version("earthloom"), "python": platform.python_version(), **versions}
