"""Batches made ahead of the loop, by a thread, while one is learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from earthloom.train.step import Batch, Batches

_AHEAD = 2
"""Batches that are made while one is learnt from."""


def draw_ahead(batches: Batches, start: int, stop: int) -> Iterator[Batch]:
    """Give micro-batches [start, stop) in order; where there is a GPU, from memory that it can fetch by itself."""
    with ThreadPoolExecutor(1, "batches") as thread:
        waiting: list[Future[Batch]] = []
        try:
            for number in range(start, stop):
                while len(waiting) <= _AHEAD and number + len(waiting) < stop:
                    waiting.append(thread.submit(_draw, batches, number + len(waiting)))
                yield waiting.pop(0).result()
        finally:
            thread.shutdown(wait=True, cancel_futures=True)


def _draw(batches: Batches, number: int) -> Batch:
    batch = batches.draw(number)
    if not torch.cuda.is_available():
        return batch
    return {name: values.pin_memory() for name, values in batch.items()}
