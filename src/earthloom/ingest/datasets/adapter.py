"""What every adapter of a published dataset shares: from a tree of files to items whose parts belong together.

An adapter says of any key what the file there is (`place`) and how an item is read (`read`). Listing walks the tree
once, in order, holding no more than the names of the folders it is in (and the members of the archive it is in);
which files belong together follows from their names, so it asks the disk for those by name.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from earthloom.core.blobs import read_blob
from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Item, Part, Reason, Scene
from earthloom.ingest.about import About
from earthloom.ingest.archives import is_archive, list_members
from earthloom.ingest.config import FileSettings
from earthloom.ingest.listing import Start, choose, list_files, locate, refuse

UNREADABLE_ARCHIVES = (".rar", ".7z", ".001", ".z01", ".gz", ".bz2", ".xz")
"""Suffixes of what has to be unpacked before anything in it can be read."""
UNFINISHED = (".part", ".crdownload", ".aria2", ".download", ".tmp")
"""Suffixes under which download tools keep what they have not finished."""

_log = logging.getLogger(__name__)


class DatasetSettings(FileSettings):
    """A published dataset on disk, as downloaded."""


SettingsT = TypeVar("SettingsT", bound=DatasetSettings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What a file is within the layout of a dataset."""

    item: str
    """Key of the item that it belongs to: equal for all files of one."""
    role: str
    """What it is in that item, such as `image`, `s1` or `annotation`."""
    files: Mapping[str, tuple[str, ...]]
    """For every role of the item the keys at which its file may lie, likeliest first; this file's own included."""
    carriers: tuple[str, ...]
    """Roles of which one is enough for an item, in order of rank."""
    needed: tuple[str, ...] = ()
    """Roles whose absence is reported as MISSING; the item is read without them."""
    document: str = ""
    """Goes to `Item.document`."""
    lists: tuple[tuple[str, str], ...] = ()
    """(word, key) of text files that name the members of a publisher's split; the first that holds `name` wins,
    and its word becomes the document."""
    name: str = ""
    """How the lists name this item."""


