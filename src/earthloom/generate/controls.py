"""Pictures to draw from: files, checked before anything is drawn, and records of a release."""

from __future__ import annotations

from pathlib import Path

from earthloom.core.errors import RecordError
from earthloom.core.ids import hash_bytes
from earthloom.core.images import decode_image, to_levels
from earthloom.core.records import Reason
from earthloom.generate.plan import Asked, Task
from earthloom.generate.releases import Release
from earthloom.models.generators.briefs import Picture


class Controls:
    """Reads the pictures that tasks are drawn from."""

    def __init__(self, base: Path, release: Release | None) -> None:
        """Files are relative to `base`; positions are those in the release."""
        self._base = base
        self._release = release
        self._hashes: dict[Path, str] = {}

    def describe(self, asked: Asked) -> dict[str, str] | None:
        """What a recipe says of the picture: its file with a hash of it, or the key of its record.

        Raises:
            RecordError: the file cannot be read, or is no picture.

        """
        if asked.control_position is not None:
            return {"record": str(asked.control_key)}
        if asked.wish.control is None:
            return None
        path = self._base / asked.wish.control
        if path not in self._hashes:
            data = _read_file(path)
            decode_image(data)
            self._hashes[path] = hash_bytes(data)
        return {"file": path.name, "sha256": self._hashes[path]}

    def read(self, task: Task) -> Picture | None:
        """Read the picture of a task, H x W x C; None where it has none. Raises `RecordError`."""
        asked = task.asked
        if asked.control_position is not None:
            assert self._release is not None
            return self._release.read_control(asked.control_position)
        if asked.wish.control is None:
            return None
        return to_levels(decode_image(_read_file(self._base / asked.wish.control)))


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(Reason.MISSING, f"{path}: {error.strerror}") from error
