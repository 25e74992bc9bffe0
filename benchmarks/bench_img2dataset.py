"""640 px JPEGs to a WebDataset of 512 px: earthloom beside img2dataset.

img2dataset lives in a virtual environment of its own, made here when it is missing. It fetches the files from a
server on the loopback, which is what it is made for; the server's time is not counted. earthloom reads them from
the folder. Its recipe asks for no more than img2dataset gives, tars with one text for each picture, but it still
checks, splits and accounts. Both pay for their start, which takes img2dataset longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from bench_pixels import QUALITY, SIZE, N, write_recipe
from harness import (
    WORKERS,
    Candidate,
    Goal,
    build_command,
    expect_rows,
    install_peer,
    judge,
    race,
    scratch_folder,
)
from imagery import picture_folder

PACKAGES = ("img2dataset==1.47.0", "setuptools<81")
"""img2dataset needs `pkg_resources`, which later setuptools no longer bring."""
THREADS = 4
"""Of its downloader, in each process: the fastest per CPU-second of 1, 4, 8, 16 and 32."""
ROUNDS = 3
CAPTION = {"styles": ["mmm_rs"], "per_image": 0}
EXPORT = {"formats": ["webdataset"], "report": False}


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """A server of a folder's files in a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, __file__, "serve", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


def run_server(folder: Path) -> None:
    """Serve until killed; prints the port first."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    print(server.server_address[1], flush=True)
    server.serve_forever()


def fetch_command(command: Path, urls: Path, output: Path) -> list[str | Path]:
    """img2dataset at the same work: 512 px by area averaging, JPEG at quality 95, hashed, packed into tars."""
    options = {
        "url_list": urls,
        "input_format": "txt",
        "output_folder": output,
        "output_format": "webdataset",
        "processes_count": WORKERS,
        "thread_count": THREADS,
        "image_size": SIZE,
        "resize_mode": "border",
        "downscale_interpolation": "area",
        "encode_quality": QUALITY,
        "number_sample_per_shard": 500,
        "enable_wandb": "False",
    }
    return [command, *(f"--{name}={value}" for name, value in options.items())]


def count_fetched(output: Path) -> None:
    """Raise unless every picture is in the tars."""
    rows = sum(
        (pq.read_table(path, columns=["status"])["status"].to_pylist().count("success"))
        for path in sorted(output.glob("*.parquet"))
    )
    if rows != N:
        raise SystemExit(f"img2dataset packed {rows} of {N} pictures: no fair race")


def main() -> bool:
    """Race and judge."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    pictures = picture_folder(N)
    command = install_peer("img2dataset", PACKAGES) / "img2dataset"
    with scratch_folder() as scratch, serve(pictures) as address:
        urls = scratch / "urls.txt"
        urls.write_text("".join(f"{address}/{path.name}\n" for path in sorted(pictures.glob("*.jpg"))))
        recipe = write_recipe(scratch / "recipe.yaml", pictures, caption=CAPTION, export=EXPORT)
        candidates = [
            Candidate(
                name="img2dataset",
                argv=fetch_command(command, urls, scratch / "fetched"),
                clear=[scratch / "fetched"],
                check=lambda: count_fetched(scratch / "fetched"),
            ),
            Candidate(
                name="earthloom",
                argv=build_command(recipe, scratch / "built"),
                clear=[scratch / "built"],
                check=expect_rows(scratch / "built" / "06-curate", N),
            ),
        ]
        results = race(candidates, ROUNDS)
    goal = Goal(ours="earthloom", peer="img2dataset", target=1.3)
    return judge(f"(b) {N} JPEGs of 640 px to a WebDataset of {SIZE} px", "images", N, results, [goal])


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        run_server(Path(sys.argv[2]))
    else:
        sys.exit(not main())
