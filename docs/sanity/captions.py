"""Caption metrics under changes of the captions: people's captions of RSICD, made worse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from earthloom.metrics.words import measure_captions
from sanity.rows import Row

TITLE = "Captions"
INTRODUCTION = """\
RSICD: the fifth caption of 500 validation pictures against the other four. Captions (a half of them, all) are dealt to
other pictures, cut short (to half of their words, to three), or repeat themselves (twice, four times). ROUGE-L and
CIDEr-D are means, BLEU-4 is of the corpus.

"""
NAMES = ("bleu_4", "rouge_l", "cider_d")
_N = 500


def measure(data: Path) -> Iterator[Row]:
    """Rows of every metric under every change."""
    with (data / "rsicd" / "captions_val.jsonl").open(encoding="utf-8") as lines:
        captions = [json.loads(line)["captions"] for line in lines][::2][:_N]
    said, truth = [group[4] for group in captions], [group[:4] for group in captions]
    changes: dict[str, Sequence[Callable[[list[str]], list[str]]]] = {
        "captions dealt to other pictures": (lambda texts: _deal(texts, 2), lambda texts: _deal(texts, 1)),
        "captions cut short": (lambda texts: _cut(texts, None), lambda texts: _cut(texts, 3)),
        "captions that repeat themselves": (lambda texts: _repeat(texts, 2), lambda texts: _repeat(texts, 4)),
    }
    plain = measure_captions(said, truth).to_json()
    for change, steps in changes.items():
        found = [measure_captions(step(said), truth).to_json() for step in steps]
        for name in NAMES:
            values = tuple(float(scores[name]) for scores in (plain, *found))
            yield Row(change=change, metric=name, values=values, wanted="falls")


def _deal(texts: list[str], every: int) -> list[str]:
    """Every so many captions go round to the next but half of the set."""
    places = list(range(0, len(texts), every))
    half = len(places) // 2
    dealt = dict(zip(places, places[half:] + places[:half], strict=True))
    return [texts[dealt.get(place, place)] for place in range(len(texts))]


def _cut(texts: list[str], n: int | None) -> list[str]:
    return [" ".join(words[: n or max(1, len(words) // 2)]) for words in (text.split() for text in texts)]


def _repeat(texts: list[str], times: int) -> list[str]:
    return [" ".join([text] * times) for text in texts]