@dataclass(frozen=True, kw_only=True)
class Adapter(Generic[SettingsT]):
    """One published dataset."""

    about: About
    suffixes: frozenset[str]
    """Of all files that `place` wants to see, in lower case."""
    place: Callable[[SettingsT, str], Place | None]
    """What the file at a key (posix path below the source) is; None for one that the layout does not know."""
    read: Callable[[SettingsT, Item], list[Scene]]
    """The scenes of an item, whose parts carry their roles. Raises RecordError."""
    confusable: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Kinds that are taken for this one, each with the keys of its files; their suffixes are among `suffixes`."""


@dataclass(slots=True)
class Strays:
    """Files that a layout does not know: how many, and the first few by name."""

    n: int = 0
    keys: list[str] = field(default_factory=list)

    def add(self, key: str) -> None:
        """Count a file."""
        self.n += 1
        if len(self.keys) < 5:
            self.keys.append(key)


def list_dataset(
    adapter: Adapter[SettingsT], settings: SettingsT, root: Path, strays: Strays | None = None
) -> Iterator[Item]:
    """List the items of a dataset in the order of their keys, each with all parts that are there.

    Yielded as refused: what is needed and not there (under the key at which it was looked for), archives that have
    to be unpacked first, unfinished downloads, and whatever `list_files` refuses. Raises UsageError when `path` is
    not there or holds nothing of the layout.
    """
    start = locate(settings.path, root)
    listing = _Listing(adapter, settings, start, strays if strays is not None else Strays())
    return choose(listing.items(), settings.skip, settings.limit)


def part_of(item: Item, role: str) -> Part | None:
    """Give the part of an item that plays a role; None where it is not there."""
    return next((part for part in item.parts if part.role == role), None)


class Tree:
    """Finds files by key: on disk, or among the members of one archive."""

    def __init__(self, top: Path, members: Mapping[str, Part] | None = None) -> None:
        self._top = str(top)
        self._members = members
        self._lists: dict[str, frozenset[str]] = {}

    def find(self, key: str) -> Part | None:
        """Give the file at a key; None where there is none."""
        if self._members is not None:
            return self._members.get(key)
        uri = f"{self._top}/{key}"
        try:
            status = os.stat(uri)  # noqa: PTH116  a million times: Path.stat takes five times as long
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return Part(uri=uri, size=status.st_size, mtime_ns=status.st_mtime_ns)

    def names_in(self, key: str) -> frozenset[str]:
        """Give the names in the list at a key, read once; none where there is no list."""
        if key not in self._lists:
            part = self.find(key)
            self._lists[key] = frozenset() if part is None else _read_names(part, key)
        return self._lists[key]


class _Listing(Generic[SettingsT]):
    def __init__(
        self, adapter: Adapter[SettingsT], settings: SettingsT, start: Start, strays: Strays
    ) -> None:
        self._adapter = adapter
        self._settings = settings
        self._start = start
        self._strays = strays
        self._n = 0
        self._others: Counter[str] = Counter()

    def items(self) -> Iterator[Item]:
        top = self._start.top.parent if self._start.is_file else self._start.top
        disk: Tree = Tree(top)
        for file in list_files(self._start, self._is_wanted):
            if file.refused is not None:
                yield file
            elif is_archive(file.key) or file.key.lower().endswith(UNREADABLE_ARCHIVES + UNFINISHED):
                yield from self._open_archive(file)
            else:
                yield from self._sort(file, disk)
        if self._n == 0:
            raise UsageError(self._explain_nothing())
        for kind, n in sorted(self._others.items()):
            _log.warning(
                "%s: left out %d files of another dataset: use kind %s", self._settings.path, n, kind
            )
        if self._strays.n:
            _log.warning("%s: %d files are no part of the layout", self._settings.path, self._strays.n)

    def _is_wanted(self, name: str) -> bool:
        lower = name.lower()
        dot = lower.rfind(".")
        return (
            lower[dot:] in self._adapter.suffixes
            or lower.endswith(UNREADABLE_ARCHIVES + UNFINISHED)
            or is_archive(name)
        )

    def _open_archive(self, file: Item) -> Iterator[Item]:
        name = file.key.lower()
        if name.endswith(UNFINISHED):
            yield refuse(file.key, Reason.UNREADABLE, "an unfinished download; finish it or delete it")
            return
        if not is_archive(name) or not self._adapter.about.in_archives:
            detail = "an archive that is not read in place; unpack it beside the others"
            yield refuse(file.key, Reason.UNREADABLE, detail)
            return
        prefix = "" if self._start.is_file else f"{file.key}/"
        members: dict[str, Item] = {}
        for member in list_members(
            file, prefix, lambda name: name[name.rfind(".") :].lower() in self._listed
        ):
            if member.refused is not None:
                yield member
            else:
                members[member.key] = member
        tree: Tree = Tree(Path(), {key: member.parts[0] for key, member in members.items()})
        for key in sorted(members):
            yield from self._sort(members[key], tree)

    @property
    def _listed(self) -> frozenset[str]:
        return self._adapter.suffixes | {".txt"}

    def _sort(self, file: Item, tree: Tree) -> Iterator[Item]:
        """Make an item of a file that carries one; a companion is taken with its carrier."""
        place = self._adapter.place(self._settings, file.key)
        if place is None:
            if not file.key.lower().endswith(".txt"):
                self._strays.add(file.key)
            self._others.update(
                kind for kind, keys in self._adapter.confusable.items() if keys.fullmatch(file.key)
            )
            return
        self._n += 1
        lead = _find(tree, place, place.carriers)
        if lead is None:
            if _is_first(tree, place, file.key):
                wanted = place.files[place.carriers[0]][0]
                yield refuse(wanted, Reason.MISSING, f"not there, but {file.key} is")
            return
        if lead[1] != file.key:
            return
        parts = tuple(self._gather(file, place, tree))
        document = place.document or self._look_up(place, tree)
        yield Item(key=place.item, parts=parts, document=document)
        have = {part.role for part in parts}
        for role in place.needed:
            if role not in have:
                yield refuse(place.files[role][0], Reason.MISSING, f"not there, but {file.key} is")

    def _gather(self, file: Item, place: Place, tree: Tree) -> Iterator[Part]:
        for role in place.files:
            found = _find(tree, place, (role,)) if role != place.role else (role, file.key, file.parts[0])
            if found is not None:
                yield replace(found[2], role=role)

    def _look_up(self, place: Place, tree: Tree) -> str:
        for word, key in place.lists:
            if place.name in tree.names_in(key):
                return word
        return ""

    def _explain_nothing(self) -> str:
        about = self._adapter.about
        if self._others:
            kind, _ = self._others.most_common(1)[0]
            return (
                f"{self._settings.path}: nothing of {about.title} is in it; this is {kind}: use kind {kind}."
            )
        layout = "\n".join(f"    {line}" for line in about.layout)
        hint = self._find_better_root()
        return f"{self._settings.path}: nothing of {about.title} is in it; looked for\n{layout}{hint}"

    def _find_better_root(self) -> str:
        """Say which folder above would fit, by asking the layout about keys with that folder in front."""
        top = self._start.top.absolute()
        names = [file.key for file in _first(list_files(self._start, self._is_wanted), 1000)]
        prefix = ""
        for folder in (top, *list(top.parents)[:3]):
            prefix = f"{folder.name}/{prefix}"
            if any(self._adapter.place(self._settings, prefix + name) is not None for name in names):
                return f"\n    Give the folder above as `path`: {folder.parent}"
        return ""


def _find(tree: Tree, place: Place, roles: Iterable[str]) -> tuple[str, str, Part] | None:
    for role in roles:
        for key in place.files.get(role, ()):
            part = tree.find(key)
            if part is not None:
                return role, key, part
    return None


def _is_first(tree: Tree, place: Place, key: str) -> bool:
    """Whether a file is the first of its item that is there, so that an item without a carrier is told once."""
    found = _find(tree, place, place.files)
    return found is not None and found[1] == key


def _read_names(part: Part, key: str) -> frozenset[str]:
    """Read a list of names, one a line; of several columns the first, and of a path its stem as well."""
    try:
        text = read_blob(part.uri, part.within).decode("utf-8-sig")
    except (RecordError, UnicodeDecodeError) as error:
        _log.warning("%s: the list of a split cannot be read (%s)", key, error)
        return frozenset()
    names = [line.split()[0] for line in text.splitlines() if line.strip()]
    return frozenset((*names, *(PurePosixPath(name).stem for name in names if "/" in name)))


def _first(items: Iterable[Item], n: int) -> Iterator[Item]:
    for _, item in zip(range(n), items, strict=False):
        yield item
