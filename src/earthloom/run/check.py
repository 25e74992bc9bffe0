"""Looking at a download without building it: what is there, what is missing, what would come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Item, Reason, Scene
from earthloom.core.seeds import stable_hash
from earthloom.ingest import KINDS, Kind
from earthloom.ingest.datasets import Strays, list_dataset
from earthloom.run.compat import rules_of
from earthloom.run.recipe import ENTRIES, SourceEntry
from earthloom.tile import TileSettings, check_classes, count_windows

SAMPLE = 500
"""Items whose headers are read when nothing else is asked for."""
MASKS = 8
"""Scenes whose class masks are read whole."""

FACTS = (
    "gsd_x_m", "acquired", "season", "lon", "place", "country", "platform", "sensor", "sun_elevation_deg",
    "off_nadir_deg", "cloud_share", "polarisation", "published_split", "licence",
)  # fmt: skip
"""Facts that are counted, as far as any scene has them."""

REMEDIES: Mapping[Reason, str] = {
    Reason.MISSING: "Download or unpack it again, or go on without it.",
    Reason.EMPTY: "Download it again.",
    Reason.UNREADABLE: "Download or unpack it again.",
    Reason.NOT_AN_IMAGE: "Download it again: a server's error page may have been saved under its name.",
    Reason.NO_PERMISSION: "Give yourself the right to read it.",
    Reason.UNSAFE_PATH: "Take it out of the archive or the folder.",
    Reason.DUPLICATE: "Remove one of the two.",
    Reason.TOO_SMALL: "It is left out.",
    Reason.TOO_LARGE: "Convert it to a tiled GeoTIFF and read it as `kind: geotiff`.",
    Reason.UNSUPPORTED_PIXELS: "Say in the recipe what its bands are, or leave it out with `skip`.",
    Reason.MISALIGNED: "The files belong to different versions: download them from one place.",
    Reason.BAD_FACTS: "Repair the annotation or leave the image out with `skip`.",
    Reason.BAD_GRID: "Repair the geo-reference or leave the image out with `skip`.",
    Reason.UNKNOWN_CLASS: "Check that the labels are those of this dataset and of its version.",
    Reason.UNREACHABLE: "Try again later.",
}
"""What a person can do, by reason."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that cannot be used, or only in part."""

    key: str
    reason: Reason
    detail: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES.get(self.reason, "It is left out.")


@dataclass(kw_only=True)
class Check:
    """What was found at a path; counts are of all items unless they say `read`."""

    kind: str
    path: str
    title: str
    what: str
    terms: str
    whole: tuple[tuple[str, int], ...]
    items: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    """Files by their role."""
    splits: Counter[str] = field(default_factory=Counter)
    """Scenes read, by the publisher's split."""
    strays: Strays = field(default_factory=Strays)
    problems: list[Problem] = field(default_factory=list)
    read: int = 0
    """Items whose headers were read."""
    usable: int = 0
    """Of those, items that give scenes."""
    modalities: Counter[str] = field(default_factory=Counter)
    """Scenes read."""
    facts: Counter[str] = field(default_factory=Counter)
    """Scenes read that know a fact."""
    boxes: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    masks: int = 0
    """Scenes read that have a class mask."""
    tiles: dict[str, Counter[str]] = field(default_factory=dict)
    """Planned tiles of the scenes read, by mode and modality."""

    @property
    def scenes(self) -> int:
        """Scenes read."""
        return self.modalities.total()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "kind": self.kind,
            "path": self.path,
            "title": self.title,
            "terms": self.terms,
            "published": dict(self.whole),
            "items": self.items,
            "files": dict(sorted(self.parts.items())),
            "strays": {"n": self.strays.n, "first": self.strays.keys},
            "problems": [
                {"key": p.key, "reason": p.reason.value, "detail": p.detail, "remedy": p.remedy}
                for p in self.problems
            ],
            "read": self.read,
            "usable": self.usable,
            "scenes": dict(sorted(self.modalities.items())),
            "facts": dict(self.facts),
            "splits": dict(sorted(self.splits.items())),
            "boxes": self.boxes,
            "classes": dict(sorted(self.classes.items())),
            "masks": self.masks,
            "tiles": {mode: dict(sorted(counts.items())) for mode, counts in self.tiles.items()},
        }

    def to_text(self) -> str:
        """As a page for a person."""
        from earthloom.run.check_text import write_check

        return write_check(self)


