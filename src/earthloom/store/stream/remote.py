"""Shards in object storage: copied whole, when they are needed, into a folder of bounded size."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, get_ident

import pyarrow as pa
from pyarrow import fs

from earthloom.core.errors import RunError, UsageError
from earthloom.core.ids import make_id
from earthloom.store.atomic import TEMPORARY, open_atomic

CACHE_VARIABLE = "EARTHLOOM_CACHE"
"""Environment variable that names the folder for copies."""
_PIECE = 8 * 2**20
"""Bytes that are copied at a time."""
_COPIES_AT_A_TIME = 4
_TRIES = 3


def default_cache() -> Path:
    """The folder for copies where none is given: in $EARTHLOOM_CACHE, else in the user's cache folder."""
    given = os.environ.get(CACHE_VARIABLE)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earthloom"
    return (Path(given) if given else home) / "shards"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in object storage."""

    filesystem: fs.FileSystem
    path: str
    """Within the file system."""
    size: int
    mtime_ns: int
    """0 where it is not known."""

    @property
    def name(self) -> str:
        """Of its copy: another one when the file has changed."""
        _, dot, suffix = self.path.rpartition(".")
        kind = getattr(self.filesystem, "type_name", "")
        return f"{make_id('shard', kind, self.path, self.size, self.mtime_ns)}{dot}{suffix}"


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """A folder in object storage."""

    uri: str
    filesystem: fs.FileSystem
    path: str

    def list_files(self, below: str, *, recursive: bool = False) -> list[tuple[str, RemoteFile]]:
        """Files of a folder below the place, with their paths below that; empty where there is no such folder.

        Raises `RunError` where it cannot be listed.
        """
        root = f"{self.path.rstrip('/')}/{below}".rstrip("/")
        selector = fs.FileSelector(root, recursive=recursive, allow_not_found=True)
        try:
            infos = self.filesystem.get_file_info(selector)
        except (OSError, pa.ArrowException) as error:
            raise RunError(
                f"{self.uri} could not be listed: {error}. Check address, credentials and network."
            ) from error
        return [
            (
                info.path[len(root) :].lstrip("/"),
                RemoteFile(self.filesystem, info.path, info.size, info.mtime_ns or 0),
            )
            for info in infos
            if info.type == fs.FileType.File
        ]


def open_place(uri: str) -> RemotePlace:
    """Open a place by its address, such as `s3://bucket/prefix`: credentials are found as pyarrow finds them.

    Raises `UsageError` for an address that pyarrow has no file system for.
    """
    try:
        filesystem, path = fs.FileSystem.from_uri(uri)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise UsageError(f"{uri} cannot be opened: {error}. Wanted s3://, gs:// or file://.") from error
    return RemotePlace(uri, filesystem, path)


class ShardCache:
    """Copies of remote files. Thread-safe; several processes may use one folder."""

    def __init__(self, folder: Path | None = None, *, room: int = 100 * 10**9) -> None:
        """Take the folder, and how many bytes of copies it may hold; those in use may exceed it."""
        self.folder = folder or default_cache()
        self._room = room
        self._lock = Lock()
        self._wanted: frozenset[str] = frozenset()
        self._copies: dict[str, Future[Path]] = {}
        self._threads = ThreadPoolExecutor(_COPIES_AT_A_TIME, "shards")

    def get(self, file: RemoteFile) -> Path:
        """Give the copy of a file, made now if need be. Raises `RunError` where that fails, `WriteError`."""
        return self._start(file).result()

    def expect(self, files: Sequence[RemoteFile]) -> None:
        """Copy files in the background, soonest wanted first; they and no others are kept from now on."""
        with self._lock:
            self._wanted = frozenset(file.name for file in files)
        for file in files:
            self._start(file)

    def _start(self, file: RemoteFile) -> Future[Path]:
        with self._lock:
            future = self._copies.get(file.name)
            if future is None or (future.done() and not _is_good(future)):
                future = self._copies[file.name] = self._threads.submit(self._bring, file)
            return future

    def _bring(self, file: RemoteFile) -> Path:
        path = self.folder / file.name
        if path.is_file() and path.stat().st_size == file.size:
            path.touch()  # copies that were used last are deleted last
            return path
        for left in reversed(range(_TRIES)):
            try:
                _copy(file, path)
                break
            except _TransferError as error:
                if not left:
                    raise RunError(
                        f"{file.path} could not be copied: {error}. Check network and credentials, and run the same "
                        f"command again."
                    ) from error
        self._make_room(path)
        return path

    def _make_room(self, newest: Path) -> None:
        with self._lock:
            copies = [path for path in self.folder.iterdir() if path.suffix in {".tar", ".parquet"}]
            found = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in copies)
            total = sum(size for _, size, _ in found)
            for _, size, path in found:
                if total <= self._room:
                    return
                if path.name not in self._wanted and path != newest:
                    path.unlink(missing_ok=True)
                    self._copies.pop(path.name, None)
                    total -= size


def _is_good(copy: Future[Path]) -> bool:
    return copy.exception() is None and copy.result().is_file()


class _TransferError(Exception):
    """A file did not come whole; no fault of the disk that it is written to."""


def _copy(file: RemoteFile, path: Path) -> None:
    # Several threads and processes may bring one file: each writes its own, and the last rename stands.
    own = path.with_name(f"{path.stem}-{os.getpid()}-{get_ident()}{path.suffix}{TEMPORARY}")
    with open_atomic(own) as target:
        for piece in _read_pieces(file):
            target.write(piece)
        if target.tell() != file.size:
            raise _TransferError(f"wanted {file.size} bytes, got {target.tell()}")
    own.replace(path)


def _read_pieces(file: RemoteFile) -> Iterator[bytes]:
    try:
        with file.filesystem.open_input_stream(file.path) as source:
            while piece := source.read(_PIECE):
                yield piece
    except (OSError, pa.ArrowException) as error:
        raise _TransferError(str(error)) from error
