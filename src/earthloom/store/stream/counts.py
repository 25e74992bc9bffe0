"""How many samples each shard has: remembered in a file, so that who goes on need not bring all shards again."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock

from earthloom.store.atomic import translate_write_errors


class CountBook:
    """Counts by number of the shard. Thread-safe; several processes may write one file."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what the file holds; lines that a killed process left half-written are passed over. None: no file."""
        self._path = path
        self._lock = Lock()
        self._counts = {} if path is None else _read(path)

    def __len__(self) -> int:
        return len(self._counts)

    def find(self, shard: int) -> int | None:
        """The count of a shard; None where it is not known."""
        return self._counts.get(shard)

    def note(self, shard: int, n: int, *, is_lasting: bool = True) -> None:
        """Remember the count of a shard; one that is not lasting is not written down. Raises `WriteError`."""
        with self._lock:
            if shard in self._counts:
                return
            self._counts[shard] = n
            if self._path is not None and is_lasting:
                with translate_write_errors(self._path):
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    with self._path.open("a", encoding="utf-8") as file:
                        file.write(f"[{shard}, {n}]\n")

    def total(self) -> int:
        """Samples of all shards whose count is known."""
        with self._lock:
            return sum(self._counts.values())


def _read(path: Path) -> dict[int, int]:
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            shard, n = json.loads(line)
        except (ValueError, TypeError):
            continue
        if isinstance(shard, int) and isinstance(n, int):
            found[shard] = n
    return found
