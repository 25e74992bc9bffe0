"""What a source holds: a streaming, sorted walk of a file, a folder or a glob.

Keys are posix paths relative to where the walk starts: to the folder for a folder, to the last folder before the
first wildcard for a glob, and the bare name for a single file. They come sorted by code point, the same on any
machine. Only the names of the folders between the start and the current file are held.
"""

from __future__ import annotations

import fnmatch
import heapq
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from earthloom.core.blobs import reason_of
from earthloom.core.errors import UsageError
from earthloom.core.records import Item, Part, Reason
from earthloom.core.seeds import stable_hash

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Where a walk begins."""

    top: Path
    """Absolute; a file or a folder."""
    globs: tuple[str, ...] = ()
    """What folders and files below it must match, one part for each level; empty for all."""

    @property
    def is_file(self) -> bool:
        """True when the source is one file."""
        return not self.globs and not self.top.is_dir()


def locate(path: str, root: Path) -> Start:
    """Find where a source lies. A path that exists is taken as it is, whatever characters are in it.

    A glob's parts are matched as the shell does (`*`, `?`, `[...]`), `**` matches any number of folders, and a
    folder that the last part matches is walked whole. Raises UsageError when there is nothing at `path`.
    """
    full = root.absolute() / path
    try:
        if full.exists():
            return Start(top=full)
        globs = _wild_parts(full)
        top = Path(*full.parts[: len(full.parts) - len(globs)])
        if globs and top.is_dir():
            return Start(top=top, globs=globs)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}. Check the permissions of the folders above it."
        ) from error
    raise UsageError(f"{path}: there is nothing there. Paths are relative to the recipe ({root}).")


def list_files(start: Start, is_wanted: Callable[[str], bool]) -> Iterator[Item]:
    """Walk a source and yield one item for each file whose name `is_wanted`, with its size and time.

    Names that begin with a dot are passed over. Links to files and folders are followed; one that leads back to
    a folder above it or to itself is yielded as refused (UNSAFE_PATH), a dangling one as MISSING, a folder that
    may not be read as NO_PERMISSION, a pipe or device and a name that is no UTF-8 as UNREADABLE.
    """
    if start.is_file:
        yield _read_entry(str(start.top), start.top.name)
        return
    matcher = _Matcher(start.globs)
    stack = [_open_folder(str(start.top), "", matcher.first, is_wanted, matcher)]
    if stack[0].error is not None:
        raise UsageError(f"{start.top}: {stack[0].error.strerror}. The folder cannot be listed.")
    while stack:
        folder = stack[-1]
        if not folder.names:
            stack.pop()
            continue
        name = folder.names.pop()
        if not name.endswith("/"):
            yield _read_entry(f"{folder.uri}/{name}", folder.prefix + name)
            continue
        states = matcher.enter(folder.states, name[:-1])
        inner = _open_folder(f"{folder.uri}/{name[:-1]}", folder.prefix + name, states, is_wanted, matcher)
        refusal = _refuse_folder(inner, stack)
        if refusal is None:
            stack.append(inner)
        else:
            yield refusal


def choose(items: Iterable[Item], skip: str | None, limit: int | None) -> Iterator[Item]:
    """Leave out items whose key contains `skip`, then take `limit`: those with the smallest hashes of their keys.

    The choice depends on the keys alone, so that a source that grows keeps most of it; the order stays. Holds
    `limit` items at most.
    """
    if skip is not None:
        search = re.compile(skip).search
        items = (item for item in items if search(item.key) is None)
    if limit is None:
        yield from items
        return
    kept: list[tuple[int, int, Item]] = []
    for place, item in enumerate(items):
        entry = (-stable_hash(0, item.key), -place, item)
        if len(kept) < limit:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)
    yield from (item for _, _, item in sorted(kept, key=lambda entry: -entry[1]))


def make_key(name: str) -> str:
    r"""Give a name as valid text: bytes that are no UTF-8 are written as `\xNN`."""
    return (
        name
        if name.isascii()
        else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    )


def refuse(key: str, reason: Reason, detail: str) -> Item:
    """Make an item of something that listing alone shows to be unusable."""
    return Item(key=make_key(key), parts=(), refused=reason, detail=detail)


@dataclass(slots=True)
class _Folder:
    uri: str
    prefix: str
    """Key of the folder with a closing slash; empty for the top."""
    states: frozenset[int]
    names: list[str]
    """What is left to visit, last first; folders end with a slash, which sorts them as their keys do."""
    identity: tuple[int, int] | None = None
    """Device and inode."""
    error: OSError | None = None


class _Matcher:
    """Which entries a glob lets through. A state is the number of parts matched; all of them: everything below."""

    def __init__(self, globs: tuple[str, ...]) -> None:
        self._parts = tuple(None if g == "**" else re.compile(fnmatch.translate(g)) for g in globs)
        self._all = len(globs)
        self.first = self._close({0})

    def enter(self, states: frozenset[int], name: str) -> frozenset[int]:
        """Give the states below a folder of this name; empty where nothing below it can match."""
        if self._all in states:
            return frozenset((self._all,))
        return self._close({after for state in states for after in self._step(state, name)})

    def takes(self, states: frozenset[int], name: str) -> bool:
        """Tell whether a file of this name matches."""
        return self._all in self.enter(states, name)

    def _step(self, state: int, name: str) -> Iterator[int]:
        part = self._parts[state]
        if part is None:
            yield state
        elif part.match(name):
            yield state + 1

    def _close(self, states: set[int]) -> frozenset[int]:
        for state in range(self._all):
            if state in states and self._parts[state] is None:
                states.add(state + 1)
        return frozenset(states)


def _open_folder(
    uri: str, prefix: str, states: frozenset[int], is_wanted: Callable[[str], bool], matcher: _Matcher
) -> _Folder:
    try:
        names = sorted(_scan(uri, states, is_wanted, matcher), reverse=True)
        status = Path(uri).stat()
    except OSError as error:
        return _Folder(uri, prefix, states, [], error=error)
    return _Folder(uri, prefix, states, names, identity=(status.st_dev, status.st_ino))


def _scan(
    uri: str, states: frozenset[int], is_wanted: Callable[[str], bool], matcher: _Matcher
) -> Iterator[str]:
    with os.scandir(uri) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if _is_folder(entry):
                if matcher.enter(states, name):
                    yield name + "/"
            elif (is_wanted(name) or _is_circular(entry)) and matcher.takes(states, name):
                yield name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_circular(entry: os.DirEntry[str]) -> bool:
    """Tell whether a link leads to itself; such a link has no kind, and it is reported whatever its name."""
    if not entry.is_symlink():
        return False
    try:
        entry.stat()
    except OSError as error:
        return reason_of(error) is Reason.UNSAFE_PATH
    return False


def _refuse_folder(folder: _Folder, above: list[_Folder]) -> Item | None:
    key = folder.prefix[:-1]
    if folder.error is not None:
        return refuse(key, reason_of(folder.error), f"the folder cannot be listed: {folder.error.strerror}")
    if any(folder.identity == other.identity for other in above):
        return refuse(key, Reason.UNSAFE_PATH, "a link that leads back to a folder above it")
    return None


def _read_entry(uri: str, key: str) -> Item:
    try:
        status = os.stat(uri)  # noqa: PTH116  a million times: Path.stat takes five times as long
    except OSError as error:
        return refuse(key, reason_of(error), f"the file cannot be reached: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return refuse(key, Reason.UNREADABLE, "a pipe, socket or device; wanted a file")
    if not key.isascii() and make_key(key) != key:
        return refuse(key, Reason.UNREADABLE, "its name is no UTF-8; rename it")
    return Item(key=key, parts=(Part(uri=uri, size=status.st_size, mtime_ns=status.st_mtime_ns),))


def _wild_parts(path: Path) -> tuple[str, ...]:
    first = next((i for i, part in enumerate(path.parts) if _WILDCARDS & set(part)), len(path.parts))
    return path.parts[first:]
