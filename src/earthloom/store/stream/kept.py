"""Values that are costly to make: made once by whoever asks first, kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """A thread-safe cache that makes each value once, however many threads ask for it at a time.

    What was asked for longest ago goes when `room` is exceeded, in the unit in which `weigh` says what a value takes;
    the newest value always stays. An error of `make` reaches all who wait for that value, and is not kept.
    """

    def __init__(self, make: Callable[[K], V], *, room: int, weigh: Callable[[V], int]) -> None:
        self._make = make
        self._room = room
        self._weigh = weigh
        self._lock = Lock()
        self._values: OrderedDict[K, Future[V]] = OrderedDict()
        self._weights: dict[K, int] = {}

    def get(self, key: K) -> V:
        """Give the value of a key, made now if need be."""
        with self._lock:
            future = self._values.get(key)
            is_mine = future is None
            if future is None:
                future = self._values[key] = Future()
            self._values.move_to_end(key)
        if is_mine:
            self._fill(key, future)
        return future.result()

    def _fill(self, key: K, future: Future[V]) -> None:
        try:
            value = self._make(key)
        except BaseException as error:  # noqa: BLE001  (whoever waits for the value is told, this thread too)
            with self._lock:
                del self._values[key]
            future.set_exception(error)
            return
        with self._lock:
            self._weights[key] = self._weigh(value)
            self._drop_oldest(key)
        future.set_result(value)

    def _drop_oldest(self, newest: K) -> None:
        total = sum(self._weights.values())
        for key in [key for key in self._values if key in self._weights and key != newest]:
            if total <= self._room:
                return
            total -= self._weights.pop(key)
            del self._values[key]
