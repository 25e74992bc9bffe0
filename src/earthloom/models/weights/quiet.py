"""The libraries without their progress bars and their remarks, which would stand between those of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module


@contextmanager
def quiet(*libraries: str) -> Iterator[None]:
    """Silence what transformers logs below an error, and its progress bars; afterwards all is as before.

    Args:
        libraries: others to silence as well, such as `diffusers`.

    """
    with ExitStack() as stack:
        for library in ("transformers", *libraries):
            stack.enter_context(_silence(library))
        yield


@contextmanager
def _silence(library: str) -> Iterator[None]:
    """The switches have the same names in both libraries."""
    logging = import_module(f"{library}.utils.logging")
    verbosity, shows_progress = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shows_progress:
            logging.enable_progress_bar()