def check_source(
    kind: str, path: Path, options: Mapping[str, Any] | None = None, *, sample: int = SAMPLE
) -> Check:
    """List a source whole, read the headers of up to `sample` of its items, and plan their tiles in both modes.

    Masks of a few scenes are read whole, to find values and colours that the legend lacks; no tile is cut. Raises
    UsageError for a kind that is not known, settings that are wrong, and a path with nothing of the kind in it.
    """
    found = KINDS.get(kind)
    if found is None:
        raise UsageError(f"the kind {kind!r} is not known; kinds are {', '.join(KINDS)}.")
    root = path.absolute().parent
    settings = _make_settings(kind, path, options or {})
    about = found.about
    check = Check(
        kind=kind,
        path=str(path),
        title=about.title,
        what=about.what,
        terms=_say_terms(about.licence, about.terms),
        whole=about.whole,
    )
    chosen = _list(check, _items(found, settings, root, check.strays), sample)
    rules = rules_of(kind)
    plain = settings.tile.apply(TileSettings())
    modes = {"faithful": plain, "compat": None if rules is None else rules.apply(TileSettings())}
    _read_all(check, found, settings, root, chosen, modes)
    return check


def _make_settings(kind: str, path: Path, options: Mapping[str, Any]) -> Any:
    entry = ENTRIES[kind]
    if "path" not in entry.model_fields:
        raise UsageError(f"a `{kind}` source has no folder to look at.")
    try:
        return entry.model_validate({"kind": kind, "path": path.absolute().name, **options})
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or kind}: {fault['msg']}" for fault in error.errors()
        )
        raise UsageError(f"{kind}: {faults}. Give settings as --set NAME=VALUE.") from error


def _items(kind: Kind, settings: SourceEntry, root: Path, strays: Strays) -> Iterable[Item]:
    if kind.adapter is not None:
        return list_dataset(kind.adapter, settings, root, strays)
    return kind.list_items(settings, root)


def _say_terms(licence: str | None, terms: str | None) -> str:
    said = [text for text in (licence, terms) if text]
    return "; ".join(said) if said else "none stated; not stated is not permission"


def _list(check: Check, items: Iterable[Item], sample: int) -> list[Item]:
    """Count all items and keep a stable sample of those that can be read, in their order."""
    kept: dict[int, Item] = {}
    for number, item in enumerate(items):
        if item.refused is not None:
            check.problems.append(Problem(key=item.key, reason=item.refused, detail=item.detail))
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


def _read_all(
    check: Check,
    kind: Kind,
    settings: Any,
    root: Path,
    items: list[Item],
    modes: Mapping[str, TileSettings | None],
) -> None:
    masks = MASKS
    named = settings.model_copy(update={"name": settings.name or check.kind})
    for item in items:
        check.read += 1
        try:
            scenes = kind.read_item(named, item, root, root)
        except RecordError as error:
            check.problems.append(Problem(key=item.key, reason=error.reason, detail=error.detail))
            continue
        check.usable += 1
        for scene in scenes:
            _count_scene(check, scene, modes)
            if scene.mask is not None and masks > 0:
                masks -= 1
                _check_mask(check, item, scene)


def _count_scene(check: Check, scene: Scene, modes: Mapping[str, TileSettings | None]) -> None:
    modality = scene.modality.value
    check.modalities[modality] += 1
    check.facts.update(name for name in FACTS if getattr(scene, name) is not None)
    check.masks += scene.mask is not None
    check.boxes += sum(label.box is not None for label in scene.labels)
    check.classes.update({label.name for label in scene.labels})
    if scene.published_split is not None:
        check.splits[scene.published_split] += 1
    for mode, settings in modes.items():
        if settings is not None:
            check.tiles.setdefault(mode, Counter())[modality] += count_windows(scene, settings)


def _check_mask(check: Check, item: Item, scene: Scene) -> None:
    try:
        check_classes(scene)
    except RecordError as error:
        check.problems.append(Problem(key=item.key, reason=error.reason, detail=error.detail))
