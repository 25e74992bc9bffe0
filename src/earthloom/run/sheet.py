"""A contact sheet: every effect at every strength on tiles of a work folder, to look at before thousands are made."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.images import decode_image
from earthloom.core.records import Modality, Refused, Scene, Tile
from earthloom.core.seeds import stable_hash
from earthloom.run.reading import TileReader
from earthloom.run.recipe import Recipe
from earthloom.store.atomic import open_atomic, write_text
from earthloom.store.layout import WorkFolder
from earthloom.store.tables import read_columns, read_records
from earthloom.synthesize import EFFECTS, OPTICAL, AnyEffect, Member, fingerprint_effect, vary_place
from earthloom.synthesize.config import SEVERITIES

_CELL = 320
"""Side of a picture on the sheet, pixels."""
_LINE = 18
"""Height of the text above a picture."""
_GAP = 6
_QUALITY = 92

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What was written."""

    page: Path
    pictures: tuple[Path, ...]
    """One for each place and modality."""
    n_refused: int
    """Cells in which an effect found nothing to act on."""

    def to_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "page": str(self.page),
            "pictures": [str(path) for path in self.pictures],
            "refused": self.n_refused,
        }

    def to_text(self) -> str:
        """For people."""
        return "\n".join([*(str(path) for path in self.pictures), str(self.page)])


@dataclass(frozen=True)
class _Cell:
    title: str
    picture: Picture | None
    """H x W x 3; None where the effect was refused."""


