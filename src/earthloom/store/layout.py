"""Every name of a path in a work folder; no other module spells one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STAGES = ("ingest", "tile", "synthesize", "caption", "curate", "export")
"""In the order of the data flow; their folders carry the number of the place."""

_FOLDERS = {
    "ingest": "01-ingest",
    "tile": "02-tile",
    "synthesize": "03-synthesize",
    "caption": "04-caption",
    "curate": "06-curate",
    "export": "07-export",
}
"""05 is kept for review, so that folders sort in the order of the data flow."""


@dataclass(frozen=True)
class WorkFolder:
    """The folder of one run."""

    root: Path

    @property
    def recipe(self) -> Path:
        """What was asked, as YAML."""
        return self.root / "recipe.yaml"

    @property
    def run(self) -> Path:
        """What was done: counts, versions, hashes, timings."""
        return self.root / "run.json"

    @property
    def lock(self) -> Path:
        """Held by the process that works here."""
        return self.root / ".lock"

    @property
    def ledger(self) -> Path:
        """What models were asked and answered; kept whatever else is made anew."""
        return self.root / "ledger.sqlite"

    @property
    def batches(self) -> Path:
        """Folder of requests that wait to be sent as batch files."""
        return self.root / "batches"

    @property
    def release(self) -> Path:
        """What others load."""
        return self.root / "release"

    @property
    def assets(self) -> Path:
        """Rasters that a source renders itself."""
        return self.root / _FOLDERS["ingest"] / "assets"

    def stage(self, stage: str) -> Path:
        """Folder of a stage's shards; of its manifests alone for `export`, whose data lie in the release."""
        return self.root / _FOLDERS[stage]


@dataclass(frozen=True)
class ShardFiles:
    """The files of one shard of a stage."""

    folder: Path
    name: str

    @property
    def rows(self) -> Path:
        """Records that were written."""
        return self.folder / f"{self.name}.parquet"

    @property
    def refused(self) -> Path:
        """Refusals; absent when there are none."""
        return self.folder / f"{self.name}.refused.parquet"

    @property
    def failed(self) -> Path:
        """Failures with their tracebacks; absent when there are none."""
        return self.folder / f"{self.name}.failed.parquet"

    @property
    def manifest(self) -> Path:
        """Written last: a shard without it does not exist."""
        return self.folder / f"{self.name}.json"


@dataclass(frozen=True)
class TrainingFolder:
    """The folder of one training."""

    root: Path

    @property
    def recipe(self) -> Path:
        """What was asked, as YAML."""
        return self.root / "recipe.yaml"

    @property
    def run(self) -> Path:
        """What was done; written when training is done."""
        return self.root / "run.json"

    @property
    def lock(self) -> Path:
        """Held by the process that trains here; its being there says what the folder is."""
        return self.root / ".training.lock"

    @property
    def losses(self) -> Path:
        """One JSON line a step."""
        return self.root / "losses.jsonl"

    @property
    def curve(self) -> Path:
        """The same as a picture."""
        return self.root / "curve.png"

    @property
    def refused(self) -> Path:
        """Pictures that could not be used, with their reasons."""
        return self.root / "refused.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of what a later run goes on from."""
        return self.root / "checkpoints"

    @property
    def samples(self) -> Path:
        """Folder of pictures that show how training goes."""
        return self.root / "samples"

    @property
    def weights(self) -> Path:
        """Folder of what is used once training is done."""
        return self.root / "weights"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's events."""
        return self.root / "tensorboard"

    @property
    def cache(self) -> Path:
        """Folder of what was computed once from frozen networks, such as latents."""
        return self.root / "cache"

    def checkpoint(self, step: int) -> Path:
        """The checkpoint of one step; names sort by step."""
        return self.checkpoints / f"step-{step:09d}.safetensors"

    def sample(self, step: int) -> Path:
        """The sheet of samples of one step."""
        return self.samples / f"step-{step:09d}.png"


RELEASE_DATA = "data"
RELEASE_CARD = "README.md"
RELEASE_REPORT = "report.html"
RELEASE_REFUSED = "refused.parquet"


@dataclass(frozen=True)
class EvaluationFolder:
    """The folder of one evaluation."""

    root: Path

    @property
    def result(self) -> Path:
        """Every figure and how it was taken; its being there says what the folder is."""
        return self.root / "result.json"

    @property
    def page(self) -> Path:
        """The same to look at."""
        return self.root / "index.html"

    @property
    def lock(self) -> Path:
        """Held by the process that evaluates here."""
        return self.root / ".evaluation.lock"

    def drawn(self, place: str, digest: str) -> Path:
        """Folder of what the generator at a place of the recipe drew by the settings of this digest."""
        return self.root / "drawn" / f"{place}-{digest[:8]}"


@dataclass(frozen=True)
class ExperimentFolder:
    """The folder of one experiment; every step has its own below it."""

    root: Path

    @property
    def experiment(self) -> Path:
        """What was asked, as YAML, with the values that were set."""
        return self.root / "experiment.yaml"

    @property
    def summary(self) -> Path:
        """The answer, as plain values."""
        return self.root / "summary.json"

    @property
    def text(self) -> Path:
        """The same in words."""
        return self.root / "summary.txt"

    @property
    def page(self) -> Path:
        """The same to look at."""
        return self.root / "index.html"

    @property
    def lock(self) -> Path:
        """Held by the process that works here; its being there says what the folder is."""
        return self.root / ".experiment.lock"

    def step(self, name: str) -> Path:
        """Folder of a step."""
        return self.root / name

    def done(self, name: str) -> Path:
        """Written when a step is done: what it was done by."""
        return self.root / "done" / f"{name}.json"
