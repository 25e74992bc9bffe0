"""Which places get which effect: decided once, in the main process, from a few columns of all tiles.

A place is what tiles of several modalities show of one ground at one time (equal `pair_id`). It is drawn by a hash of
its id, so that all of its tiles change together and a place keeps its weather when others are added or removed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from earthloom.core.ids import hash_json
from earthloom.core.seeds import stable_draws
from earthloom.geo.levels import GsdLevel, find_level
from earthloom.run.jobs import Places, SynthesizeJob, TileJob
from earthloom.run.plan import Planned
from earthloom.run.recipe import Recipe
from earthloom.store.layout import ShardFiles, WorkFolder
from earthloom.store.shards import Manifest
from earthloom.store.tables import read_columns
from earthloom.synthesize import OPTICAL, SYNTHESIZE_VERSION, AnyEffect, fingerprint_effect

DEFAULT_SHARE = 0.1
_COLUMNS = ("pair_id", "scene_id", "gsd_m", "labels")

_LEVELS = {level: number for number, level in enumerate(GsdLevel)}

Keys = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Every tile of a run in a few numbers; arrays of one length, in the order of the plan."""

    place: Keys
    """Hash of the place."""
    shard: Ints
    """Number of the tile shard."""
    row: Ints
    fits: npt.NDArray[np.bool_]
    """Whether the tile is one that weather can be laid over: optical, and clear as far as is known."""
    weathered: npt.NDArray[np.bool_]
    """Whether a label says that the picture shows weather already."""
    source: Ints
    level: Ints
    """Level of ground sample distance; -1 where unknown."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The places of a run that can be varied; arrays of one length."""

    place: Keys
    source: Ints
    level: Ints

    def strata(self, balance: Sequence[str]) -> Ints:
        """A number for each place: equal where it counts as the same kind."""
        kinds = [{"source": self.source, "gsd": self.level}[name] for name in balance]
        if not kinds:
            return np.zeros(len(self.place), np.int64)
        return np.unique(np.stack(kinds), axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)


def label_effects(effects: Sequence[AnyEffect]) -> list[str]:
    """A name for each entry: that of its effect, and from the second entry of an effect on also its number."""
    seen: dict[str, int] = {}
    labels = []
    for effect in effects:
        seen[effect.effect] = n = seen.get(effect.effect, 0) + 1
        labels.append(effect.effect if n == 1 else f"{effect.effect}-{n}")
    return labels


def plan_variants(
    recipe: Recipe, base: Path, work: Path, tiles: Sequence[tuple[TileJob, Manifest]]
) -> Planned[SynthesizeJob]:
    """The jobs that make variants: one for each shard of tiles in which chosen places begin."""
    effects = recipe.effects(base)
    shards = [(job, manifest) for job, manifest in tiles if manifest.counts.records]
    if not effects or not shards:
        return Planned([], 0)
    rows = read_rows(WorkFolder(work), [job for job, _ in shards])
    ground = find_ground(rows)
    labels = label_effects(effects)
    digests = [fingerprint_effect(effect) for effect in effects]
    chosen = [choose_places(ground, *entry) for entry in zip(effects, labels, strict=True)]
    wanted = [set(places.tolist()) for places in chosen]
    jobs = []
    units = 0
    for here in _group(rows, np.unique(np.concatenate(chosen))):
        entries = [
            Entry(settings, label, digest, [tiles for place, tiles in here.items() if place in places])
            for settings, label, digest, places in zip(effects, labels, digests, wanted, strict=True)
        ]
        jobs.append(_make_job(work, shards, [entry for entry in entries if entry.places]))
        units += sum(len(tiles) for entry in entries for tiles in entry.places)
    return Planned(jobs, units)


