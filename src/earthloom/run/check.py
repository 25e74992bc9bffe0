"""Looking at a download without building it: what is there, what is missing, what would come of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Band, Item, Scene
from earthloom.core.seeds import stable_hash
from earthloom.core.settings import Settings
from earthloom.ingest import KINDS, Kind
from earthloom.ingest.datasets import Strays, list_dataset
from earthloom.net.urls import is_remote
from earthloom.run.compat import rules_of
from earthloom.run.findings import Check
from earthloom.run.recipe import ENTRIES, SourceEntry
from earthloom.tile import TileSettings, check_classes, count_windows

SAMPLE = 500
"""Items whose headers are read when nothing else is asked for."""
DOWNLOADS = 16
"""Pictures by URL that are asked for: enough to see whether they come."""
MASKS = 8
"""Class masks that are read whole."""

_LIST_STEP, _READ_STEP = 1000, 10
Tell = Callable[[str], None]

STAC_ROOTS = frozenset(("catalog.json", "collection.json"))

FACTS = (
    "gsd_x_m", "acquired", "season", "lon", "place", "country", "platform", "sensor", "sun_elevation_deg",
    "off_nadir_deg", "cloud_share", "polarisation", "published_split", "licence",
)  # fmt: skip
"""Facts that are counted, as far as any scene has them."""


def check_source(
    kind: str,
    path: str | Path,
    options: Mapping[str, Any] | None = None,
    *,
    sample: int = SAMPLE,
    tell: Tell = lambda text: None,
) -> Check:
    """List a source whole, read the headers of up to `sample` of its items, and plan their tiles in both modes.

    Masks of a few scenes are read whole, to find values and colours that the legend lacks; no tile is cut. `tell` is
    told how far it is, now and then. Raises UsageError for a kind that is not known, settings that are wrong, and a
    path with nothing of the kind in it.
    """
    found = KINDS.get(kind)
    if found is None:
        raise UsageError(f"the kind {kind!r} is not known; kinds are {', '.join(KINDS)}.")
    where = str(path) if is_remote(str(path)) else os.path.abspath(path)  # noqa: PTH100  `..` goes, links stay
    root = Path() if is_remote(where) else Path(where).parent
    settings = _make_settings(kind, where, options or {})
    about = found.about
    check = Check(
        kind=kind,
        path=where,
        title=about.title,
        what=about.what,
        terms=_say_terms(about.licence, about.terms),
        whole=about.whole,
    )
    chosen = _list(check, _items(found, settings, root, check.strays), sample, tell)
    rules = rules_of(kind)
    plain = settings.tile.apply(TileSettings())
    modes = {"faithful": plain, "compat": None if rules is None else rules.apply(TileSettings())}
    with TemporaryDirectory() as folder:
        assets = Path(folder)  # for what has to be downloaded or taken out of tables to be looked at
        named = settings.model_copy(update={"name": settings.name or kind})
        if found.fetch_items is not None:
            tell("downloading a few pictures")
            chosen = _leave_downloads(chosen)
            found.fetch_items(named, chosen, root, assets)
        items = _count_up(chosen, tell)
        _read_all(check, items, lambda item: found.read_item(named, item, root, assets), modes)
    return check


def _make_settings(kind: str, where: str, options: Mapping[str, Any]) -> Any:
    entry = ENTRIES[kind]
    try:
        return entry.model_validate({"kind": kind, **_point_at(entry, where), **options})
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or kind}: {fault['msg']}" for fault in error.errors()
        )
        raise UsageError(f"{kind}: {faults}. Give settings as --set NAME=VALUE.") from error


def _point_at(entry: type[Settings], where: str) -> dict[str, str]:
    """The setting by which a kind of source is told where it lies."""
    fields, name = entry.model_fields, Path(where).name
    if "path" in fields:
        return {"path": name}
    if "catalog" not in fields:
        raise UsageError("an `atlas` source has no folder to look at.")
    if name in STAC_ROOTS:
        return {"catalog": where}
    if is_remote(where):
        return {"url": where}
    return {"catalog": f"{where}/catalog.json"} if Path(where, "catalog.json").is_file() else {"items": where}


def _items(kind: Kind, settings: SourceEntry, root: Path, strays: Strays) -> Iterable[Item]:
    if kind.adapter is not None:
        return list_dataset(kind.adapter, settings, root, strays)
    return kind.list_items(settings, root)


def _say_terms(licence: str | None, terms: str | None) -> str:
    said = [text for text in (licence, terms) if text]
    return "; ".join(said) if said else "none stated; not stated is not permission"


def _count_up(items: list[Item], tell: Tell) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number % _READ_STEP == 0:
            tell(f"reading: {number:,} of {len(items):,} items")
        yield item


def _list(check: Check, items: Iterable[Item], sample: int, tell: Tell) -> list[Item]:
    """Count all items and keep a stable sample of those that can be read, in their order."""
    kept: dict[int, Item] = {}
    for number, item in enumerate(items):
        if number % _LIST_STEP == 0:
            tell(f"listing: {number:,} items")
        if item.refused is not None:
            check.problems.add(item.key, item.refused, item.detail)
            continue
        check.items += 1
        check.parts.update(part.role or "file" for part in item.parts)
        kept[number] = item
        if len(kept) >= 2 * sample:
            kept = _thin(kept, sample)
    return list(_thin(kept, sample).values())


def _thin(kept: dict[int, Item], n: int) -> dict[int, Item]:
    if len(kept) <= n:
        return kept
    chosen = sorted(kept, key=lambda number: (stable_hash(0, kept[number].key), number))[:n]
    return {number: kept[number] for number in sorted(chosen)}


def _leave_downloads(items: list[Item]) -> list[Item]:
    """Leave out all pictures but a few that would have to be downloaded."""
    remote = [item.key for item in items if any(is_remote(part.uri) for part in item.parts)]
    left_out = set(remote[DOWNLOADS:])
    return [item for item in items if item.key not in left_out]


def _read_all(
    check: Check,
    items: Iterable[Item],
    read: Callable[[Item], list[Scene]],
    modes: Mapping[str, TileSettings | None],
) -> None:
    seen: set[Band] = set()
    for item in items:
        check.read += 1
        try:
            scenes = read(item)
        except RecordError as error:
            check.problems.add(item.key, error.reason, error.detail)
            continue
        check.usable += 1
        for scene in scenes:
            _count_scene(check, scene, modes)
            if scene.mask is not None and scene.mask.band not in seen and len(seen) < MASKS:
                seen.add(scene.mask.band)
                _check_mask(check, item, scene)


def _count_scene(check: Check, scene: Scene, modes: Mapping[str, TileSettings | None]) -> None:
    modality = scene.modality.value
    check.modalities[modality] += 1
    check.facts.update(name for name in FACTS if getattr(scene, name) is not None)
    check.masks += scene.mask is not None
    check.boxes += sum(label.box is not None for label in scene.labels)
    check.classes.update({label.name for label in scene.labels})
    check.platforms.update(filter(None, (scene.platform,)))
    check.sensors.update(filter(None, (scene.sensor,)))
    if scene.published_split is not None:
        check.splits[scene.published_split] += 1
    for mode, settings in modes.items():
        if settings is not None:
            check.tiles.setdefault(mode, Counter())[modality] += count_windows(scene, settings)


def _check_mask(check: Check, item: Item, scene: Scene) -> None:
    try:
        check_classes(scene)
    except RecordError as error:
        check.problems.add(item.key, error.reason, error.detail)
