"""The phrases by which a text can mean labelled objects: their names, plurals and synonyms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from earthloom.caption.facts.statements import Objects
from earthloom.caption.language.lexicon import find_noun

_SYNONYMS = (
    ("airplane", "plane", "aeroplane", "aircraft", "airliner", "jet"),
    ("ship", "vessel"),
    ("harbor", "harbour"),
    ("roundabout", "traffic circle"),
    ("storage tank", "oil tank", "fuel tank"),
    ("baseball diamond", "baseball field"),
    ("soccer field", "football field", "soccer ball field"),
    ("ground track field", "athletic track", "running track"),
    ("parking lot", "car park"),
    ("railway station", "train station"),
)
"""Names that mean one kind of object seen from above."""

Phrases = Mapping[str, tuple[tuple[tuple[str, ...], Objects], ...]]
"""First word to the phrases that begin with it, longest first, and what each means."""


def index_phrases(groups: Iterable[Objects]) -> Phrases:
    """Put the phrases of some objects into an index."""
    index: dict[str, list[tuple[tuple[str, ...], Objects]]] = {}
    for group in groups:
        for words in _list_phrases(group.name):
            index.setdefault(words[0], []).append((words, group))
    return {first: tuple(sorted(found, key=lambda f: -len(f[0]))) for first, found in index.items()}


@lru_cache(maxsize=1024)
def _list_phrases(name: str) -> tuple[tuple[str, ...], ...]:
    noun = find_noun(name)
    if noun.quoted:
        return ()
    kin = next((kin for kin in _SYNONYMS if noun.one in kin), ())
    others = (phrase for other in map(find_noun, kin) for phrase in (other.one, other.many))
    phrases = dict.fromkeys((noun.one, noun.many, *others, *_add_heads(name)))
    return tuple(tuple(phrase.lower().split()) for phrase in phrases if "labelled" not in phrase)


def _add_heads(name: str) -> Iterable[str]:
    """`small vehicle` is a vehicle too, and a `tennis court` a court."""
    head = name.lower().rpartition(" ")[2]
    return (head, f"{head}s") if name.lower() in _HEADED else ()


_HEADED = frozenset(
    ("small vehicle", "large vehicle", "swimming pool", "storage tank", "tennis court", "basketball court")
)
"""Names whose last word alone means them, seen from above."""
