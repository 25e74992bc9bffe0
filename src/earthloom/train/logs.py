"""The log of losses: JSON lines that a resumed run goes on with as if nothing had happened."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from earthloom.core.errors import RunError, UsageError
from earthloom.store.atomic import translate_write_errors, write_text
from earthloom.store.layout import TrainingFolder
from earthloom.train.config import TrainingSettings

N_LAST = 100
"""Steps over which the losses of a summary are averaged: those of single batches differ widely."""


class Log:
    """Appends rows; what an earlier run wrote after the step it is resumed from is cut off first.

    A row is `{"step", "factor" (of the learning rate), "losses"}` for every step, and `{"step", "held"}` where losses
    were measured on held-out data.
    """

    def __init__(
        self, folder: TrainingFolder, done: int, settings: TrainingSettings, *, is_kept: bool
    ) -> None:
        """Take the log of a training of which `done` steps were done; nothing is written where it is not kept."""
        self._path = folder.losses
        self._board_folder = folder.tensorboard if settings.tensorboard else None
        self._is_kept = is_kept
        self._done = done
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        if self._is_kept:
            _cut(self._path, self._done)
            self._board = _open_board(self._board_folder, self._done)
            self._exits.callback(self._board.close)
            with translate_write_errors(self._path):
                self._file = self._exits.enter_context(self._path.open("a", encoding="utf-8"))
        return self

    def add(self, number: int, factor: float, losses: Mapping[str, float]) -> None:
        """Write the row of one step."""
        self._write({"step": number, "factor": factor, "losses": dict(losses)}, losses, "train")

    def add_held(self, number: int, losses: Mapping[str, float]) -> None:
        """Write what was measured on held-out data after a step: finite numbers, as JSON has no others."""
        self._write({"step": number, "held": dict(losses)}, losses, "held")

    def _write(self, row: Mapping[str, Any], losses: Mapping[str, float], what: str) -> None:
        if not self._is_kept:
            return
        with translate_write_errors(self._path):
            self._file.write(json.dumps(row) + "\n")
        for name, value in losses.items():
            self._board.add_scalar(f"{what}/{name}", value, row["step"])

    def flush(self) -> None:
        """Make sure that all rows are on the disk: before a checkpoint says that these steps were done."""
        if self._is_kept:
            with translate_write_errors(self._path):
                self._file.flush()
                os.fsync(self._file.fileno())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with translate_write_errors(self._path):
            self._exits.close()


class _NoBoard:
    """Where nobody wants TensorBoard."""

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """Write nothing."""

    def close(self) -> None:
        """Close nothing."""


def _open_board(folder: Path | None, done: int) -> Any:
    if folder is None:
        return _NoBoard()
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError("tensorboard: the package is not installed: pip install tensorboard.") from error
    return SummaryWriter(str(folder), purge_step=done + 1)


def read_log(path: Path) -> list[dict[str, Any]]:
    """All rows of a log, none where there is no file; a row that a kill tore ends it."""
    rows: list[dict[str, Any]] = []
    if not path.exists():
        return rows
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
    return rows


def _cut(path: Path, done: int) -> None:
    """Keep the rows of steps that were done."""
    if not path.exists():
        if done:
            raise RunError(f"{path} is missing, though {done} steps were done. Train anew with --fresh.")
        write_text(path, "")
        return
    kept = [row for row in read_log(path) if row["step"] <= done]
    n = sum("losses" in row for row in kept)
    if n != done:
        raise RunError(f"{path} has {n} rows for {done} steps. Train anew with --fresh.")
    write_text(path, "".join(json.dumps(row) + "\n" for row in kept))


def read_last(path: Path) -> dict[str, float]:
    """Mean of each loss over the last steps of a log; empty where somebody has removed it."""
    rows = [row["losses"] for row in read_log(path) if "losses" in row][-N_LAST:]
    return {name: sum(row[name] for row in rows) / len(rows) for name in (rows[0] if rows else ())}


def read_last_held(path: Path) -> dict[str, float]:
    """What was measured last on held-out data; empty where nothing was."""
    held = [row["held"] for row in read_log(path) if "held" in row]
    return dict(held[-1]) if held else {}
