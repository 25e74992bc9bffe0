"""Races between candidates, accounted in CPU-seconds.

Every candidate is a child process. What it costs is the user and system time of the child and of all processes it
has waited for, as the kernel counts it: wall time on a busy machine says little. Candidates take turns, in the
opposite order every other round, so that a slow spell of the machine hits all of them; the median of the rounds
counts.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from imagery import CACHE

ROOT = Path(__file__).resolve().parent.parent
EARTHLOOM = Path(sys.executable).with_name("earthloom")
VENVS = ROOT / "benchmarks" / ".venvs"
WORKERS = 1
"""Of every candidate: what counts is the work done in a CPU-second, and two busy cores slow each other down."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one run of a candidate cost."""

    cpu_s: float
    """User and system time of the process and of its children, seconds."""
    wall_s: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One way to do the work."""

    name: str
    argv: Sequence[str | Path]
    clear: Sequence[Path] = ()
    """Folders that are deleted before each run."""
    check: Callable[[], None] = lambda: None
    """Raises when a run did not do the whole work."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """How fast one candidate is to be, measured by another."""

    ours: str
    peer: str
    target: float


def measure(argv: Sequence[str | Path]) -> Usage:
    """Run a command to its end and account for it. Raises `SystemExit` with its output when it fails."""
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen([str(arg) for arg in argv], stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            raise SystemExit(
                f"{argv} ended with {process.returncode}:\n{log.read().decode(errors='replace')}"
            )
    return Usage(cpu_s=usage.ru_utime + usage.ru_stime, wall_s=wall_s)


def race(candidates: Sequence[Candidate], rounds: int) -> dict[str, list[Usage]]:
    """Run all candidates `rounds` times, in turns."""
    results: dict[str, list[Usage]] = {candidate.name: [] for candidate in candidates}
    for turn in range(rounds):
        for candidate in candidates if turn % 2 == 0 else reversed(candidates):
            for folder in candidate.clear:
                shutil.rmtree(folder, ignore_errors=True)
            results[candidate.name].append(measure(candidate.argv))
            candidate.check()
    return results


def judge(title: str, unit: str, n: int, results: dict[str, list[Usage]], goals: Sequence[Goal] = ()) -> bool:
    """Print a table of rates and of how they stand to each other; False when a goal is missed.

    A ratio is the median of the ratios of the rounds: what ran side by side is compared.
    """
    print(f"\n{title}")
    print(f"  {'':34} {unit + '/CPU-s':>16} {'(all rounds)':>24} {unit + '/s':>14}")
    for name, usages in results.items():
        rates = sorted(n / usage.cpu_s for usage in usages)
        spread = f"({rates[0]:.1f} - {rates[-1]:.1f})"
        wall = statistics.median(n / usage.wall_s for usage in usages)
        print(f"  {name:34} {statistics.median(rates):>16.1f} {spread:>24} {wall:>14.1f}")
    verdicts = [_judge_goal(goal, results) for goal in goals]
    return all(verdicts)


def _judge_goal(goal: Goal, results: dict[str, list[Usage]]) -> bool:
    pairs = zip(results[goal.ours], results[goal.peer], strict=True)
    ratio = statistics.median(peer.cpu_s / ours.cpu_s for ours, peer in pairs)
    is_met = ratio >= goal.target
    verdict = "met" if is_met else "MISSED"
    print(f"  {goal.ours} at {ratio:.2f} of {goal.peer}; target {goal.target:.2f}: {verdict}")
    return is_met


def install_peer(name: str, packages: Sequence[str]) -> Path:
    """The folder of commands of a virtual environment with a peer's packages, made when it is missing."""
    venv = VENVS / name
    stamp = venv / ".installed"
    if not stamp.exists():
        print(f"Installing {packages[0]} in {venv} (once, about a minute)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        pip = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        stamp.touch()
    return venv / "bin"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what the candidates write, on the disk of the checkout, deleted afterwards."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="scratch-") as name:
        yield Path(name)


def expect_rows(folder: Path, n: int) -> Callable[[], None]:
    """A check that the Parquet files of a folder hold `n` records together."""

    def check() -> None:
        found = sum(
            pq.read_metadata(path).num_rows
            for path in sorted(folder.glob("*.parquet"))
            if not path.name.endswith((".refused.parquet", ".failed.parquet"))
        )
        if found != n:
            raise SystemExit(f"{folder} holds {found} records instead of {n}: no fair race")

    return check


def build_command(recipe: Path, work: Path, workers: int = WORKERS) -> list[str | Path]:
    """The command line that builds a release."""
    return [EARTHLOOM, "build", recipe, "-o", work, "--workers", str(workers)]
