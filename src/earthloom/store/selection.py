"""Pictures to train on or to measure: a folder of picture files, or some pairs of a release."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import ByteRange, Effect, Modality, Quantity
from earthloom.core.seeds import stable_hash
from earthloom.core.settings import Settings
from earthloom.store.layout import RELEASE_DATA
from earthloom.store.shown import Shown
from earthloom.store.tar_members import list_members

CLEAR = "clear"
"""In a selection: pairs without a synthetic effect."""
DATA_PLACES = (f"release/{RELEASE_DATA}", RELEASE_DATA, "")
"""Where a release's files lie below a work folder, below a release, or in the folder itself."""
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})
_IMAGES = frozenset({"jpg", "png"})
_FACTS = ("id", "base_id", "group", "modality", "quantity", "gsd_m", "source", "split", "effect", "labels")


_URI = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_uri(place: str) -> bool:
    """Whether a place is an address in object storage, such as `s3://bucket/prefix`, and no path."""
    return _URI.match(place) is not None


class Selection(Settings):
    """Pictures: those of a folder, or those pairs of a release that every filter lets pass."""

    folder: str | None = Field(None, min_length=1)
    """Folder of picture files, searched with all below it."""
    release: str | None = Field(None, min_length=1)
    """Work folder or release. Its Parquet is read, else its tars. To train on, also any folder of WebDataset tars or of
    Parquet with pictures and captions, and an address in object storage (`s3://bucket/prefix`, `gs://`)."""
    split: tuple[Literal["train", "val", "test"], ...] = ()
    """Of a release: these splits; empty for all."""
    modality: Modality = Modality.RGB
    """Of a release: this kind of picture."""
    effects: tuple[str, ...] = ()
    """Of a release: pairs with one of these effects, `clear` for those without one; empty for all."""
    severity: tuple[str, ...] = ()
    """Of a release: effects of these strengths; empty for all."""
    labels: tuple[str, ...] = ()
    """Of a release: pairs that carry a label of one of these names; empty for all."""
    source: tuple[str, ...] = ()
    """Of a release: pairs of these sources; empty for all."""
    gsd_m: tuple[float, float] | None = None
    """Of a release: ground sample distance from and to, metres."""
    limit: int | None = Field(None, ge=1)
    """At most so many, chosen by a hash of their names, not by their order."""
    seed: int = 0
    """Another seed chooses others under `limit`."""

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if (self.folder is None) == (self.release is None):
            raise ValueError("wants either `folder` or `release`.")
        return self

    @property
    def place(self) -> str:
        """The folder or the release."""
        return self.folder or self.release or ""

    def make_empty_error(self) -> UsageError:
        """The error for a selection that nothing passes."""
        if self.folder is not None:
            kinds = ", ".join(sorted(PICTURES))
            return UsageError(
                f"{self.folder} holds no picture that was asked for: no file of {kinds} is in or below it."
            )
        asked = self.model_dump(mode="json", exclude_defaults=True, exclude={"release"})
        words = "; ".join(f"{name}: {_say(value)}" for name, value in asked.items())
        return UsageError(
            f"{self.release} holds no picture that was asked for: "
            f"{f'none passes {words}' if words else 'it has no pair'}. `earthloom inspect` says what it holds."
        )


