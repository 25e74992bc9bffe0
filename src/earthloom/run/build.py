"""The main job: from a recipe to a release."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from earthloom.caption import ModelAuthors, find_faults_of_models, open_authors
from earthloom.core.errors import RecipeError, StoppedError, UsageError
from earthloom.export import collect_statistics, write_card, write_report
from earthloom.ingest.config import FileSettings
from earthloom.run.asking import Asking, ask_models, estimate_asking, find_missing_key, plan_asking
from earthloom.run.engine import Engine, make_engine
from earthloom.run.job import Job
from earthloom.run.jobs import CaptionJob, SynthesizeJob
from earthloom.run.plan import (
    Planned,
    Tiles,
    find_broken_effects,
    find_broken_networks,
    find_empty_sources,
    list_tiles,
    plan_caption,
    plan_curate,
    plan_export,
    plan_ingest,
    plan_tile,
)
from earthloom.run.progress import Listener, Silence
from earthloom.run.recipe import Recipe, check_paths, dump_recipe
from earthloom.run.refusals import write_refused
from earthloom.run.standing import Standing, remove_strangers
from earthloom.run.summary import StageSummary, Summary
from earthloom.run.variants import plan_variants
from earthloom.store.atomic import remove_leftovers, translate_write_errors, write_json, write_text
from earthloom.store.layout import RELEASE_DATA, STAGES, WorkFolder
from earthloom.store.lock import hold_lock
from earthloom.store.shards import DROPPED, Counts, Manifest

if TYPE_CHECKING:
    from earthloom.caption.endpoint.estimate import Estimate

JobT = TypeVar("JobT", bound=Job)


def build(
    recipe: Recipe,
    work: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] = ".",
    workers: int | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Build the release that a recipe describes, going on from whatever an earlier run finished.

    Args:
        recipe: what to build.
        work: folder of the run; made when missing. The release is `work/release`.
        base: folder against which the recipe's paths are resolved.
        workers: number of processes; 0 does everything in this one; None uses every core.
        listener: is told how the run goes on.

    Returns:
        What was done. It adds up, or `AccountError` is raised.

    Raises:
        RecipeError: the recipe names what is not there or holds nothing.
        UsageError: `work` lies inside a source.
        LockedError: another run works in `work`.
        WriteError: the disk is full or not writable. Finished shards are kept.
        StoppedError: on Ctrl-C. Finished shards are kept.

    """
    with _open_run(recipe, work, base, workers, listener, asks=True) as run:
        return run.do()


def estimate(
    recipe: Recipe,
    work: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] = ".",
    workers: int | None = None,
    listener: Listener | None = None,
) -> Estimate | None:
    """Say what the captions of a recipe would cost: everything before them is done and kept, and nothing is asked.

    Takes and raises what `build` does. None where no remote model would have to be asked.
    """
    with _open_run(recipe, work, base, workers, listener, asks=False) as run:
        return run.estimate()


@contextmanager
def _open_run(
    recipe: Recipe,
    work: str | os.PathLike[str],
    base: str | os.PathLike[str],
    workers: int | None,
    listener: Listener | None,
    *,
    asks: bool,
) -> Iterator[_Run]:
    """Check a recipe whole, then hold the work folder for a run. `asks` says whether a remote model will be asked."""
    folder = WorkFolder(Path(work).resolve())
    root = Path(base).resolve()
    _check_recipe(recipe, root, wants_key=asks and not folder.ledger.exists())
    _check_apart(recipe, root, folder.root)
    n_workers = len(os.sched_getaffinity(0)) if workers is None else workers
    with translate_write_errors(folder.root):
        folder.root.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder), _make_run(recipe, folder, root, n_workers, listener or Silence()) as run:
        try:
            yield run
        except KeyboardInterrupt as error:
            raise StoppedError(
                "Stopped. Finished shards are kept: run the same command again to go on."
            ) from error


def _check_recipe(recipe: Recipe, base: Path, *, wants_key: bool) -> None:
    """Raise `RecipeError` with all that shows to be wrong before any work; what is dear to find comes last.

    A folder with answers may have all that it needs: there the key is wanted only once something is to be asked.
    """
    captions = recipe.caption_settings()
    faults = [*check_paths(recipe, base), *find_faults_of_models(captions, base)]
    if wants_key:
        faults += find_missing_key(captions)
    faults = faults or [*find_broken_networks(recipe, base), *find_broken_effects(recipe, base)]
    faults = faults or find_empty_sources(recipe, base)
    if faults:
        raise RecipeError(faults, recipe=recipe.name)


def _check_apart(recipe: Recipe, base: Path, work: Path) -> None:
    """Refuse a work folder inside a source: the next run would read what this one wrote."""
    for source in recipe.sources:
        folder = (base / source.path).resolve() if isinstance(source, FileSettings) else None
        if folder is not None and work.is_relative_to(folder):
            raise UsageError(
                f"The work folder {work} lies inside the source {folder}. Choose another with -o."
            )


@contextmanager
def lock_folder(folder: WorkFolder) -> Iterator[None]:
    """Hold the work folder for this process; the lock goes with the process, however it ends."""
    with translate_write_errors(folder.root), hold_lock(folder.lock):
        yield