def write_sheet(
    work: Path,
    out: Path,
    *,
    recipe: Recipe | None = None,
    base: Path = Path(),
    effects: Sequence[str] = (),
    places: int = 4,
    seed: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> Sheet:
    """Lay every effect at every strength over some places of a work folder and write one picture for each.

    Args:
        work: a folder in which `earthloom build` has cut tiles.
        out: folder of the sheet.
        recipe: takes the settings of its `synthesize` in place of the defaults.
        base: folder that the recipe's paths are relative to.
        effects: names of the effects to show; all that need no weights when empty.
        places: how many places, from as many sources as there are.
        seed: another seed shows other places in other weather.
        tell: is told what is being drawn.

    Raises:
        UsageError: there are no optical tiles in `work`, or no effect of a given name.

    """
    told: dict[str, AnyEffect] = {}
    for entry in () if recipe is None else recipe.effects(base):
        told.setdefault(entry.effect, entry)
    settings = _choose_effects(told, effects, seed)
    written: list[Path] = []
    n_refused = 0
    for number, members in enumerate(_choose_places(WorkFolder(work), places, seed)):
        tell(f"place {number + 1} of {places}: {members[0].scene.source_key}")
        tables = _vary(members, settings)
        n_refused += sum(cell.picture is None for rows in tables.values() for row in rows for cell in row)
        for modality, rows in tables.items():
            path = out / f"{number:02d}-{_name(members[0].scene)}-{modality.value}.jpg"
            with open_atomic(path) as file:
                _draw(rows).save(file, "JPEG", quality=_QUALITY)
            written.append(path)
    if not written:
        raise UsageError(f"{work} holds no RGB or NIR tiles. Build a recipe there first.")
    page = out / "index.html"
    write_text(page, _make_page(written))
    return Sheet(page=page, pictures=tuple(written), n_refused=n_refused)


def _choose_effects(told: dict[str, AnyEffect], names: Sequence[str], seed: int) -> list[AnyEffect]:
    known = {name: kind.settings for name, kind in EFFECTS.items()}
    strange = [name for name in names if name not in known]
    if strange:
        raise UsageError(f"There is no effect {strange[0]!r}. There are: {', '.join(known)}.")
    chosen: list[AnyEffect] = []
    for name in names or known:
        if name in told:
            chosen.append(told[name].model_copy(update={"seed": seed}))
        elif not EFFECTS[name].needs_weights:
            chosen.append(cast(AnyEffect, known[name](seed=seed)))
        elif names:
            raise UsageError(f"{name} needs weights: show it with a recipe that names them.")
    return chosen


def _choose_places(folder: WorkFolder, n: int, seed: int) -> Iterator[list[Member]]:
    """Some places, each with its optical tiles: one of each source in turn."""
    by_source: dict[str, list[tuple[int, Path, str]]] = {}
    for path in sorted(folder.stage("tile").glob("*.parquet")):
        if path.name.count(".") == 1:
            source = path.stem.rpartition("-")[0].rpartition("-")[0]
            pairs = dict.fromkeys(read_columns(path, ["pair_id"])["pair_id"].to_pylist())
            by_source.setdefault(source, []).extend(
                (stable_hash(seed, "sheet", pair), path, pair) for pair in pairs
            )
    queues = [iter(sorted(pairs)) for _, pairs in sorted(by_source.items())]
    given = 0
    while queues and given < n:
        for queue in list(queues):
            members = next((found for _, path, pair in queue if (found := _read(folder, path, pair))), None)
            if members is None:
                queues.remove(queue)
            elif given < n:
                given += 1
                yield members


def _read(folder: WorkFolder, path: Path, pair: str) -> list[Member]:
    table = read_columns(path, ["pair_id"])
    rows = [row for row, name in enumerate(table["pair_id"].to_pylist()) if name == pair]
    reader = TileReader(path)
    tiles = [reader.read(row) for row in rows]
    shard = path.stem.rpartition("-")[0]
    wanted = {tile.scene_id for tile in tiles}
    scenes = {
        scene.id: scene
        for scene in read_records(folder.stage("ingest") / f"{shard}.parquet", Scene)
        if scene.id in wanted
    }
    members = [Member(scene=scenes[tile.scene_id], tile=tile) for tile in tiles]
    return [member for member in members if member.scene.modality in OPTICAL]


def _vary(members: Sequence[Member], settings: Iterable[AnyEffect]) -> dict[Modality, list[list[_Cell]]]:
    """For each modality a row an effect: clear, light, moderate, heavy."""
    tables: dict[Modality, list[list[_Cell]]] = {member.scene.modality: [] for member in members}
    for entry in settings:
        rows = {member.scene.modality: [_Cell("clear", _decode(member.tile))] for member in members}
        for severity in SEVERITIES:
            one = entry.model_copy(update={"severity": (severity,)})
            for modality, cell in _vary_once(members, one).items():
                rows[modality].append(cell)
        for modality, row in rows.items():
            tables[modality].append(row)
    return tables


def _vary_once(members: Sequence[Member], settings: AnyEffect) -> dict[Modality, _Cell]:
    try:
        tiles = list(
            vary_place(
                members,
                settings,
                label=settings.effect,
                digest=fingerprint_effect(settings),
                quality=_QUALITY,
            )
        )
    except RecordError as error:
        title = f"{settings.effect} {settings.severity[0]}: {error.detail}"
        return {member.scene.modality: _Cell(title, None) for member in members}
    return {
        member.scene.modality: _Cell(f"{settings.effect}: {tile.detail}", None)
        if isinstance(tile, Refused)
        else _Cell(_describe(settings.effect, tile), _decode(tile))
        for member, tile in zip(members, tiles, strict=True)
    }


def _describe(name: str, tile: Tile) -> str:
    assert tile.effect is not None
    measured = json.loads(tile.effect.params)["measured"]
    numbers = [
        f"{key.replace('_', ' ')} {value:.2f}"
        for key, value in measured.items()
        if isinstance(value, float) and abs(value) < 1000 and key != "at_um"
    ]
    return f"{name}: {tile.effect.severity}; {', '.join(numbers[:2])}"


def _decode(tile: Tile) -> Picture:
    picture = np.asarray(decode_image(tile.image), np.uint8)
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture


def _draw(rows: Sequence[Sequence[_Cell]]) -> Image.Image:
    width = max(map(len, rows)) * (_CELL + _GAP) + _GAP
    height = len(rows) * (_CELL + _LINE + _GAP) + _GAP
    sheet = Image.new("RGB", (width, height), (24, 24, 24))
    pen = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        top = _GAP + number * (_CELL + _LINE + _GAP)
        for column, cell in enumerate(row):
            left = _GAP + column * (_CELL + _GAP)
            pen.text((left, top + 3), cell.title[:52], fill=(235, 235, 235))
            if cell.picture is not None:
                shown = Image.fromarray(cell.picture).resize((_CELL, _CELL), Image.Resampling.LANCZOS)
                sheet.paste(shown, (left, top + _LINE))
    return sheet


def _name(scene: Scene) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in Path(scene.source_key).stem)
    return f"{scene.source}-{kept}"[:60].strip("-")


def _make_page(pictures: Sequence[Path]) -> str:
    figures = "\n".join(
        f'<figure><img src="{html.escape(path.name)}" alt="Effects on {html.escape(path.stem)}" loading="lazy">'
        f"<figcaption>{html.escape(path.stem)}</figcaption></figure>"
        for path in pictures
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Effects</title>'
        "<style>body{font:15px system-ui;margin:1rem;background:#181818;color:#eee}"
        "img{max-width:100%;height:auto}figure{margin:0 0 2rem}</style>"
        "<h1>Every effect, light to heavy</h1>\n"
        f"{figures}\n</html>\n"
    )
