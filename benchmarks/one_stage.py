"""Do one stage of a recipe alone, with those before it already done: `one_stage.py STAGE RECIPE WORK WORKERS`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from earthloom.recipes import load_recipe
from earthloom.run.engine import Engine, make_engine
from earthloom.run.jobs import Job
from earthloom.run.plan import list_tiles, plan_caption, plan_ingest, plan_tile
from earthloom.store.layout import ShardFiles, WorkFolder
from earthloom.store.shards import Manifest, read_manifest


def find_or_make(engine: Engine, work: Path, jobs: Iterable[Job]) -> list[Manifest]:
    """The manifests of all jobs, in their order; what is missing is made."""
    ordered = list(jobs)
    folder = WorkFolder(work)
    done = {
        job.name: manifest
        for job in ordered
        if (manifest := read_manifest(ShardFiles(folder.stage(job.stage), job.name).manifest, job.key))
    }
    for manifest in engine.run(job for job in ordered if job.name not in done):
        done[manifest.name] = manifest
    return [done[job.name] for job in ordered]


def main(stage: str, recipe_file: Path, work: Path, workers: int) -> None:
    """Do the stage, and what it needs."""
    recipe, base = load_recipe(recipe_file), recipe_file.parent
    with make_engine(workers) as engine:
        scenes = find_or_make(engine, work, plan_ingest(recipe, base, work))
        if stage == "ingest":
            return
        jobs = plan_tile(recipe, base, work, scenes).jobs
        tiles = find_or_make(engine, work, jobs)
        if stage == "caption":
            made = list_tiles(zip(jobs, tiles, strict=True), ())
            find_or_make(engine, work, plan_caption(recipe, work, made).jobs)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve(), int(sys.argv[4]))
