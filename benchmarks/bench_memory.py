"""Peak memory of the processes of a whole build, for 1,000 and for 100,000 small records in a tar.

The peak is the resident set's high-water mark (VmHWM) that Linux keeps for each process, read every 20 ms while the
process lives. It counts shared libraries in full in every process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness import build_command, expect_rows, scratch_folder
from imagery import record_tar

SIZES = (1_000, 100_000)
SIDE = 64
WORKERS = len(os.sched_getaffinity(0))
CEILING_MB = 600
SPREAD = 0.20
POLL_S = 0.02


@dataclass
class Peaks:
    """High-water marks by process, bytes."""

    main: int = 0
    workers: dict[int, int] = field(default_factory=dict)

    @property
    def worker(self) -> int:
        """The largest of the workers."""
        return max(self.workers.values())


def write_recipe(path: Path, tar: Path) -> Path:
    """A recipe for a tar of small pictures in class folders."""
    recipe = {
        "name": "records",
        "sources": [{"kind": "images", "path": str(tar), "classes": True, "gsd_m": 10.0}],
        "tile": {"size": SIDE},
    }
    path.write_text(yaml.safe_dump(recipe))
    return path


def read_peak(pid: int) -> int:
    """VmHWM of a process in bytes; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def children_of(pid: int) -> list[int]:
    """Process ids of the direct children."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def watch(argv: list[str | Path]) -> tuple[Peaks, float]:
    """Run a command; returns the peaks of its processes and its wall time in seconds."""
    peaks = Peaks()
    start = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([str(arg) for arg in argv], stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            peaks.main = max(peaks.main, read_peak(process.pid))
            for child in children_of(process.pid):
                peaks.workers[child] = max(peaks.workers.get(child, 0), read_peak(child))
            time.sleep(POLL_S)
        if process.returncode != 0:
            log.seek(0)
            raise SystemExit(
                f"{argv} ended with {process.returncode}:\n{log.read().decode(errors='replace')}"
            )
    return peaks, time.perf_counter() - start


def measure_build(n: int) -> Peaks:
    """Build `n` records and print what it took."""
    tar = record_tar(n, SIDE)
    with scratch_folder() as scratch:
        recipe = write_recipe(scratch / "recipe.yaml", tar)
        peaks, wall_s = watch(build_command(recipe, scratch / "work", WORKERS))
        expect_rows(scratch / "work" / "release" / "data", n)()
    print(
        f"  {n:>7} records  {peaks.main / 1e6:6.0f} MB main  {peaks.worker / 1e6:6.0f} MB worker  {wall_s:6.1f} s"
    )
    return peaks


def main() -> bool:
    """Measure and judge."""
    print(f"\n(d) whole build of small records, {WORKERS} workers, peak resident memory")
    few, many = (measure_build(n) for n in SIZES)
    growth = many.worker / few.worker - 1
    is_flat, is_small = abs(growth) <= SPREAD, max(few.worker, many.worker) < CEILING_MB * 1e6
    print(f"  worker grows by {growth:+.0%}; target within {SPREAD:.0%}: {'met' if is_flat else 'MISSED'}")
    print(f"  worker under {CEILING_MB} MB: {'met' if is_small else 'MISSED'}")
    return is_flat and is_small


if __name__ == "__main__":
    if not Path("/proc/self/status").exists() or os.name != "posix":
        raise SystemExit("This benchmark reads /proc: it needs Linux.")
    sys.exit(not main())
