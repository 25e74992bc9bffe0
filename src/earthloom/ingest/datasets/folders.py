"""Pictures in folders named after their class."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from earthloom.core.errors import RecordError
from earthloom.core.records import Label, Origin, Reason


def folder_of(key: str) -> str:
    """Give the name of the folder that a file lies in; empty at the top."""
    return PurePosixPath(key).parent.name


def find_class(folder: str, classes: Iterable[str]) -> str:
    """Give the class that a folder names, however it is spelt: case, spaces, hyphens and underscores do not count.

    Raises RecordError UNKNOWN_CLASS for a folder that names none of `classes`.
    """
    table = {_fold(name): name for name in classes}
    found = table.get(_fold(folder))
    if found is None:
        wanted = ", ".join(table.values())
        raise RecordError(
            Reason.UNKNOWN_CLASS, f"the folder {folder!r} names no class; wanted one of {wanted}"
        )
    return found


def label_class(name: str) -> Label:
    """Make the label of a picture whose folder names its class."""
    return Label(name=name, kind="class", origin=Origin.NAME.value)


def _fold(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
