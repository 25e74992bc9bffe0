"""The recipe: one typed value that says everything about a run."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from earthloom.caption.config import CaptionSettings
from earthloom.core.errors import Fault
from earthloom.core.settings import Settings
from earthloom.curate.config import CurateSettings
from earthloom.export.config import ExportSettings
from earthloom.ingest.config import (
    AtlasSettings,
    FileSettings,
    GeotiffSettings,
    ImagesSettings,
    SourceSettings,
)
from earthloom.ingest.datasets.fmow import FmowSettings
from earthloom.ingest.datasets.gid import GidSettings
from earthloom.ingest.datasets.hrrsd import HrrsdSettings
from earthloom.ingest.datasets.hrsc2016 import Hrsc2016Settings
from earthloom.ingest.datasets.inria import InriaSettings
from earthloom.ingest.datasets.mrssc2 import Mrssc2Settings
from earthloom.ingest.datasets.nasc_tg2 import NascTg2Settings
from earthloom.ingest.datasets.sen1_2 import Sen12Settings
from earthloom.ingest.datasets.sen12ms import Sen12msSettings
from earthloom.ingest.datasets.whu_opt_sar import WhuOptSarSettings
from earthloom.ingest.kinds import name_of
from earthloom.ingest.released.coco import CocoSettings
from earthloom.ingest.released.gaia import GaiaSettings
from earthloom.ingest.released.imagefolder import ImageFolderSettings
from earthloom.ingest.released.karpathy import KarpathySettings
from earthloom.ingest.released.mmm_rs import MmmRsSettings
from earthloom.ingest.released.parquet import ParquetSettings
from earthloom.ingest.released.webdataset import WebDatasetSettings
from earthloom.ingest.stac.config import StacSettings
from earthloom.net.urls import is_remote
from earthloom.run.compat import COMPAT_SIZE, rules_of
from earthloom.synthesize.effects import EFFECT_PATHS, AnyEffect, resolve_effect
from earthloom.tile.config import TileOverrides, TileSettings


class Tiled(Settings):
    """What an entry of a recipe adds to the settings of a source."""

    tile: TileOverrides = TileOverrides()
    """What to cut differently for this source."""


class TiledWhole(Tiled):
    """What an entry adds whose captions speak of whole pictures."""

    tile: TileOverrides = TileOverrides(fit="whole")
    """What to cut differently for this source; `fit` is `whole` unless it is set here: a caption speaks of the whole
    picture."""

    @field_validator("tile")
    @classmethod
    def _fit_whole(cls, tile: TileOverrides) -> TileOverrides:
        return tile if tile.fit is not None else tile.model_copy(update={"fit": "whole"})


class GeotiffEntry(GeotiffSettings, Tiled):
    """A `geotiff` source in a recipe."""


class ImagesEntry(ImagesSettings, Tiled):
    """An `images` source in a recipe."""


class StacEntry(StacSettings, Tiled):
    """A `stac` source in a recipe."""


class Mrssc2Entry(Mrssc2Settings, Tiled):
    """An `mrssc2` source in a recipe."""


class InriaEntry(InriaSettings, Tiled):
    """An `inria` source in a recipe."""


class NascTg2Entry(NascTg2Settings, Tiled):
    """A `nasc_tg2` source in a recipe."""


class GidEntry(GidSettings, Tiled):
    """A `gid` source in a recipe."""


class WhuOptSarEntry(WhuOptSarSettings, Tiled):
    """A `whu_opt_sar` source in a recipe."""


class Hrsc2016Entry(Hrsc2016Settings, Tiled):
    """An `hrsc2016` source in a recipe."""


class HrrsdEntry(HrrsdSettings, Tiled):
    """An `hrrsd` source in a recipe."""


class FmowEntry(FmowSettings, Tiled):
    """An `fmow` source in a recipe."""


class Sen12Entry(Sen12Settings, Tiled):
    """A `sen1_2` source in a recipe."""


class Sen12msEntry(Sen12msSettings, Tiled):
    """A `sen12ms` source in a recipe."""


class GaiaEntry(GaiaSettings, TiledWhole):
    """A `gaia` source in a recipe."""


class MmmRsEntry(MmmRsSettings, TiledWhole):
    """An `mmm_rs` source in a recipe."""


class WebDatasetEntry(WebDatasetSettings, TiledWhole):
    """A `webdataset` source in a recipe."""


class ParquetEntry(ParquetSettings, TiledWhole):
    """A `parquet` source in a recipe."""


class ImageFolderEntry(ImageFolderSettings, TiledWhole):
    """An `imagefolder` source in a recipe."""


class KarpathyEntry(KarpathySettings, TiledWhole):
    """A `karpathy` source in a recipe."""


class CocoEntry(CocoSettings, TiledWhole):
    """A `coco` source in a recipe."""


class AtlasEntry(AtlasSettings, Tiled):
    """An `atlas` source in a recipe."""


SourceEntry = Annotated[
    GeotiffEntry
    | ImagesEntry
    | StacEntry
    | Mrssc2Entry
    | InriaEntry
    | NascTg2Entry
    | GidEntry
    | WhuOptSarEntry
    | Hrsc2016Entry
    | HrrsdEntry
    | FmowEntry
    | Sen12Entry
    | Sen12msEntry
    | GaiaEntry
    | MmmRsEntry
    | WebDatasetEntry
    | ParquetEntry
    | ImageFolderEntry
    | KarpathyEntry
    | CocoEntry
    | AtlasEntry,
    Field(discriminator="kind"),
]

ENTRIES: dict[str, type[Tiled]] = {
    name_of(entry): entry for entry in typing.get_args(typing.get_args(SourceEntry)[0])
}
"""Every kind of entry by its name."""


class Recipe(Settings):
    """Sources to release. Paths are relative to the recipe's file, or to `base` in `earthloom.build`."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w.\- ]+$")
    """Name of the dataset."""
    sources: tuple[SourceEntry, ...] = Field(min_length=1)
    """Where scenes come from, in order."""
    mode: Literal["faithful", "compat"] = "faithful"
    """`faithful`: no invented detail, every scene used whole, `tile` as it is set. `compat`: MMM-RS's published rules
    for its nine datasets (crops, counts, one prompt an image), so that counts can be compared; other sources are cut
    as in `faithful`."""
    tile: TileSettings = TileSettings()
    """How scenes are cut."""
    synthesize: tuple[AnyEffect, ...] = ()
    """Weather and light to lay over clear tiles; each entry makes variants, and the clear tiles stay."""
    caption: CaptionSettings = CaptionSettings()
    """How captions are written."""
    curate: CurateSettings = CurateSettings()
    """How pairs are divided."""
    export: ExportSettings = ExportSettings()
    """How the release is written."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [source.name for source in self.sources if source.name is not None]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                raise ValueError(
                    f"sources: the name {name!r} is used {names.count(name)} times; give each its own."
                )
        return self

    def named_sources(self) -> list[SourceEntry]:
        """The sources with every name filled in: the given one, else the last part of the path, made unique."""
        taken = {source.name for source in self.sources if source.name is not None}
        named = []
        for source in self.sources:
            if source.name is not None:
                named.append(source)
                continue
            name = _first_free(_suggest_name(source), taken)
            taken.add(name)
            named.append(source.model_copy(update={"name": name}))
        return named

    def tile_settings(self, source: SourceEntry) -> TileSettings:
        """The tile settings that hold for one source: its own over the rules of the mode over the recipe's."""
        rules = rules_of(source.kind) if self.mode == "compat" else None
        return source.tile.apply(self.tile if rules is None else rules.apply(self.tile))

    def effects(self, base: Path) -> tuple[AnyEffect, ...]:
        """The entries of `synthesize` as jobs take them: paths absolute."""
        return tuple(resolve_effect(effect, base) for effect in self.synthesize)

    def caption_settings(self) -> CaptionSettings:
        """The caption settings that hold: in `compat` one prompt an image, unless the recipe says otherwise."""
        if self.mode == "compat" and "caption" not in self.model_fields_set:
            return CaptionSettings(styles=("mmm_rs",), per_image=0)
        return self.caption

    @model_validator(mode="after")
    def _check_mode(self) -> Self:
        if self.mode == "compat" and self.tile.size != COMPAT_SIZE:
            raise ValueError(
                f"mode: compat makes tiles of {COMPAT_SIZE} pixels as MMM-RS does; remove `tile.size` or `mode`."
            )
        return self

    @model_validator(mode="after")
    def _check_tiles(self) -> Self:
        for number, source in enumerate(self.sources):
            try:
                self.tile_settings(source)
            except ValidationError as error:
                said = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise ValueError(f"sources: with the `tile` of number {number}, {said}") from error
        return self


