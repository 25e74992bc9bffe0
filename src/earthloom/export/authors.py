"""Who wrote the captions of a release, and what that means for those who use them."""

from __future__ import annotations

from collections.abc import Iterator

from earthloom.export.statistics import Captions

_RULES = "rules@"


def describe_authors(captions: Captions) -> str:
    """Say in a few sentences how many captions are by rules, by models and by the sources, and how each was checked."""
    return " ".join(_describe(captions))


def _describe(captions: Captions) -> Iterator[str]:
    by_rules, by_sources = 0, 0
    by_models: dict[str, int] = {}
    for (style, _, author), n in captions.kinds.items():
        if style == "source":
            by_sources += n
            continue
        # A prompt by the rules around a model's caption; a `+` within the model's own name stands before LoRA weights.
        model = author.partition("+")[2] if author.startswith(_RULES) else author
        if model:
            by_models[model] = by_models.get(model, 0) + n
        else:
            by_rules += n
    if by_rules:
        yield f"{by_rules:,} are by rules and say only what the facts of the picture hold."
    if by_models:
        names = ", ".join(sorted(by_models))
        yield (
            f"{sum(by_models.values()):,} are by models ({names}): what facts can judge in them was checked, "
            "what only eyes can tell was not."
        )
    if by_sources:
        yield f"{by_sources:,} come from the sources and are kept as they came."
