"""Builds what the stages before export would have written: scenes, tiles, captions and verdicts as shards."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from PIL import Image

from earthloom.core.ids import hash_bytes, make_id
from earthloom.core.records import (
    Band,
    Box,
    Caption,
    Captioned,
    ClassMask,
    Crop,
    Label,
    Legend,
    Modality,
    Provenance,
    Quantity,
    Scene,
    Stretch,
    Tile,
    Verdict,
)
from earthloom.export import ExportSettings, TileShard, split_plan, write_release_shard
from earthloom.store.shards import TableWriter


def encode(pixels: np.ndarray, media: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG" if media == "jpg" else "PNG", quality=90)
    return buffer.getvalue()


def make_pixels(seed: int, modality: Modality, side: int = 16) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    return image if modality is Modality.RGB else image[..., 0]


def make_scene(n: int, modality: Modality = Modality.RGB, **changes: object) -> Scene:
    key = f"field {n}.tif"
    is_sar = modality is Modality.SAR
    scene = Scene(
        id=make_id("scene", n, modality.value),
        item_id=make_id("item", n),
        source="fields",
        source_key=key,
        dataset="Test fields",
        modality=modality,
        quantity=Quantity.DB if is_sar else Quantity.DISPLAY,
        bands=(Band(uri=f"/data/{key}", index=1),),
        mask=ClassMask(
            band=Band(uri="/data/mask.tif", index=1),
            legend=(Legend(value=1, name="water"),),
            origin="sidecar file",
        ),
        width=1024,
        height=1024,
        dtype="uint8",
        acquired=("2019-07-04", "2017-09", "2015", None)[n % 4],
        platform=(None, "Sentinel-2")[n % 2],
        sensor="MSI",
        place="Rügen, Germany",
        polarisation="VV" if is_sar else None,
        looks=4.0 if is_sar else None,
        licence="CC-BY-4.0",
        credit="European Union, contains modified Copernicus data",
        group=f"fields:{n}",
        pair_key=f"fields:{n}",
        provenance=(Provenance(fact="acquired", origin="file name"),),
    )
    return replace(scene, **changes)


def make_tile(scene: Scene, n: int, *, side: int = 16, media: str | None = None, **changes: object) -> Tile:
    media = media or ("png" if scene.modality is Modality.SAR else "jpg")
    number = int(scene.source_key.split()[-1].split(".")[0])
    image = encode(make_pixels(1000 * number + n, scene.modality, side), media)
    lon, lat = -180 + (number * 37.37) % 358 + 0.001 * n, -60 + (number * 17.17) % 120
    tile_id = make_id("tile", scene.id, n)
    tile = Tile(
        id=tile_id,
        scene_id=scene.id,
        base_id=tile_id,
        pair_id=make_id("pair", scene.pair_key, n),
        crop=Crop(col=float(n), row=0.0, width=float(side), height=float(side)),
        width=side,
        height=side,
        native_gsd_m=9.98,
        gsd_m=10.0 * (1 + number % 3),
        pixel_m=10.0,
        valid_share=1.0 if n % 3 else 0.9,
        lon=lon,
        lat=lat,
        footprint=shapely.to_wkb(shapely.box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01)),
        stretch=Stretch(method="none", low=(0.0,), high=(255.0,)),
        labels=(
            Label(name="annual crop", kind="class", origin="dataset documentation"),
            Label(name="barn", kind="object", origin="sidecar file", box=Box(x0=1, y0=2, x1=5, y1=6.5)),
            Label(name="water", kind="cover", origin="computed", share=0.25),
        )[: n % 4],
        image=image,
        media=media,
        valid_mask=None if n % 3 else encode(np.full((side, side), 255, np.uint8), "png"),
        class_mask=None if n % 2 else encode(np.ones((side, side), np.uint8), "png"),
        sha256=hash_bytes(image),
    )
    return replace(tile, **changes)


def make_captions(tile: Tile, text: str = "A field of wheat beside a river") -> Captioned:
    return Captioned(
        id=tile.id,
        captions=(
            Caption(text=f"{text}, seen from above.", style="plain", role="overview", author="rules@1"),
            Caption(
                text=f"Low precision resolution, {text}", style="mmm_rs", role="prompt", author="rules@1"
            ),
        ),
    )


@dataclass
class Inputs:
    """Records of one tile shard, to be changed by a test before `write`."""

    scenes: list[Scene]
    tiles: list[Tile]
    captions: list[Captioned]
    verdicts: list[Verdict]

    def write(self, folder: Path, name: str = "00000") -> TileShard:
        split_of = {v.id: v.split for v in self.verdicts}
        modality_of = {s.id: s.modality.value for s in self.scenes}
        captioned = {c.id for c in self.captions}
        pairs: dict[tuple[str, str], int] = {}
        for tile in self.tiles:
            if tile.id in split_of and tile.id in captioned and tile.scene_id in modality_of:
                key = (split_of[tile.id], modality_of[tile.scene_id])
                pairs[key] = pairs.get(key, 0) + 1
        half = len(self.scenes) // 2
        return TileShard(
            tiles=write_records(folder / "02-tile" / f"{name}.parquet", self.tiles, Tile),
            captions=write_records(folder / "04-caption" / f"{name}.parquet", self.captions, Captioned),
            verdicts=write_records(folder / "06-curate" / f"{name}.parquet", self.verdicts, Verdict),
            scenes=(
                write_records(folder / "01-ingest" / f"{name}a.parquet", self.scenes[:half], Scene),
                write_records(folder / "01-ingest" / f"{name}b.parquet", self.scenes[half:], Scene),
            ),
            pairs=pairs,
        )


def write_records(path: Path, records: list[object], kind: type) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = TableWriter(file, kind)
        for record in records:
            writer.add(record)
        writer.close()
    return str(path)


def make_inputs(
    n_scenes: int = 12,
    tiles_per_scene: int = 5,
    modalities: tuple[Modality, ...] = tuple(Modality),
    splits: tuple[str, ...] = ("train", "val", "test"),
    side: int = 16,
    first: int = 0,
) -> Inputs:
    """Scenes cycle through modalities and, by groups of them, through splits."""
    scenes = [make_scene(n, modality) for n in range(first, first + n_scenes) for modality in modalities]
    tiles = [make_tile(scene, n, side=side) for scene in scenes for n in range(tiles_per_scene)]
    number = {scene.id: i // len(modalities) + first for i, scene in enumerate(scenes)}
    verdicts = [Verdict(id=t.id, split=splits[number[t.scene_id] % len(splits)]) for t in tiles]
    return Inputs(scenes=scenes, tiles=tiles, captions=[make_captions(t) for t in tiles], verdicts=verdicts)


def write_release(
    root: Path, *inputs: Inputs, shard_pairs: int = 1000, formats: tuple[str, ...] = ("webdataset", "parquet")
) -> Path:
    """Write inputs and the release's data, without card and report; return the release's folder."""
    settings = ExportSettings.model_validate({"formats": formats, "shard_pairs": shard_pairs})
    shards = [part.write(root / "work", f"{i:05d}") for i, part in enumerate(inputs)]
    for shard in split_plan(shards, settings):
        write_release_shard(shard, root / "release" / "data", settings)
    return root / "release"


def expected_pairs(*inputs: Inputs) -> dict[str, tuple[Scene, Tile, Captioned, Verdict]]:
    """The join, written down the plain way: pair id to the records that make it up, in tile order."""
    joined = {}
    for part in inputs:
        scenes = {scene.id: scene for scene in part.scenes}
        captions = {captioned.id: captioned for captioned in part.captions}
        verdicts = {verdict.id: verdict for verdict in part.verdicts}
        for tile in part.tiles:
            if tile.id in captions and tile.id in verdicts and tile.scene_id in scenes:
                joined[tile.id] = (scenes[tile.scene_id], tile, captions[tile.id], verdicts[tile.id])
    return joined