def check_paths(recipe: Recipe, base: Path) -> list[Fault]:
    """Faults for every file or folder that the recipe names and that is not there."""
    named = list_paths(recipe.model_dump(mode="json"))
    return [fault for place, path in named for fault in check_path(place, path, base)]


PATH_FIELDS = ("path", "facts", "images", "catalog", "items")
"""Fields of a source that name files; some may be URLs, too."""


def list_paths(recipe: object) -> Iterator[tuple[str, str]]:
    """Give the place and the path of all files that a recipe names, as plain values that need not be right."""
    yield from _list_weights(recipe, "tile")
    effects = _get(recipe, "synthesize")
    for number, effect in enumerate(effects if isinstance(effects, list) else []):
        for field in EFFECT_PATHS:
            if isinstance(path := _get(effect, field), str) and path:
                yield f"synthesize[{number}].{field}", path
    sources = _get(recipe, "sources")
    for number, source in enumerate(sources if isinstance(sources, list) else []):
        for field in PATH_FIELDS:
            if isinstance(path := _get(source, field), str) and path and not is_remote(path):
                yield f"sources[{number}].{field}", path
        yield from _list_weights(source, f"sources[{number}].tile")


def _list_weights(owner: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(path := _get(owner, "tile", "enlarge", "weights"), str) and path:
        yield f"{place}.enlarge.weights", path


def _get(value: object, *steps: str) -> object:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def check_path(place: str, path: str, base: Path) -> list[Fault]:
    """A fault if what stands before the first wildcard of `path` does not exist; else nothing."""
    fixed = base / _before_wildcards(path)
    if fixed.exists():
        return []
    return [
        Fault(place=place, problem=f"there is no {str(fixed)!r}.", remedy="Paths are relative to the recipe.")
    ]


def _before_wildcards(path: str) -> PurePosixPath:
    """The part of a glob that must exist: the folders before the first wildcard."""
    parts = PurePosixPath(path).parts
    plain = list(takewhile(lambda part: not set(part) & set("*?["), parts))
    return PurePosixPath(*plain)


def _suggest_name(source: SourceSettings) -> str:
    if not isinstance(source, FileSettings | StacSettings):
        return "atlas"
    place = source.place_name if isinstance(source, StacSettings) else source.path
    parts = [part for part in PurePosixPath(place).parts if not set(part) & set("*?[")]
    name = re.sub(r"[^\w.\-]+", "-", parts[-1] if parts else "").strip("-.")
    return name[:80] or "source"


def _first_free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(f"{name}-{n}" for n in range(2, len(taken) + 3) if f"{name}-{n}" not in taken)


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as YAML, as `recipe.yaml` of a work folder holds it: only what was set."""
    value = recipe.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
