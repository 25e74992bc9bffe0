"""Which pictures are compared: those with an effect, their clear originals, and real ones."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.core.seeds import stable_hash
from earthloom.evaluate.scenes.config import SceneSettings
from earthloom.store.selection import Selection, select
from earthloom.store.shown import Shown

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""

_T = TypeVar("_T")

LEAST_SIDE = 32
"""Pixels under which texture cannot be measured at several scales."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One picture with a synthetic effect."""

    after: Shown
    before: Shown | None
    """Its clear original; None where it is not at hand."""
    severity: str | None
    """As on record; None where there is none."""
    record: Mapping[str, Any]
    """Parameters that were drawn, and `measured`; empty where there is no record."""

    @property
    def group(self) -> str:
        """What must not be on both sides of a split: pictures of one ground."""
        return self.after.group if self.before is None else self.before.group


@dataclass(frozen=True, kw_only=True, slots=True)
class Weather:
    """All pictures that the comparison of one effect takes."""

    effect: str
    variants: tuple[Variant, ...]
    real: tuple[Shown, ...]
    """Real pictures with such weather; empty where none were given."""
    clear: tuple[Shown, ...]
    """Clear pictures that the real ones are set against; empty where there are neither."""
    clear_is_real: bool
    """False where the clear originals stand in."""

    @property
    def n_paired(self) -> int:
        """Variants whose original is at hand."""
        return sum(variant.before is not None for variant in self.variants)


@dataclass(slots=True)
class Reader:
    """Decodes pictures; keeps what could not be used, with its reason."""

    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    """Path of a picture, and its key where it lies in a file of many, to reason and detail."""

    def read(self, shown: Shown) -> Picture | None:
        """The picture as it is displayed; None, and an entry in `refused`, where it cannot be used."""
        try:
            return decode(shown)
        except RecordError as error:
            self.refuse(shown, error)
            return None

    def refuse(self, shown: Shown, error: RecordError) -> None:
        """Set a picture aside."""
        self.refused[name_place(shown)] = {"reason": error.reason.value, "detail": error.detail}


def decode(shown: Shown) -> Picture:
    """The picture as it is displayed; one that nothing can be measured in is refused. Raises `RecordError`."""
    picture = shown.show()
    height, width = picture.shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise RecordError(
            Reason.TOO_SMALL, f"{LEAST_SIDE} pixels on each side wanted, got {width} x {height}"
        )
    if int(picture.max()) == int(picture.min()):
        raise RecordError(Reason.FLAT, f"a picture wanted, got {width} x {height} pixels of one value")
    return picture


def gather(settings: SceneSettings, base: Path) -> tuple[Weather, ...]:
    """List what is compared for every effect, in the order of their names; no pixels are read.

    Raises `UsageError` for folders that are not there or hold no picture, and for real pictures of an effect of which
    there are no synthetic ones.
    """
    variants = _list_variants(settings, base)
    missing = sorted(set(settings.real) - set(variants))
    if missing:
        raise UsageError(
            f"real pictures were given for {', '.join(missing)}, but there are synthetic ones only of "
            f"{', '.join(sorted(variants))}."
        )
    real_clear = _list_real(settings.real_clear, settings, base)
    return tuple(
        _make_weather(name, variants[name], _list_real(settings.real.get(name), settings, base), real_clear)
        for name in sorted(variants)
    )


def _make_weather(
    name: str, variants: Sequence[Variant], real: tuple[Shown, ...], real_clear: tuple[Shown, ...]
) -> Weather:
    originals = {v.before.key: v.before for v in variants if v.before is not None}
    return Weather(
        effect=name,
        variants=tuple(variants),
        real=real,
        clear=real_clear or tuple(originals.values()),
        clear_is_real=bool(real_clear),
    )


def _list_variants(settings: SceneSettings, base: Path) -> dict[str, list[Variant]]:
    found = _list_release(settings, base) if settings.release is not None else _list_folders(settings, base)
    return {
        name: _limit(variants, settings, key=lambda variant: variant.after.key)
        for name, variants in found.items()
    }


def _list_release(settings: SceneSettings, base: Path) -> dict[str, list[Variant]]:
    pictures = select(Selection(release=settings.release), base)
    by_key = {shown.key: shown for shown in pictures}
    found: dict[str, list[Variant]] = defaultdict(list)
    for shown in pictures:
        if shown.effect is not None and shown.effect.is_visible:
            found[shown.effect.name].append(
                Variant(
                    after=shown,
                    before=by_key.get(shown.base_key),
                    severity=shown.effect.severity,
                    record=_parse(shown.effect.params),
                )
            )
    if not found:
        raise UsageError(
            f"{settings.release} holds no RGB picture with an effect: add `synthesize` to its recipe and build it."
        )
    return found


def _parse(params: str) -> Mapping[str, Any]:
    try:
        record = json.loads(params)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _list_folders(settings: SceneSettings, base: Path) -> dict[str, list[Variant]]:
    clear = [] if settings.clear is None else _list_real(settings.clear, settings, base, limited=False)
    by_name = _index_names(clear)
    return {
        effect: [_pair_by_name(shown, by_name) for shown in select(Selection(folder=folder), base)]
        for effect, folder in settings.synthetic.items()
    }


def _index_names(pictures: Iterable[Shown]) -> dict[str, Shown]:
    """Path without ending to picture. Raises `UsageError` where two pictures share one."""
    found: dict[str, Shown] = {}
    for shown in pictures:
        name = _strip_ending(shown.key)
        if name in found:
            raise UsageError(
                f"two clear pictures are called {name!r}: {found[name].path.name} and {shown.path.name}; which one "
                f"is the original cannot be told."
            )
        found[name] = shown
    return found


def _pair_by_name(shown: Shown, originals: Mapping[str, Shown]) -> Variant:
    before = originals.get(_strip_ending(shown.key))
    return Variant(after=shown, before=before, severity=None, record={})


def _strip_ending(key: str) -> str:
    return str(PurePosixPath(key).with_suffix(""))


def _list_real(
    folder: str | None, settings: SceneSettings, base: Path, *, limited: bool = True
) -> tuple[Shown, ...]:
    """Pictures of a folder, with keys that tell them from those of any other."""
    if folder is None:
        return ()
    found = select(Selection(folder=folder), base)
    return tuple(_limit(found, settings, key=lambda shown: shown.key) if limited else found)


def _limit(pictures: Sequence[_T], settings: SceneSettings, key: Callable[[_T], str]) -> list[_T]:
    """At most `limit` of them, in the order in which they were listed."""
    if settings.limit is None or len(pictures) <= settings.limit:
        return list(pictures)
    by_hash = sorted(
        range(len(pictures)), key=lambda i: stable_hash(settings.seed, "evaluate", key(pictures[i]))
    )
    return [pictures[i] for i in sorted(by_hash[: settings.limit])]


def name_place(shown: Shown) -> str:
    """Where a picture lies: its path, and its key where that file holds many."""
    is_member = shown.within is not None or shown.row is not None
    return f"{shown.path}:{shown.key}" if is_member else str(shown.path)