@contextmanager
def _make_run(
    recipe: Recipe, folder: WorkFolder, base: Path, n_workers: int, listener: Listener
) -> Iterator[_Run]:
    remove_leftovers(folder.root)
    captions = recipe.caption_settings()
    models = open_authors(captions, base) if captions.asks else None
    try:
        with make_engine(n_workers) as engine:
            yield _Run(recipe, folder, base, engine, listener, n_workers, models)
    finally:
        listener.close()


@dataclass
class _Run:
    """One run under way."""

    recipe: Recipe
    folder: WorkFolder
    base: Path
    engine: Engine
    listener: Listener
    n_workers: int
    models: ModelAuthors | None = None
    stages: dict[str, StageSummary] = field(default_factory=dict)

    def do(self) -> Summary:
        start = time.monotonic()
        recipe, work = self.recipe, self.folder.root
        made = self._make_tiles()
        planned = plan_caption(recipe, work, made, self.models)
        asking = self._plan_asking(planned, made)
        if asking is not None:
            if faults := find_missing_key(recipe.caption_settings()):
                raise RecipeError(faults, recipe=recipe.name)
            ask_models(asking, self.folder, self.listener)
        captions = self._do_planned("caption", planned)
        verdicts = self._do_planned("curate", plan_curate(recipe, work, captions))
        pairs = self._do_planned("export", plan_export(recipe, work, verdicts))
        summary = self._summarise(time.monotonic() - start, [manifest for _, manifest in captions])
        self._finish_release(summary, [manifest for _, manifest in pairs])
        return summary

    def estimate(self) -> Estimate | None:
        made = self._make_tiles()
        asking = self._plan_asking(plan_caption(self.recipe, self.folder.root, made, self.models), made)
        return None if asking is None else estimate_asking(asking)

    def _plan_asking(self, planned: Planned[CaptionJob], made: Tiles) -> Asking | None:
        sizes = {name: manifest.counts.records for name, _, manifest in made}
        return plan_asking(planned.jobs, sizes, self.folder)

    def _make_tiles(self) -> Tiles:
        """Do everything up to the captions."""
        write_text(self.folder.recipe, dump_recipe(self.recipe))
        recipe, work = self.recipe, self.folder.root
        scenes = self._do_stage("ingest", plan_ingest(recipe, self.base, work), None)
        tiles = self._do_planned("tile", plan_tile(recipe, self.base, work, scenes))
        variants: list[tuple[SynthesizeJob, Manifest]] = []
        if recipe.synthesize:
            variants = self._do_planned("synthesize", plan_variants(recipe, self.base, work, tiles))
        else:
            remove_strangers(self.folder.stage("synthesize"), set())
        return list_tiles(tiles, variants)

    def _do_planned(self, stage: str, planned: Planned[JobT]) -> list[tuple[JobT, Manifest]]:
        return list(zip(planned.jobs, self._do_stage(stage, planned.jobs, planned.units), strict=True))

    def _do_stage(self, stage: str, jobs: Iterable[Job], total: int | None) -> list[Manifest]:
        """Do the jobs that are not done yet; give the manifests of all, in the order of the plan."""
        start = time.monotonic()
        self.listener.start_stage(stage, total)
        standing = Standing(self.folder.stage(stage), self.listener.advance)
        for manifest in self.engine.run(standing.pending(jobs)):
            standing.note(manifest)
        done = standing.in_order()
        counts = Counts()
        for manifest in done:
            counts.add(manifest.counts)
        seconds = time.monotonic() - start
        self.stages[stage] = StageSummary(
            counts=counts, seconds=seconds, n_shards=len(done), n_reused=standing.n_reused
        )
        remove_strangers(self.folder.stage(stage), {manifest.name for manifest in done})
        self.listener.finish_stage(counts, seconds, standing.n_reused)
        return done

    def _summarise(self, seconds: float, captions: list[Manifest]) -> Summary:
        summary = Summary(
            name=self.recipe.name,
            work=self.folder.root,
            stages={stage: self.stages[stage] for stage in STAGES if stage in self.stages},
            seconds=seconds,
            n_workers=self.n_workers,
            dropped=_count_dropped(captions),
            recipe_digest=self.recipe.digest(),
        )
        summary.check()
        return summary

    def _finish_release(self, summary: Summary, shards: list[Manifest]) -> None:
        release = self.folder.release
        keep = {Path(name).name for manifest in shards for name in manifest.files}
        for path in sorted((release / RELEASE_DATA).glob("*")):
            if path.name not in keep:
                path.unlink()
        with translate_write_errors(release):
            release.mkdir(parents=True, exist_ok=True)
            write_refused(self.folder)
            statistics = collect_statistics(release)
            write_card(release, self.recipe.name, statistics)
            if self.recipe.export.report:
                write_report(release, statistics)
        write_json(self.folder.run, summary.to_json())


def _count_dropped(captions: Iterable[Manifest]) -> dict[str, int]:
    """Captions that were written and failed, by the check that they failed first."""
    dropped: Counter[str] = Counter()
    for manifest in captions:
        for name, n in manifest.tally.items():
            if name.startswith(DROPPED):
                dropped[name.removeprefix(DROPPED)] += n
    return dict(sorted(dropped.items()))
