"""Planning: from a recipe and what is on disk to the jobs of each stage. Opens no image.

Every job carries a key, the hash of all that its shard depends on: the stage's version, its settings and the keys
of the shards it reads. A shard whose manifest has the same key is done; any other is stale. So a change of one
stage's settings reaches that stage and those after it, and nothing before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow.parquet as pq

from earthloom.caption import CAPTION_VERSION, ModelAuthors
from earthloom.core.errors import Fault, UsageError
from earthloom.core.ids import fingerprint_file, hash_json
from earthloom.core.records import Item, Part, Scene
from earthloom.curate import CURATE_VERSION
from earthloom.export import EXPORT_VERSION, ReleaseShard, TileShard, split_plan
from earthloom.ingest import INGEST_VERSION, list_items
from earthloom.ingest.config import ImagesSettings
from earthloom.ingest.kinds import find_kind
from earthloom.ingest.stac.config import StacSettings
from earthloom.run.job import Job
from earthloom.run.jobs import (
    CaptionJob,
    CurateJob,
    ExportJob,
    IngestJob,
    SynthesizeJob,
    TileJob,
    TileSource,
    WindowRun,
)
from earthloom.run.recipe import Recipe, SourceEntry
from earthloom.store.layout import ShardFiles, WorkFolder
from earthloom.store.shards import Manifest
from earthloom.store.tables import from_rows
from earthloom.synthesize.effects import EFFECT_PATHS, check_effect
from earthloom.tile import TILE_VERSION, TileSettings, count_windows, load_network

JobT = TypeVar("JobT", bound=Job)

TILES_A_SHARD = 256
"""About three seconds of work: what a kill can cost each worker."""


@dataclass(frozen=True)
class Planned(Generic[JobT]):
    """The jobs of one stage, in order."""

    jobs: list[JobT]
    units: int
    """How many planned units they hold together."""


def find_empty_sources(recipe: Recipe, base: Path) -> list[Fault]:
    """Faults for sources in which there is nothing to read, found by listing no further than the first item."""
    faults = []
    for number, source in enumerate(recipe.named_sources()):
        try:
            next(list_items(source.model_copy(update={"limit": None}), base), None)
        except UsageError as error:
            tells_all = find_kind(source).adapter is not None
            remedy = "" if tells_all else "Name what holds imagery."
            faults.append(Fault(place=f"sources[{number}]", problem=str(error), remedy=remedy))
    return faults


def find_broken_networks(recipe: Recipe, base: Path) -> list[Fault]:
    """Faults for networks to enlarge with that cannot be read or run, found by trying them on a small picture."""
    places = {"tile": recipe.tile.enlarge}
    places |= {
        f"sources[{number}].tile": source.tile.enlarge
        for number, source in enumerate(recipe.sources)
        if source.tile.enlarge is not None
    }
    faults = []
    for place, enlarge in places.items():
        try:
            load_network(_resolve_weights(TileSettings(enlarge=enlarge), base).enlarge)
        except UsageError as error:
            remedy = "Export the network to ONNX anew, or set `with: cubic`."
            faults.append(Fault(place=f"{place}.enlarge.weights", problem=str(error), remedy=remedy))
    return faults


def find_broken_effects(recipe: Recipe, base: Path) -> list[Fault]:
    """Faults for files of effects that cannot be used, found by opening them."""
    faults = []
    for number, effect in enumerate(recipe.effects(base)):
        try:
            check_effect(effect)
        except UsageError as error:
            field = next(name for name in EFFECT_PATHS if getattr(effect, name, None) is not None)
            faults.append(Fault(place=f"synthesize[{number}].{field}", problem=str(error), remedy=""))
    return faults


def plan_ingest(recipe: Recipe, base: Path, work: Path) -> Iterator[IngestJob]:
    """List every source and yield its jobs as they become known; never holds more than one shard of items."""
    for source in recipe.named_sources():
        plain = source.model_copy(update={"tile": type(source).model_fields["tile"].default})
        source_key = [INGEST_VERSION, str(base), plain.digest(), _sidecar(source, base)]
        items = list_items(plain, base)
        for index, chunk in enumerate(_chunks(items, source.items_a_shard)):
            key = hash_json([*source_key, index, [_describe(item) for item in chunk]])
            yield IngestJob(
                name=f"{source.name}-{index:06d}",
                key=key,
                work=work,
                source=plain,
                root=base,
                items=tuple(chunk),
            )


def _describe(item: Item) -> list[object]:
    parts = [_describe_part(part) for part in item.parts]
    return [item.key, item.refused.value if item.refused else None, item.detail, parts, item.document]


def _describe_part(part: Part) -> list[object]:
    within = [part.within.offset, part.within.size, part.within.deflated] if part.within else None
    return [part.uri, part.size, part.mtime_ns, within, part.role]


def _sidecar(source: SourceEntry, base: Path) -> list[object]:
    """Size and time of the file of facts, if there is one: a changed one makes the scenes stale."""
    if not isinstance(source, ImagesSettings) or source.facts is None:
        return []
    try:
        status = (base / source.facts).stat()
    except OSError:
        return [source.facts]
    return [source.facts, status.st_size, status.st_mtime_ns]


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def plan_tile(recipe: Recipe, base: Path, work: Path, scenes: Iterable[Manifest]) -> Planned[TileJob]:
    """Divide the windows of every scene into shards of about `TILES_A_SHARD`; a large scene spans several."""
    jobs: list[TileJob] = []
    units = 0
    hide = str(base)
    known: dict[str, dict[Shape, int]] = {}
    sources = {source.name: _settle(recipe.tile_settings(source), base) for source in recipe.named_sources()}
    networks = {
        source.name: source.net for source in recipe.named_sources() if isinstance(source, StacSettings)
    }
    for manifest in scenes:
        source = manifest.name.rpartition("-")[0]
        settings, digest = sources[source]
        rows = ShardFiles(WorkFolder(work).stage("ingest"), manifest.name).rows
        counts = count_scene_windows(rows, settings, known.setdefault(digest, {}))
        units += sum(counts)
        jobs += (
            TileJob(
                name=f"{manifest.name}-{index:05d}",
                key=hash_json(
                    [
                        TILE_VERSION,
                        digest,
                        manifest.identity,
                        [run.first_row, run.first, run.last_row, run.stop],
                    ]
                ),
                work=work,
                scenes=manifest.name,
                windows=run,
                settings=settings,
                hide=hide,
                net=networks.get(source),
            )
            for index, run in enumerate(pack_windows(counts, TILES_A_SHARD))
        )
    return Planned(jobs, units)


def _resolve_weights(settings: TileSettings, base: Path) -> TileSettings:
    """Make the path of a network absolute: a job knows no recipe."""
    if settings.enlarge.weights is None:
        return settings
    enlarge = settings.enlarge.model_copy(update={"weights": str(base / settings.enlarge.weights)})
    return settings.model_copy(update={"enlarge": enlarge})


def _settle(settings: TileSettings, base: Path) -> tuple[TileSettings, str]:
    """Settings as a job takes them, and a hash of all that they stand for, the content of a network included."""
    settled = _resolve_weights(settings, base)
    weights = settled.enlarge.weights
    fingerprint = None if weights is None else fingerprint_file(Path(weights))
    return settled, hash_json([settings.digest(), fingerprint])


Shape = tuple[object, ...]
"""What decides how many windows a scene gives."""
_SHAPE = ("width", "height", "gsd_x_m", "gsd_y_m", "crs", "transform")
_MAX_KNOWN = 100_000
"""Shapes that are remembered; scenes of a mosaic have one each."""


def count_scene_windows(path: Path, settings: TileSettings, known: dict[Shape, int]) -> list[int]:
    """Count the windows of each scene of a shard, in the order of its rows.

    `known` remembers counts by size and grid: a million chips of one shape are planned by reading six columns.
    """
    counts: list[int] = []
    with pq.ParquetFile(path) as file:
        example: Scene | None = None
        for group in range(file.num_row_groups):
            facts = file.read_row_group(group, columns=list(_SHAPE)).to_pydict()
            facts["transform"] = [t and tuple(t) for t in facts["transform"]]
            for shape in zip(*(facts[name] for name in _SHAPE), strict=True):
                if shape not in known:
                    example = example or _read_first(file)
                    if len(known) >= _MAX_KNOWN:
                        known.clear()
                    known[shape] = count_windows(
                        replace(example, **dict(zip(_SHAPE, shape, strict=True))), settings
                    )
                counts.append(known[shape])
    return counts


def _read_first(file: pq.ParquetFile) -> Scene:
    (scene,) = from_rows(file.read_row_group(0).slice(0, 1).to_pylist(), Scene)
    return scene


def pack_windows(counts: Iterable[int], size: int) -> Iterator[WindowRun]:
    """Cut the windows of scenes (`counts[row]` each) into runs of `size` windows, in order; the last is shorter."""
    first_row = first = last_row = stop = 0
    room = size
    for row, count in enumerate(counts):
        done = 0
        while done < count:
            if room == size:
                first_row, first = row, done
            taken = min(room, count - done)
            done += taken
            room -= taken
            last_row, stop = row, done
            if room == 0:
                yield WindowRun(first_row=first_row, first=first, last_row=last_row, stop=stop)
                room = size
    if room < size:
        yield WindowRun(first_row=first_row, first=first, last_row=last_row, stop=stop)


Tiles = list[tuple[str, TileSource, Manifest]]
"""Finished shards of tiles and variants: name, where it lies, manifest."""


def list_tiles(
    tiles: Iterable[tuple[TileJob, Manifest]], variants: Iterable[tuple[SynthesizeJob, Manifest]]
) -> Tiles:
    """All that captions are written for: every shard of tiles, then every shard of variants."""
    made: Tiles = [
        (job.name, TileSource(stage="tile", scenes=(job.scenes,)), manifest) for job, manifest in tiles
    ]
    made += [
        (job.name, TileSource(stage="synthesize", scenes=job.scenes), manifest) for job, manifest in variants
    ]
    return made


def plan_caption(
    recipe: Recipe, work: Path, tiles: Tiles, models: ModelAuthors | None = None
) -> Planned[CaptionJob]:
    """One job for each shard of tiles or variants; `models` are wanted where the recipe names any."""
    settings = recipe.caption_settings()
    digests = [settings.digest()] if models is None else [settings.digest(), models.digest]
    ledger = WorkFolder(work).ledger
    if models is not None and models.settings.ledger is not None:
        ledger = Path(models.settings.ledger)
    jobs = [
        CaptionJob(
            name=name,
            key=hash_json([CAPTION_VERSION, *digests, manifest.identity]),
            work=work,
            source=source,
            settings=settings if models is None else models.settings,
            models=models,
            answers=None if models is None else ledger,
        )
        for name, source, manifest in tiles
    ]
    return Planned(jobs, sum(manifest.counts.records for _, _, manifest in tiles))


def plan_curate(
    recipe: Recipe, work: Path, captions: Sequence[tuple[CaptionJob, Manifest]]
) -> Planned[CurateJob]:
    """One job for each shard of captions."""
    settings = recipe.curate
    jobs = [
        CurateJob(
            name=caption.name,
            key=hash_json([CURATE_VERSION, settings.digest(), manifest.identity]),
            work=work,
            source=caption.source,
            settings=settings,
        )
        for caption, manifest in captions
    ]
    return Planned(jobs, sum(manifest.counts.records for _, manifest in captions))


def plan_export(
    recipe: Recipe, work: Path, verdicts: Sequence[tuple[CurateJob, Manifest]]
) -> Planned[ExportJob]:
    """Divide the pairs of each split and modality into shards of the release, in the order of the tiles."""
    settings = recipe.export
    shards = [_tile_shard(WorkFolder(work), job, manifest) for job, manifest in verdicts]
    keys = {shard.tiles: manifest.identity for shard, (_, manifest) in zip(shards, verdicts, strict=True)}
    jobs = [
        ExportJob(
            name=shard.stem,
            key=hash_json([EXPORT_VERSION, settings.digest(), shard.stem, _describe_segments(shard, keys)]),
            work=work,
            shard=shard,
            settings=settings,
        )
        for shard in split_plan(shards, settings)
    ]
    return Planned(jobs, sum(job.shard.n_pairs for job in jobs))


def _tile_shard(folder: WorkFolder, job: CurateJob, manifest: Manifest) -> TileShard:
    pairs = {}
    for cell, n in manifest.tally.items():
        split, _, modality = cell.partition("/")
        pairs[split, modality] = n
    return TileShard(
        tiles=str(job.source.rows(folder.root, job.name)),
        captions=str(ShardFiles(folder.stage("caption"), job.name).rows),
        verdicts=str(ShardFiles(folder.stage("curate"), job.name).rows),
        scenes=tuple(str(path) for path in job.source.scene_rows(folder.root)),
        pairs=pairs,
    )


def _describe_segments(shard: ReleaseShard, keys: dict[str, str]) -> list[object]:
    return [[keys[segment.tiles], segment.skip, segment.take] for segment in shard.segments]
