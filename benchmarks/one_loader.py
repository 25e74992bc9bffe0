"""Feed pictures with one loader: `one_loader.py NAME TARS N_SAMPLES`; prints what it cost as JSON.

The clocks start when everything is imported, and stop when the last worker has ended. The work is the same for all:
read a sample with its facts and captions, decode its JPEG, bring it to 256 x 256, stack 32 of them as uint8.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

SIDE = 256
BATCH = 32
WORKERS = 2
SHUFFLE = 1000

Picture = npt.NDArray[np.uint8]


def feed_earthloom(tars: Path, n: int, *, reduces: bool) -> Iterator[torch.Tensor]:
    """Our threads. reduces: decode JPEGs at half size, which is all that is needed."""
    from earthloom.store.selection import Selection
    from earthloom.store.shown import decode_display
    from earthloom.store.stream.samples import Sample, Stream
    from earthloom.train.batches import StreamBatches
    from earthloom.train.pictures import Square
    from earthloom.train.step import Share

    square = Square(side=SIDE)

    def prepare(sample: Sample, rng: np.random.Generator) -> dict[str, Picture]:
        assert sample.captions
        if reduces:
            return {"pictures": square.show(sample, rng)}
        return {"pictures": square.cut(decode_display(sample.image, is_linear=False), rng)}

    stream = Stream(Selection(release=str(tars)), Path(), seed=0, shuffle=SHUFFLE)
    batches = StreamBatches(stream, prepare, batch=BATCH, seed=0, share=Share(), threads=WORKERS)
    for number in range(1, n // BATCH + 1):
        yield batches.draw(number)["pictures"]


def feed_webdataset(tars: Path, n: int, *, decoder: Callable[..., Any] | str) -> Iterator[torch.Tensor]:
    """Processes of the `webdataset` library, in the way of its documentation."""
    import webdataset as wds

    urls = sorted(str(path) for path in tars.glob("*.tar"))
    dataset = (
        wds.WebDataset(urls, shardshuffle=len(urls), seed=0, empty_check=False)
        .shuffle(SHUFFLE)
        .decode(decoder)
        .map(_to_square)
        .batched(BATCH, collation_fn=_stack, partial=False)
    )
    loader = wds.WebLoader(dataset.repeat(), batch_size=None, num_workers=WORKERS)
    for number, (pictures, texts) in enumerate(loader, 1):
        assert len(texts) == BATCH
        yield pictures
        if number == n // BATCH:
            return


def decode_quickly(key: str, data: bytes) -> Picture | None:
    """simplejpeg in the place of the library's own decoder, as ours without reducing."""
    import simplejpeg

    return simplejpeg.decode_jpeg(data, "RGB") if key.endswith("jpg") else None


def _to_square(sample: dict[str, Any]) -> tuple[Picture, str]:
    picture = sample["jpg"]
    assert sample["json"]["captions"]
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), sample["txt"]


def _stack(samples: list[tuple[Picture, str]]) -> tuple[torch.Tensor, list[str]]:
    pictures = torch.from_numpy(np.stack([picture for picture, _ in samples]))
    return pictures, [text for _, text in samples]


LOADERS: dict[str, Callable[[Path, int], Iterator[torch.Tensor]]] = {
    "earthloom": lambda tars, n: feed_earthloom(tars, n, reduces=True),
    "earthloom, whole JPEGs decoded": lambda tars, n: feed_earthloom(tars, n, reduces=False),
    "webdataset": lambda tars, n: feed_webdataset(tars, n, decoder="rgb8"),
    "webdataset with simplejpeg": lambda tars, n: feed_webdataset(tars, n, decoder=decode_quickly),
}


def main(name: str, tars: Path, n: int) -> None:
    """Feed and account."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    before, start = _cpu_s(), time.perf_counter()
    n_fed, total = 0, 0.0
    for pictures in LOADERS[name](tars, n):
        assert pictures.shape == (BATCH, SIDE, SIDE, 3), pictures.shape
        n_fed += len(pictures)
        total += float(pictures[:, ::16, ::16].float().mean())
    wall_s = time.perf_counter() - start
    cost = {"n": n_fed, "cpu_s": _cpu_s() - before, "wall_s": wall_s, "mean": total / n_fed * BATCH}
    print(json.dumps(cost), flush=True)


def _cpu_s() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    os._exit(0)  # threads that read ahead are not waited for