def _say(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def select(selection: Selection, base: Path) -> list[Shown]:
    """List the pictures of a selection in a stable order; no pixels are read.

    Raises `UsageError` where there is no such folder, no release in it, or no picture that passes.
    """
    if is_uri(selection.place):
        raise UsageError(
            f"{selection.place}: pictures of object storage can be trained on; copy them to list them."
        )
    root = base / selection.place
    if not root.is_dir():
        raise UsageError(f"there is no folder {str(root)!r}.")
    found = list(_list_folder(root) if selection.folder is not None else _list_shown(root, selection))
    if not found:
        raise selection.make_empty_error()
    if selection.limit is not None and selection.limit < len(found):
        found.sort(key=lambda shown: lot_of(shown.key, selection))
        found = sorted(found[: selection.limit], key=lambda shown: shown.key)
    return found


def list_pairs(
    selection: Selection, base: Path, columns: Sequence[str] = ()
) -> Iterator[tuple[Mapping[str, Any], Shown]]:
    """List the pairs of a release that a selection lets pass, `limit` aside, each with its facts; no pixels are read.

    Args:
        selection: of a release.
        base: folder that its path is relative to.
        columns: facts beyond those that a selection goes by, such as `captions`; a release may lack some.

    Raises:
        UsageError: there is no release, none of its pairs passes, or a file of it cannot be read.

    """
    root = base / selection.place
    if not root.is_dir():
        raise UsageError(f"there is no folder {str(root)!r}.")
    n = 0
    for pair in _list_release(root, selection, columns):
        n += 1
        yield pair
    if not n:
        raise selection.make_empty_error()


def lot_of(key: str, selection: Selection) -> int:
    """What `limit` goes by: those with the lowest lots are taken."""
    return stable_hash(selection.seed, "select", key)


def _list_folder(root: Path) -> Iterator[Shown]:
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in PICTURES and path.is_file():
            key = path.relative_to(root).as_posix()
            yield Shown(key=key, base_key=key, group=key, path=path)


def _list_shown(root: Path, selection: Selection) -> Iterator[Shown]:
    return (shown for _, shown in _list_release(root, selection))


def _list_release(
    root: Path, selection: Selection, columns: Sequence[str] = ()
) -> Iterator[tuple[Mapping[str, Any], Shown]]:
    data = next(p for place in DATA_PLACES if (p := root / place).is_dir())
    parquets = sorted(data.glob("*.parquet"))
    tars = sorted(data.glob("*.tar"))
    if not parquets and not tars:
        raise UsageError(f"{root} holds no release: wanted .parquet or .tar files in it or its `data`.")
    for path in parquets or tars:
        try:
            rows = _list_parquet(path, columns) if parquets else _list_tar(path)
            yield from (pair for pair in rows if passes(pair[0], selection))
        except (OSError, pa.ArrowException, RecordError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} cannot be read as part of a release: {error}.") from error


def _list_parquet(path: Path, more: Sequence[str]) -> Iterator[tuple[Mapping[str, Any], Shown]]:
    with pq.ParquetFile(path) as file:
        columns = [name for name in dict.fromkeys((*_FACTS, *more)) if name in file.schema_arrow.names]
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=columns, use_threads=False)
            for number, facts in enumerate(table.to_pylist()):
                yield facts, _describe(facts, path, row=(group, number))


def _list_tar(path: Path) -> Iterator[tuple[Mapping[str, Any], Shown]]:
    members, error = list_members(path)
    if error is not None:
        raise error
    within: ByteRange | None = None
    for member in members:
        suffix = member.name.rpartition(".")[2]
        place = ByteRange(offset=member.offset, size=member.size)
        if suffix in _IMAGES:
            within = place
        elif suffix == "json" and within is not None:
            facts = json.loads(read_blob(str(path), place))
            yield facts, _describe(facts, path, within=within)
            within = None


def _describe(
    facts: Mapping[str, Any],
    path: Path,
    *,
    within: ByteRange | None = None,
    row: tuple[int, int] | None = None,
) -> Shown:
    return Shown(
        key=facts["id"],
        base_key=facts.get("base_id") or facts["id"],
        group=facts.get("group") or facts["id"],
        path=path,
        within=within,
        row=row,
        source=facts.get("source"),
        gsd_m=facts.get("gsd_m"),
        split=facts.get("split"),
        effect=read_effect(facts),
        is_linear=is_linear(facts),
    )


def read_effect(facts: Mapping[str, Any]) -> Effect | None:
    """The effect that a pair's facts name."""
    effect = facts.get("effect")
    return None if effect is None else Effect(**effect)


def is_linear(facts: Mapping[str, Any]) -> bool:
    """Whether a pair's stored values are linear in light: those of stretched counts are, sRGB and radar are not."""
    return (
        facts.get("quantity") not in {None, Quantity.DISPLAY.value}
        and facts.get("modality") != Modality.SAR.value
    )


def passes(facts: Mapping[str, Any], selection: Selection) -> bool:
    """Whether a pair with these facts is selected, `limit` aside."""
    effect = facts.get("effect")
    name, severity = (CLEAR, None) if effect is None else (effect["name"], effect["severity"])
    labels = {label["name"] for label in facts.get("labels") or ()}
    gsd_m = facts.get("gsd_m")
    wanted = (
        not selection.split or facts.get("split") in selection.split,
        facts.get("modality") in {None, selection.modality.value},
        not selection.effects or name in selection.effects,
        not selection.severity or severity in selection.severity,
        not selection.labels or not labels.isdisjoint(selection.labels),
        not selection.source or facts.get("source") in selection.source,
        selection.gsd_m is None or (gsd_m is not None and selection.gsd_m[0] <= gsd_m <= selection.gsd_m[1]),
    )
    return all(wanted)
