"""In what the protocols of results differ: one sentence for each matter, whichever of the results it sets apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from earthloom.evaluate.result import Result, SetInfo

_TRUTHS = ("real", "references", "truth")
"""Sets that have to be the same for figures to compare."""
_NONE = "none"
_Stated = Mapping[str, str]
"""What each result says of one matter, by the result's name; without those that have nothing to say."""


def name_apart(results: Sequence[Result]) -> tuple[str, ...]:
    """The names of results, with a letter behind each where two have one name."""
    names = [result.name for result in results]
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"{name} ({_count_in_letters(i)})" for i, name in enumerate(names))


def _count_in_letters(i: int) -> str:
    """A, B, ... Z, AA, AB as columns of a spreadsheet."""
    more, letter = divmod(i, 26)
    return (_count_in_letters(more - 1) if more else "") + chr(ord("A") + letter)


def list_differences(names: Sequence[str], results: Sequence[Result]) -> Iterator[str]:
    """What speaks against comparing results, all of them with all.

    Args:
        names: one for each result, all different.
        results: of one kind.

    Yields:
        A sentence for each matter in which any two differ: it holds every value once, with the results that have it.

    """
    for matter, stated in _list_matters(dict(zip(names, results, strict=True))):
        if len(set(stated.values())) > 1:
            yield _say(matter, stated, len(results))


def _list_matters(results: Mapping[str, Result]) -> Iterator[tuple[str, _Stated]]:
    protocols = {name: result.protocol for name, result in results.items()}
    for field in ("version", "seed", "resamples", "level"):
        label = "the protocol's version" if field == "version" else field
        yield label, {name: str(getattr(each, field)) for name, each in protocols.items()}
    rules = {name: each.rules for name, each in protocols.items()}
    yield from _list_entries("the rule", rules)
    encoders = {name: each.encoders for name, each in protocols.items()}
    yield from _list_entries("the encoder", encoders)
    yield from _list_sets(results)


def _list_entries(what: str, stated: Mapping[str, _Stated]) -> Iterator[tuple[str, _Stated]]:
    for key in sorted({key for each in stated.values() for key in each}):
        yield f"{what} {key!r}", {name: each.get(key, _NONE) for name, each in stated.items()}


def _list_sets(results: Mapping[str, Result]) -> Iterator[tuple[str, _Stated]]:
    """Sizes of sets of one place in the recipe; of equally large ones that are the truth, their contents."""
    found: dict[str, dict[str, SetInfo]] = {}
    for name, result in results.items():
        for each in result.sets:
            found.setdefault(each.name, {})[name] = each
    for place, sets in found.items():
        yield f"the size of the set {place!r}", {name: f"{each.n:,}" for name, each in sets.items()}
        if place in _TRUTHS:
            contents = {(each.n, each.identity) for each in sets.values()}
            if len(contents) > len({n for n, _ in contents}):
                yield f"the pictures of the set {place!r}", _name_contents(sets)


def _name_contents(sets: Mapping[str, SetInfo]) -> _Stated:
    """What the contents are called: the first place where they lay, with their hash where others lay there too."""
    places: dict[str | None, str] = {}
    for each in sets.values():
        places.setdefault(each.identity, each.place)
    shared = {place for place, n in Counter(places.values()).items() if n > 1}
    labels = {
        identity: f"{place} (contents {(identity or 'unknown')[:12]})" if place in shared else place
        for identity, place in places.items()
    }
    return {name: labels[each.identity] for name, each in sets.items()}


def _say(matter: str, stated: _Stated, n_results: int) -> str:
    """`a and b differ in seed: 0 and 5.`; of more than two, who has what; the commonest value is that of all others."""
    if len(stated) == 2:
        return f"{' and '.join(stated)} differ in {matter}: {' and '.join(stated.values())}."
    holders: dict[str, list[str]] = {}
    for name, value in stated.items():
        holders.setdefault(value, []).append(name)
    *few, (commonest, most) = sorted(holders.items(), key=lambda item: len(item[1]))
    told = [f"{value} in {_join(names)}" for value, names in few]
    others = "all others" if len(stated) == n_results else f"the other {len(most):,} that have it"
    rest = others if len(most) > 1 else most[0]
    return f"Results differ in {matter}: {'; '.join([*told, f'{commonest} in {rest}'])}."


def _join(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
