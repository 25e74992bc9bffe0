"""Batches made ahead of the loop, by a thread, while one is learnt from."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor

from earthloom.train.step import Batch, Batches

_AHEAD = 2
"""Batches that are made while one is learnt from."""


def draw_ahead(batches: Batches, start: int, stop: int, *, pin: bool = False) -> Generator[Batch, None, None]:
    """Give micro-batches [start, stop) in order. pin: in memory from which a GPU can fetch them by itself."""
    with ThreadPoolExecutor(1, "batches") as thread:
        waiting: list[Future[Batch]] = []
        try:
            for number in range(start, stop):
                while len(waiting) <= _AHEAD and number + len(waiting) < stop:
                    waiting.append(thread.submit(_draw, batches, number + len(waiting), pin=pin))
                yield waiting.pop(0).result()
        finally:
            thread.shutdown(wait=True, cancel_futures=True)


def _draw(batches: Batches, number: int, *, pin: bool) -> Batch:
    batch = batches.draw(number)
    return {name: values.pin_memory() for name, values in batch.items()} if pin else batch
