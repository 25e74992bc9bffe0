"""Pictures by name: in a folder, or in the tars and zips that are given or lie in it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from earthloom.core.errors import RecordError
from earthloom.core.records import Part, Reason
from earthloom.ingest.archives import is_archive, list_members
from earthloom.ingest.datasets.adapter import Tree
from earthloom.ingest.images import PICTURES
from earthloom.ingest.listing import Start, list_files, locate

_ENDS = 3
_log = logging.getLogger(__name__)


class Gallery:
    """Finds pictures by the names that records give them.

    A name is tried as a path below the folder; then, wherever the picture lies, as the end of its path. Only for
    that are all names read and held, some 500 bytes each.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._tree = None if start.is_file or start.globs else Tree(start.top)
        self._index: tuple[dict[str, Part], dict[str, Part | None]] | None = None

    def find(self, names: Iterable[str]) -> Part | None:
        """Give the first picture that has one of some names (posix paths); None where none has.

        Raises RecordError UNSAFE_PATH for a name that leads out of the folder, DUPLICATE where several pictures have
        it.
        """
        names = [_check(name) for name in names]
        for name in names:
            if self._tree is not None and (part := self._tree.find(name)) is not None:
                return part
        whole, ends = self._names()
        for name in names:
            if (part := whole.get(name)) is not None:
                return part
        for name in names:
            if name in ends:
                part = ends[name]
                if part is None:
                    raise RecordError(
                        Reason.DUPLICATE, f"several pictures are called {name}; which is meant?"
                    )
                return part
        return None

    def find_stem(self, stem: str) -> Part | None:
        """Give the picture of a name without its suffix; raises as `find`."""
        return self.find(f"{stem}{suffix}" for suffix in sorted(PICTURES))

    def _names(self) -> tuple[dict[str, Part], dict[str, Part | None]]:
        """Pictures by their whole paths and by the ends of these, None where several end alike."""
        if self._index is None:
            whole, ends = dict(_walk(self._start)), dict[str, Part | None]()
            for key, part in whole.items():
                for end in _list_ends(key):
                    ends[end] = None if end in ends else part
            self._index = whole, ends
        return self._index


def open_gallery(path: str, root: Path) -> Gallery:
    """Open what a recipe calls `images`. Raises UsageError when it is not there."""
    return Gallery(locate(path, root))


def is_picture(name: str) -> bool:
    """Tell a picture by its suffix."""
    return name[name.rfind(".") :].lower() in PICTURES


def _list_ends(key: str) -> Iterator[str]:
    """The last step of a path, the last two and the last three, as far as it has more."""
    steps = key.split("/")
    yield from ("/".join(steps[-n:]) for n in range(1, min(len(steps), _ENDS + 1)))


def _walk(start: Start) -> Iterable[tuple[str, Part]]:
    for item in list_files(start, lambda name: is_picture(name) or is_archive(name)):
        prefix = "" if start.is_file else f"{item.key}/"
        is_plain = item.refused is not None or not is_archive(item.key)
        for member in [item] if is_plain else list_members(item, prefix, is_picture):
            if member.refused is None:
                yield member.key, member.parts[0]
            else:
                _log.warning("images: %s: %s", member.key, member.detail)


def _check(name: str) -> str:
    name = re.sub(r"^(\./+)+", "", name.replace("\\", "/"))
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\0" in name:
        raise RecordError(Reason.UNSAFE_PATH, f"{name!r} leads out of the folder of images")
    return name
