"""Several processes that train together end where one with all of their data does, and stop and go on together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from loop_steps import STOPPED, make_line, make_recipe

from earthloom.core.errors import UsageError
from earthloom.store.layout import TrainingFolder
from earthloom.train.checkpoints import list_checkpoints, read_mark
from earthloom.train.logs import read_log
from earthloom.train.training import train

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
safetensors = pytest.importorskip("safetensors.torch")

SCRIPT = Path(__file__).with_name("loop_steps.py")


def find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(folder: Path, world: int, slow: float = 0.0, **changes: Any) -> list[subprocess.Popen[str]]:
    """Processes as `torchrun` and `accelerate launch` start them: each is told its place by its environment."""
    port = find_port()
    told = {"WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    children = []
    for rank in range(world):
        env = {name: str(value) for name, value in {**told, "RANK": rank, "LOCAL_RANK": rank}.items()}
        env |= {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "SLOW_STEPS": str(slow)}
        children.append(
            subprocess.Popen(
                [sys.executable, SCRIPT, folder, json.dumps(changes)],
                env=os.environ | env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return children


def finish(children: Sequence[subprocess.Popen[str]]) -> list[int]:
    """Wait for all; what they said goes to this test's output."""
    try:
        for child in children:
            out, err = child.communicate(timeout=120)
            sys.stdout.write(out + err)
    finally:
        for child in children:
            child.kill()
    return [child.returncode for child in children]


def read_weights(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = safetensors.load_file(folder / "weights" / "line.safetensors")
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process that sees four numbers at a time."""
    folder = tmp_path_factory.mktemp("alone")
    train(make_recipe(batch=4, held=2, validate_every=4, ema=0.9, clip=0.5), folder, make=make_line)
    return folder


TWO = {"batch": 2, "held": 2, "validate_every": 4, "ema": 0.9, "clip": 0.5}


def check_equal(folder: Path, alone: Path) -> None:
    found, wanted = read_weights(folder), read_weights(alone)
    assert set(found) == set(wanted)
    for name, weight in wanted.items():
        torch.testing.assert_close(found[name], weight, atol=1e-6, rtol=0)
    rows, wanted_rows = (read_log(place / "losses.jsonl") for place in (folder, alone))
    assert len(rows) == len(wanted_rows) == 12 + 3
    for row, wanted_row in zip(rows, wanted_rows, strict=True):
        kind = "held" if "held" in wanted_row else "losses"
        assert row["step"] == wanted_row["step"]
        assert row[kind] == pytest.approx(wanted_row[kind], abs=1e-6)


def test_two_processes_are_one_with_twice_the_batch(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN_SAMPLES", "1")
    assert finish(start(tmp_path / "two", 2, **TWO)) == [0, 0]
    check_equal(tmp_path / "two", alone)
    told = json.loads((tmp_path / "two" / "run.json").read_text())
    assert (told["processes"], told["steps"]) == (2, 12)
    refused = json.loads((tmp_path / "two" / "refused.json").read_text())
    assert set(refused["data"]) == {"number 0", "number 1", "number of all"}
    assert told["refused"] == {"data": 3}
    names = {path.name for path in (tmp_path / "two").rglob("*") if path.is_file()}
    assert names - {"refused.json"} == {path.name for path in alone.rglob("*") if path.is_file()}
    # Samples are dealt out by the number of processes: another one, another order of the data.
    with pytest.raises(UsageError, match="it was 2 processes and is 1"):
        train(make_recipe(**TWO), tmp_path / "two", make=make_line)


def wait_for_checkpoint(folder: Path, children: Sequence[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + 90
    while not list_checkpoints(TrainingFolder(folder)):
        assert all(child.poll() is None for child in children), "training ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_one_that_is_asked_to_stop_stops_both(alone: Path, tmp_path: Path) -> None:
    """Both end after the same step, which is saved; started again they end where an undisturbed run does."""
    folder = tmp_path / "stopped"
    children = start(folder, 2, slow=0.1, **TWO | {"checkpoint_every": 1})
    try:
        wait_for_checkpoint(folder, children)
        children[1].send_signal(signal.SIGTERM)
    finally:
        statuses = finish(children)
    assert statuses == [STOPPED, STOPPED]
    newest = list_checkpoints(TrainingFolder(folder))[-1]
    mark = read_mark(newest)
    assert (mark.world, mark.step < 12) == (2, True)
    assert finish(start(folder, 2, **TWO)) == [0, 0]
    assert json.loads((folder / "run.json").read_text())["resumed_from"] == mark.step
    check_equal(folder, alone)


def test_what_stops_one_at_its_start_stops_all(tmp_path: Path) -> None:
    """The main process refuses the folder; the others do not wait for it for ever."""
    (tmp_path / "letter.txt").write_text("dear ...")
    began = time.monotonic()
    statuses = finish(start(tmp_path, 2, steps=3))
    assert all(status != 0 for status in statuses)
    assert time.monotonic() - began < 60
