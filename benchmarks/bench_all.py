"""All benchmarks, one after the other; exit status 1 when a target is missed."""

from __future__ import annotations

import os
import platform
import sys
import time

import bench_captions
import bench_effects
import bench_features
import bench_geotiff
import bench_img2dataset
import bench_memory
import bench_metrics
import bench_pixels
import bench_planning
import bench_remote
import bench_words

BENCHES = (
    bench_pixels,
    bench_img2dataset,
    bench_geotiff,
    bench_memory,
    bench_planning,
    bench_effects,
    bench_captions,
    bench_remote,
    bench_words,
    bench_metrics,
    bench_features,
)


def main() -> bool:
    """Run them all."""
    print(
        f"earthloom benchmarks: Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    )
    start = time.perf_counter()
    is_met = [bench.main() for bench in BENCHES]
    print(f"\n{sum(is_met)} of {len(is_met)} met all their targets, in {time.perf_counter() - start:.0f} s")
    return all(is_met)


if __name__ == "__main__":
    sys.exit(not main())
