"""Libraries that come with an extra, and what to say where they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from earthloom.core.errors import UsageError

_MODELS = frozenset(
    {"torch", "safetensors", "transformers", "diffusers", "accelerate", "peft", "huggingface_hub"}
)


@contextmanager
def explain_missing_models(what: str) -> Iterator[None]:
    """Turn a missing library of the extra `models` into a UsageError with its remedy; `what` begins the sentence."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _MODELS:
            raise
        raise UsageError(
            f"{what} {error.name}, which is not installed: pip install 'earthloom[models]'"
        ) from error
