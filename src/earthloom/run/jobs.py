"""Jobs: one shard of one stage, complete in itself, so that any process on any machine can do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from earthloom.caption import CaptionSettings, ModelAuthors, caption_tile
from earthloom.core.ids import make_id
from earthloom.core.records import Captioned, Item, Refused, Scene, Tile, Verdict
from earthloom.curate import CurateSettings, assign_split
from earthloom.export import ExportSettings, ReleaseShard, write_release_shard
from earthloom.ingest import AnySource, fetch_items, read_item
from earthloom.net.config import TURNS, NetSettings
from earthloom.run.job import Job, Tick
from earthloom.run.reading import TileReader, find_scenes, iter_tiles
from earthloom.run.units import Unit, run_units
from earthloom.store.layout import RELEASE_DATA, ShardFiles, WorkFolder
from earthloom.store.shards import ANSWERS, DROPPED, Counts, Manifest, ShardWriter, file_sizes
from earthloom.store.tables import iter_row_groups, read_columns, read_records
from earthloom.synthesize import AnyEffect, Member, vary_place
from earthloom.tile import TileSettings, count_windows, cut_tiles

if TYPE_CHECKING:
    from earthloom.caption.lookup import Lookup


@dataclass(frozen=True, kw_only=True)
class IngestJob:
    """Read the headers of some items of one source."""

    name: str
    key: str
    work: Path
    source: AnySource
    root: Path
    """Folder of the recipe."""
    items: tuple[Item, ...]
    stage: str = "ingest"

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        """Write one row a scene."""
        assets = WorkFolder(self.work).assets
        source = cast("str", self.source.name)
        units = (
            Unit(
                make_id("item", source, item.key),
                f"{source}:{item.key}",
                1,
                lambda item=item: read_item(self.source, item, self.root, assets),  # type: ignore[misc]
                yields_many=True,
            )
            for item in self.items
        )
        fetch_items(self.source, self.items, self.root, assets)
        return run_units(self, Scene, units, tick, skip, hide=str(self.root))


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowRun:
    """Consecutive windows of a shard of scenes, counted through its rows: four numbers for any number of scenes."""

    first_row: int
    """Row of the first scene."""
    first: int
    """Its first window."""
    last_row: int
    """Row of the last scene."""
    stop: int
    """The window of it before which the run ends."""

    def spans(self, counts: Iterable[int]) -> Iterator[tuple[int, int, int]]:
        """Give (row, first window, window before which it ends) for each scene with windows in the run.

        `counts` are the numbers of windows of the rows `first_row` to `last_row`.
        """
        for row, count in enumerate(counts, self.first_row):
            first = self.first if row == self.first_row else 0
            stop = self.stop if row == self.last_row else count
            if first < stop:
                yield row, first, stop


@dataclass(frozen=True, kw_only=True)
class TileJob:
    """Cut some windows of some scenes of one source."""

    name: str
    key: str
    work: Path
    scenes: str
    """Name of the shard of scenes."""
    windows: WindowRun
    settings: TileSettings
    hide: str
    net: NetSettings | None = None
    """How the servers are asked on which the pixels lie; None where they lie on this machine."""
    stage: str = "tile"

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        """Write one row a tile."""
        if self.net is not None:
            from earthloom.net.client import configure  # brings the HTTP client, which most runs do without

            configure(self.net, WorkFolder(self.work).assets / TURNS)
        return run_units(self, Tile, self._units(), tick, skip, hide=self.hide)

    def _units(self) -> Iterator[Unit]:
        """What the run holds of each scene; the numbers of windows are counted again, as the plan did."""
        first_row = self.windows.first_row
        rows = _shard(self, "ingest", self.scenes).rows
        scenes = read_records(rows, Scene, first_row, self.windows.last_row + 1)
        counts = (count_windows(scene, self.settings) for scene in scenes)
        for row, first, stop in self.windows.spans(counts):
            scene = scenes[row - first_row]
            yield Unit(
                scene.id,
                f"{scene.source}:{scene.source_key}",
                stop - first,
                partial(cut_tiles, scene, self.settings, first, stop),
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class TileSource:
    """Where a shard of tiles lies, whichever stage made it, and where their scenes do."""

    stage: str
    """`tile` or `synthesize`."""
    scenes: tuple[str, ...]
    """Shards of scenes."""

    def rows(self, work: Path, name: str) -> Path:
        """The tiles of the shard of this name."""
        return ShardFiles(WorkFolder(work).stage(self.stage), name).rows

    def scene_rows(self, work: Path) -> list[Path]:
        """The scenes that they were cut from, and others."""
        return [ShardFiles(WorkFolder(work).stage("ingest"), name).rows for name in self.scenes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """What one effect is to be laid over: places, each the rows of the tiles that show it."""

    settings: AnyEffect
    label: str
    """Tells entries of one effect apart."""
    digest: str
    """Hash of the settings, files by their content."""
    rows: tuple[tuple[tuple[int, int], ...], ...]
    """For each place its tiles: number of the shard in `SynthesizeJob.tiles` and row in it."""


@dataclass(frozen=True, kw_only=True)
class SynthesizeJob:
    """Make the variants of the places that begin in one shard of tiles."""

    name: str
    key: str
    work: Path
    scenes: tuple[str, ...]
    """Shards of scenes that the tiles were cut from."""
    tiles: tuple[str, ...]
    """Shards of tiles: mostly one; a place whose pictures are in several shards brings those along."""
    places: tuple[Places, ...]
    quality: int
    """Of JPEG."""
    stage: str = "synthesize"

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        """Write one row a variant."""
        tiles = [TileReader(_shard(self, "tile", name).rows) for name in self.tiles]
        scenes = find_scenes(
            [_shard(self, "tile", name).rows for name in self.tiles],
            [_shard(self, "ingest", name).rows for name in self.scenes],
        )
        units = (
            Unit(
                make_id("variants", places.label, *(f"{shard}/{row}" for shard, row in rows)),
                f"{places.label} {self.tiles[rows[0][0]]} row {rows[0][1]}",
                len(rows),
                partial(self._vary, places, rows, tiles, scenes),
            )
            for places in self.places
            for rows in places.rows
        )
        return run_units(self, Tile, units, tick, skip)

    def _vary(
        self,
        places: Places,
        rows: tuple[tuple[int, int], ...],
        tiles: list[TileReader],
        scenes: dict[str, Scene],
    ) -> Iterator[Tile | Refused]:
        found = [tiles[shard].read(row) for shard, row in rows]
        members = [Member(scene=scenes[tile.scene_id], tile=tile) for tile in found]
        return vary_place(
            members, places.settings, label=places.label, digest=places.digest, quality=self.quality
        )


@dataclass(frozen=True, kw_only=True)
class CaptionJob:
    """Write the captions of one shard of tiles or variants; what models say is found in the ledger."""

    name: str
    key: str
    work: Path
    source: TileSource
    settings: CaptionSettings
    models: ModelAuthors | None = None
    answers: Path | None = None
    """The ledger; None where no model is asked."""
    stage: str = "caption"

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        """Write one row a tile, its captions; the tally counts dropped captions and says which answers were used."""
        if self.answers is None:
            return self._caption(tick, skip, None)
        from earthloom.caption.ledger import Ledger  # brings SQLite, which most runs do without
        from earthloom.caption.lookup import Lookup

        with Ledger(self.answers, read_only=True) as answers:
            return self._caption(tick, skip, Lookup(answers))

    def _caption(self, tick: Tick, skip: dict[int, str], lookup: Lookup | None) -> Manifest:
        tiles = self.source.rows(self.work, self.name)
        scenes = find_scenes([tiles], self.source.scene_rows(self.work))
        tally: Counter[str] = Counter()

        def caption(tile: Tile) -> list[Captioned]:
            captioned = caption_tile(scenes[tile.scene_id], tile, self.settings, self.models, lookup)
            tally.update(f"{DROPPED}{dropped.check}" for dropped in captioned.dropped)
            return [captioned]

        def count() -> dict[str, int]:
            return dict(tally) if lookup is None else dict(tally) | {ANSWERS: lookup.digest}

        units = (
            Unit(
                tile.id,
                f"{scenes[tile.scene_id].source}:{scenes[tile.scene_id].source_key}",
                1,
                partial(caption, tile),
            )
            for tile in iter_tiles(tiles)
        )
        return run_units(self, Captioned, units, tick, skip, tally=count)


@dataclass(frozen=True, kw_only=True)
class CurateJob:
    """Decide on one shard of tiles or variants."""

    name: str
    key: str
    work: Path
    source: TileSource
    settings: CurateSettings
    stage: str = "curate"

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        """Write one row a tile, its split; the tally counts pairs by `split/modality`."""
        captions = _shard(self, "caption", self.name).rows
        captioned = set(read_columns(captions, ["id"])["id"].to_pylist())
        scenes = {
            row["id"]: row
            for path in self.source.scene_rows(self.work)
            for table in iter_row_groups(path, ["id", "group", "modality"])
            for row in table.to_pylist()
        }
        writer = ShardWriter(_shard(self, self.stage, self.name), Verdict, stage=self.stage, key=self.key)
        with writer:
            tick(0)
            tiles = self.source.rows(self.work, self.name)
            for table in iter_row_groups(tiles, ["id", "scene_id"]):
                for row in table.to_pylist():
                    if row["id"] in captioned:
                        self._decide(row["id"], scenes[row["scene_id"]], writer)
        return writer.finish()

    def _decide(self, tile_id: str, scene: dict[str, str], writer: ShardWriter) -> None:
        split = assign_split(scene["group"], self.settings)
        writer.write(Verdict(id=tile_id, split=split))
        writer.counts.planned += 1
        writer.counts.written += 1
        cell = f"{split}/{scene['modality']}"
        writer.tally[cell] = writer.tally.get(cell, 0) + 1


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """Write one shard of the release."""

    name: str
    key: str
    work: Path
    shard: ReleaseShard
    settings: ExportSettings
    stage: str = "export"

    def run(self, tick: Tick, skip: dict[int, str]) -> Manifest:
        """Write the shard's files in every format."""
        tick(0)
        files = _shard(self, self.stage, self.name)
        files.manifest.unlink(missing_ok=True)
        data = WorkFolder(self.work).release / RELEASE_DATA
        planned = self.shard.n_pairs
        written = write_release_shard(self.shard, data, self.settings)
        manifest = Manifest(
            stage=self.stage,
            name=self.name,
            key=self.key,
            counts=Counts(planned=planned, written=written, records=written),
            tally={},
            files=file_sizes(sorted(data.glob(f"{self.shard.stem}.*")), files.folder),
        )
        manifest.write(files.manifest)
        return manifest


def _shard(job: Job, stage: str, name: str) -> ShardFiles:
    return ShardFiles(WorkFolder(job.work).stage(stage), name)
