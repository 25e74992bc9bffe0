"""What a request to a remote model costs on this side: CPU and memory with 64 requests in flight.

The server is a process of its own that answers after some 0.3 s. Every answer goes into a ledger, durably; a bare
loop of threads over httpx2 that keeps nothing but the text stands beside it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import ROOT, scratch_folder
from imagery import picture_folder

N_REQUESTS = 2_000
N_PICTURES = 200
SIDE = 480
"""Pixels; a JPEG of 60 to 100 KB."""
ROUNDS = 3
BEHAVIOUR = {"latency_s": 0.3, "spread": 0.3}
MOST_CPU_MS = 2.0
MOST_MEMORY_MB = 100.0
TOO_MUCH_FOR_A_LEDGER = 3.0
"""Times the CPU of the bare loop."""

SERVER = ROOT / "tests" / "fakes" / "chat_server.py"
CLIENT = Path(__file__).with_name("one_remote.py")

Figures = dict[str, float]


@contextmanager
def run_server(log: Path) -> Iterator[str]:
    """A server for the time of a block; gives its URL."""
    argv = [sys.executable, SERVER, log, json.dumps(BEHAVIOUR)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def ask(who: str, url: str, pictures: Path, ledger: Path) -> Figures:
    """Let a process ask, and read what it cost."""
    argv = [sys.executable, CLIENT, who, url, str(N_REQUESTS), pictures, ledger]
    figures: Figures = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return figures


def measure() -> dict[str, list[Figures]]:
    """Let both ask by turns."""
    pictures = picture_folder(N_PICTURES, SIDE)
    sizes = [path.stat().st_size for path in pictures.glob("*.jpg")]
    print(f"  {N_REQUESTS} requests with pictures of {min(sizes) / 1e3:.0f} - {max(sizes) / 1e3:.0f} KB")
    figures: dict[str, list[Figures]] = {"earthloom": [], "bare": []}
    with scratch_folder() as scratch, run_server(scratch / "log") as url:
        for turn in range(ROUNDS):
            for who in sorted(figures, reverse=turn % 2 == 1):
                figures[who].append(ask(who, url, pictures, scratch / f"{who}-{turn}.sqlite"))
    return figures


def main() -> bool:
    """Measure and judge."""
    print("\n(h) requests to a remote model, 64 in flight, ms of CPU a request")
    figures = measure()
    cpu = {who: _median(rows, "cpu_s") * 1e3 / N_REQUESTS for who, rows in figures.items()}
    encoding = _median(figures["earthloom"], "encoding_s") * 1e3 / N_REQUESTS
    rest = cpu["earthloom"] - encoding
    memory = {who: max(row["peak"] - row["idle"] for row in rows) / 1e6 for who, rows in figures.items()}
    for who, rows in figures.items():
        rate = N_REQUESTS / _median(rows, "wall_s")
        print(f"  {who:10} {cpu[who]:6.2f} ms  {memory[who]:6.1f} MB above idle  {rate:6.0f} requests/s")
    ratio = cpu["earthloom"] / cpu["bare"]
    verdicts = (
        (f"{encoding:.2f} ms encode pictures, {rest:.2f} ms are the rest", rest, MOST_CPU_MS, "ms"),
        (f"{memory['earthloom']:.1f} MB above idle", memory["earthloom"], MOST_MEMORY_MB, "MB"),
        (f"{ratio:.2f} of the bare loop", ratio, TOO_MUCH_FOR_A_LEDGER, "times"),
    )
    for said, got, most, unit in verdicts:
        print(f"  {said}; target under {most:g} {unit}: {'met' if got < most else 'MISSED'}")
    return all(got < most for _, got, most, _ in verdicts)


def _median(rows: list[Figures], name: str) -> float:
    return statistics.median(row[name] for row in rows)


if __name__ == "__main__":
    if not Path("/proc/self/status").exists():
        raise SystemExit("This benchmark reads /proc: it needs Linux.")
    sys.exit(not main())
