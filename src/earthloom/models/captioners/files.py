"""Files of a captioner: a model of transformers that turns pictures into text."""

from __future__ import annotations

from earthloom.models.weights.transformers_files import TransformersFiles, find_transformers

_EXAMPLE = "Salesforce/blip2-opt-2.7b"


def find_model(model: str, revision: str = "", *, trust_pickles: bool = False) -> TransformersFiles:
    """Find a model in a folder, or by its name in the Hub's cache: see `find_transformers`."""
    return find_transformers(model, revision, trust_pickles=trust_pickles, example=_EXAMPLE)