def read_rows(folder: WorkFolder, jobs: Sequence[TileJob]) -> Rows:
    """Read what the choice needs of every tile; pixels stay on disk."""
    sources: dict[str, int] = {}
    scenes: dict[str, tuple[pa.Array, pa.Array]] = {}
    parts = []
    for number, job in enumerate(jobs):
        if job.scenes not in scenes:
            scenes = {job.scenes: _find_optical(ShardFiles(folder.stage("ingest"), job.scenes).rows)}
        source = sources.setdefault(job.scenes.rpartition("-")[0], len(sources))
        table = read_columns(ShardFiles(folder.stage("tile"), job.name).rows, _COLUMNS)
        parts.append(_read_part(table, scenes[job.scenes], number, source))
    return Rows(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _find_optical(path: Path) -> tuple[pa.Array, pa.Array]:
    """Ids of a shard's scenes, and whether each is optical."""
    table = read_columns(path, ["id", "modality"]).combine_chunks()
    modality = table["modality"].combine_chunks()
    optical = [pc.equal(modality, kind.value) for kind in sorted(OPTICAL)]
    return table["id"].combine_chunks(), functools.reduce(pc.or_, optical)


def _read_part(
    table: pa.Table, scenes: tuple[pa.Array, pa.Array], shard: int, source: int
) -> dict[str, npt.NDArray[np.generic]]:
    n = table.num_rows
    ids, optical = scenes
    is_optical = optical.take(pc.index_in(table["scene_id"].combine_chunks(), ids)).to_numpy(
        zero_copy_only=False
    )
    labels = table["labels"].combine_chunks()
    kinds = pc.list_flatten(labels)
    parents = pc.list_parent_indices(labels).to_numpy()
    weathered = np.zeros(n, np.bool_)
    if len(kinds):
        is_weather = pc.equal(pc.struct_field(kinds, "kind"), "weather").to_numpy(zero_copy_only=False)
        weathered[parents[is_weather]] = True
    return {
        "place": np.array([int(text[:16], 16) for text in table["pair_id"].to_pylist()], np.uint64),
        "shard": np.full(n, shard, np.int64),
        "row": np.arange(n, dtype=np.int64),
        "fits": is_optical.astype(np.bool_),
        "weathered": weathered,
        "source": np.full(n, source, np.int64),
        "level": np.array([_number_level(gsd) for gsd in table["gsd_m"].to_pylist()], np.int64),
    }


@functools.lru_cache(maxsize=4096)
def _number_level(gsd_m: float | None) -> int:
    return -1 if gsd_m is None else _LEVELS[find_level(gsd_m)]


def find_ground(rows: Rows) -> Ground:
    """The places of which a tile is optical and none shows weather already."""
    places = np.unique(rows.place[rows.fits])
    clear = places[~np.isin(places, rows.place[rows.weathered])]
    first = np.flatnonzero(rows.fits)
    order, index = np.unique(rows.place[first], return_index=True)
    at = first[index[np.searchsorted(order, clear)]]
    return Ground(place=clear, source=rows.source[at], level=rows.level[at])


def choose_places(ground: Ground, effect: AnyEffect, label: str) -> Keys:
    """Choose the places of one entry by a hash of each, sorted.

    A plain `share` takes each place on its own, so that the share is met in expectation; with `count` or `balance`
    those with the smallest hashes are taken until the numbers are met exactly.
    """
    draws = stable_draws(effect.seed, label, ground.place)
    share = DEFAULT_SHARE if effect.share is None else effect.share
    if effect.count is None and not effect.balance:
        return np.sort(ground.place[draws < share])
    wanted = effect.count if effect.count is not None else round(share * len(draws))
    strata = ground.strata(effect.balance)
    rooms = np.bincount(strata) if len(strata) else np.zeros(0, np.int64)
    taken = [
        here[np.argsort(draws[here], kind="stable")[:quota]]
        for here, quota in ((np.flatnonzero(strata == s), q) for s, q in enumerate(share_out(wanted, rooms)))
    ]
    return np.sort(ground.place[np.concatenate(taken)]) if taken else ground.place[:0]


def share_out(wanted: int, rooms: Iterable[int]) -> list[int]:
    """Divide a number as evenly as the rooms allow: what one cannot take goes to the others."""
    left = [int(room) for room in rooms]
    given = [0] * len(left)
    while wanted > 0 and any(left):
        open_rooms = [i for i, room in enumerate(left) if room]
        each = wanted // len(open_rooms)
        for i in open_rooms if each else open_rooms[:wanted]:
            take = min(left[i], max(each, 1))
            given[i] += take
            left[i] -= take
            wanted -= take
    return given


Tiles = tuple[tuple[int, int], ...]
"""The tiles of one place: number of the shard and row in it."""


def _group(rows: Rows, chosen: Keys) -> Iterator[dict[int, Tiles]]:
    """The chosen places with their tiles, shard by shard in which they begin, in the order of its rows."""
    kept = np.flatnonzero(np.isin(rows.place, chosen))
    kept = kept[np.argsort(rows.place[kept], kind="stable")]
    if not len(kept):
        return
    ends = np.flatnonzero(np.diff(rows.place[kept])) + 1
    runs = sorted(np.split(kept, ends), key=lambda run: int(run[0]))
    for _, here in groupby(runs, key=lambda run: int(rows.shard[run[0]])):
        yield {
            int(rows.place[run[0]]): tuple((int(rows.shard[i]), int(rows.row[i])) for i in run)
            for run in here
        }


@dataclass(frozen=True)
class Entry:
    """One entry of a recipe's `synthesize`, and the places that it gets in one job."""

    settings: AnyEffect
    label: str
    digest: str
    places: list[Tiles]


def _make_job(
    work: Path, shards: Sequence[tuple[TileJob, Manifest]], entries: Sequence[Entry]
) -> SynthesizeJob:
    """A job whose shards are numbered anew, so that its key depends on nothing but what it reads."""
    every = [tiles for entry in entries for tiles in entry.places]
    first = every[0][0][0]
    others = sorted({shard for tiles in every for shard, _ in tiles} - {first})
    numbers = {shard: number for number, shard in enumerate([first, *others])}
    places = [
        Places(
            settings=entry.settings,
            label=entry.label,
            digest=entry.digest,
            rows=tuple(tuple((numbers[shard], row) for shard, row in tiles) for tiles in entry.places),
        )
        for entry in entries
    ]
    job, _ = shards[first]
    quality = job.settings.encoding.quality
    effects = [
        [entry.label, entry.digest, [list(map(list, tiles)) for tiles in place.rows]]
        for entry, place in zip(entries, places, strict=True)
    ]
    identities = [shards[shard][1].identity for shard in numbers]
    return SynthesizeJob(
        name=f"{job.name}-variants",
        key=hash_json([SYNTHESIZE_VERSION, identities, effects, quality]),
        work=work,
        scenes=tuple(dict.fromkeys(shards[shard][0].scenes for shard in numbers)),
        tiles=tuple(shards[shard][0].name for shard in numbers),
        places=tuple(places),
        quality=quality,
    )
