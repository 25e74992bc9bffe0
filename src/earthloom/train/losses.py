"""The log of losses: a CSV file with one row a step, that a resumed run goes on with as if nothing had happened."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from earthloom.core.errors import RunError
from earthloom.store.atomic import translate_write_errors, write_text

N_LAST = 100
"""Steps over which the losses of a summary are averaged: those of single crops differ widely."""


class LossLog:
    """Appends rows; what an earlier run wrote after the step it is resumed from is cut off first.

    The columns are `step`, `factor` (of the learning rate) and the losses.
    """

    def __init__(self, path: Path, done: int) -> None:
        self._path = path
        self._names: list[str] | None = None
        self._cut(done)

    def __enter__(self) -> Self:
        with translate_write_errors(self._path):
            self._file = self._path.open("a", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file, lineterminator="\n")
        return self

    def add(self, number: int, factor: float, losses: Mapping[str, float]) -> None:
        """Write the row of one step."""
        with translate_write_errors(self._path):
            if self._names is None:
                self._names = list(losses)
                self._writer.writerow(["step", "factor", *self._names])
            self._writer.writerow([number, repr(factor), *(repr(losses[name]) for name in self._names)])

    def flush(self) -> None:
        """Make sure that all rows are on the disk: before a checkpoint says that these steps were done."""
        with translate_write_errors(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with translate_write_errors(self._path):
            self._file.close()

    def _cut(self, done: int) -> None:
        """Keep the header and the rows of steps that were done; a row that a kill tore is never among them."""
        if not self._path.exists():
            if done:
                raise RunError(
                    f"{self._path} is missing, though {done} steps were done. Train anew with --fresh."
                )
            return
        with self._path.open(encoding="utf-8", newline="") as file:
            lines = file.readlines() if done else []
        kept = [lines[0], *(line for line in lines[1 : done + 1])] if lines else []
        if done and len(kept) != done + 1:
            raise RunError(
                f"{self._path} has {max(len(kept) - 1, 0)} rows for {done} steps. Train anew with --fresh."
            )
        if kept:
            self._names = kept[0].strip().split(",")[2:]
        write_text(self._path, "".join(kept))


def read_last(path: Path) -> dict[str, float]:
    """Mean of each loss over the last steps of a log."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[-N_LAST:]
    names = [name for name in rows[0] if name not in {"step", "factor"}]
    return {name: sum(float(row[name]) for row in rows) / len(rows) for name in names}
