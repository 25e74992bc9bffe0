"""Pictures with the texts that they are scored by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.sets import Entry

PROMPT = "prompt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One picture and one text."""

    entry: Entry
    text: str
    style: str | None
    """Of the caption; of a prompt that of the caption that it was, None where that is not known."""
    stratum: str
    """Texts are dealt within it: the style, and which of the picture's captions of the style it is."""

    @property
    def ground(self) -> str:
        """What depends on each other: pictures of one prompt, or of one ground."""
        return self.entry.prompt_key or self.entry.group


def pair_up(entries: Sequence[Entry], recipe: AlignmentRecipe, sources: Mapping[str, Entry]) -> list[Pair]:
    """Pair pictures with what they were drawn from, or with their captions where they were not drawn.

    Args:
        entries: pictures; those without words that were asked for are left out.
        recipe: says which captions.
        sources: real pictures by their keys, from whose captions prompts were taken.

    """
    pairs: list[Pair] = []
    for entry in entries:
        if entry.prompt is not None:
            if not entry.prompt.strip():
                continue  # drawn from no words: the prefix alone would be scored
            style = _find_style(entry.prompt, sources.get(entry.prompt_key or ""))
            if not recipe.styles or style in recipe.styles:
                pairs.append(Pair(entry=entry, text=entry.prompt, style=style, stratum=f"{PROMPT} {style}"))
        else:
            pairs += _pair_captions(entry, recipe)
    return pairs


def pair_sources(pairs: Sequence[Pair], sources: Mapping[str, Entry]) -> list[Pair]:
    """The same texts with the real pictures whose captions they are, each once."""
    asked = {
        (pair.entry.prompt_key, pair.text): pair
        for pair in pairs
        if pair.entry.prompt_key in sources and pair.entry.prompt is not None
    }
    return [
        Pair(entry=sources[str(key)], text=text, style=pair.style, stratum=pair.stratum)
        for (key, text), pair in asked.items()
    ]


def _pair_captions(entry: Entry, recipe: AlignmentRecipe) -> list[Pair]:
    pairs: list[Pair] = []
    seen: Counter[str | None] = Counter()
    for words in entry.captions:
        if (recipe.styles and words.style not in recipe.styles) or not words.text.strip():
            continue
        seen[words.style] += 1
        if len(pairs) < recipe.captions:
            stratum = f"{words.style} {seen[words.style]}"
            pairs.append(Pair(entry=entry, text=words.text, style=words.style, stratum=stratum))
    return pairs


def _find_style(prompt: str, source: Entry | None) -> str | None:
    if source is None:
        return None
    return next((words.style for words in source.captions if words.text == prompt), None)
