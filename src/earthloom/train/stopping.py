"""Being asked to stop: Ctrl-C and SIGTERM are heeded between two steps, when networks are in a state worth keeping."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heed_signals() -> Iterator[Callable[[], bool]]:
    """Within the block, give a function that says whether a signal has come. A second one stops at once."""
    asked = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    if threading.current_thread() is not threading.main_thread():  # only the main thread is sent signals
        yield lambda: False
        return
    before = [signal.signal(number, note) for number in _SIGNALS]
    try:
        yield lambda: asked
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)
