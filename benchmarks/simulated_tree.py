"""A tree of millions of files that does not exist: what the system would say of a full download of fMoW-rgb.

Layout: `train/CLASS/CLASS_I/CLASS_I_J_rgb.jpg` with a `.json` beside each, 62 classes, ten files a folder. Names, sizes
and times follow from the path alone, so the tree takes no memory; `mount` puts it in the place of the system's calls.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = "/simulated/fmow-rgb"
N_CLASSES = 62
IMAGES_A_FOLDER = 5
"""Each with its JSON: ten files."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `os.stat` gives, as far as listing looks at it."""

    st_mode: int
    st_ino: int
    st_size: int
    st_dev: int = 1
    st_mtime_ns: int = 1_500_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What `os.scandir` gives."""

    name: str
    folder: bool

    def is_dir(self) -> bool:
        return self.folder

    def is_symlink(self) -> bool:
        return False


class Tree:
    """`n_files` files under `ROOT`."""

    def __init__(self, n_files: int) -> None:
        per_class = 2 * IMAGES_A_FOLDER * N_CLASSES
        self.n_folders = -(-n_files // per_class)
        """Of each class."""
        self.n_files = self.n_folders * per_class

    def scandir(self, path: str) -> AbstractContextManager[Iterator[Entry]]:
        steps = path[len(ROOT) :].strip("/").split("/")
        return nullcontext(self._list([step for step in steps if step]))

    def _list(self, steps: list[str]) -> Iterator[Entry]:
        match steps:
            case []:
                yield Entry("train", folder=True)
            case ["train"]:
                yield from (
                    Entry(f"class_{chr(97 + i // 26)}{chr(97 + i % 26)}", folder=True)
                    for i in range(N_CLASSES)
                )
            case ["train", name]:
                yield from (Entry(f"{name}_{i}", folder=True) for i in range(self.n_folders))
            case ["train", _, name]:
                for i in range(IMAGES_A_FOLDER):
                    yield Entry(f"{name}_{i}_rgb.jpg", folder=False)
                    yield Entry(f"{name}_{i}_rgb.json", folder=False)
            case _:
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory")

    def stat(self, path: str) -> Status:
        name = path.rpartition("/")[2]
        if not name.endswith((".jpg", ".json")):
            if "." in name:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
            return Status(stat.S_IFDIR | 0o755, hash(path), 4096)
        is_named = path.startswith(f"{ROOT}/train/") and name.endswith(("_rgb.jpg", "_rgb.json"))
        if not is_named or path.count("/") != ROOT.count("/") + 4:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return Status(stat.S_IFREG | 0o644, hash(path), 100_000 + len(path))


@contextmanager
def mount(tree: Tree) -> Iterator[Path]:
    """Put a tree in the place of the system's calls on paths under `ROOT`; gives that path."""
    scandir, status = os.scandir, os.stat

    def list_folder(path: Any = ".") -> Any:
        return tree.scandir(path) if str(path).startswith(ROOT) else scandir(path)

    def tell(path: Any, *args: Any, **options: Any) -> Any:
        is_here = isinstance(path, str | os.PathLike) and os.fspath(path).startswith(ROOT)
        return tree.stat(os.fspath(path)) if is_here else status(path, *args, **options)

    with mock.patch.object(os, "scandir", list_folder), mock.patch.object(os, "stat", tell):
        yield Path(ROOT)
