"""A test of captioning, from its recipe to its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from earthloom.core.errors import RunError, UsageError
from earthloom.core.records import Reason
from earthloom.evaluate.averages import average
from earthloom.evaluate.benchmarks.opening import open_tested
from earthloom.evaluate.captioning.candidates import Candidates, read_candidates, write_candidates
from earthloom.evaluate.captioning.config import CaptioningRecipe
from earthloom.evaluate.captioning.files import match_keys, read_captions
from earthloom.evaluate.captioning.meteor import VERSION
from earthloom.evaluate.captioning.scoring import Pairing, score_meteor, score_words
from earthloom.evaluate.duals import OpenDual, open_dual_encoder, see
from earthloom.evaluate.result import Figure
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Grid, Outcome, Row, Work
from earthloom.metrics.clip_score import measure_clip_score, measure_ref_clip_score
from earthloom.metrics.dealing import spell_key
from earthloom.metrics.words import measure_captions

_RULES = {
    "tokens": "Penn Treebank tokens in lower case without punctuation, as pycocoevalcap 1.2 has them of Stanford's "
    "tokenizer",
    "bleu": "of the corpus, closest length of reference",
    "rouge_l": "beta 1.2, best precision and best recall over the references separately",
    "cider_d": "CIDEr-D, n-grams of 1 to 4, sigma 6, times 10; words are weighted by the references of this set: "
    "scores of other sets, splits or numbers of pictures do not compare",
    "null": "the same captions dealt to other pictures",
    "ceiling": "people: each reference against the others of its picture, which are one fewer than a candidate has",
}


def measure_captioning(recipe: CaptioningRecipe, work: Work) -> Outcome:
    """Score captions against references.

    Raises:
        UsageError: pictures, captions, references or a model are not there.
        RunError: no picture has both a caption and references.

    """
    tested = open_tested(recipe, work, "captions")
    references = _list_references(recipe, work, tested.opened.entries)
    worded = [entry for entry in tested.opened.entries if references.get(entry.key)]
    if not worded:
        raise UsageError(f"{tested.opened.place}: no picture has a reference that was asked for.")
    candidates = _find_candidates(recipe, worded, work)
    pairing = _pair(worded, candidates, references, work)
    work.tell("scoring captions")
    figures = [
        *score_words(pairing, recipe, work.rng("dealt captions")),
        *score_meteor(pairing, recipe, work.rng("dealt captions for METEOR")),
    ]
    encoders, rules = {}, {**_RULES, "candidates": candidates.author, **_tell_references(recipe)}
    if any(figure.name == "meteor" and figure.value is not None for figure in figures):
        rules["meteor"] = VERSION
    if recipe.clip is not None:
        dual = open_dual_encoder(recipe.clip, work.base)
        scored, told = _score_by_clip(pairing, dual, recipe, work)
        figures += scored
        rules |= told
        encoders[dual.name] = dual.encoder.resize
    return Outcome(
        sets=(
            work.inform(tested.opened, list(pairing.entries), n_references=sum(map(len, pairing.references))),
        ),
        figures=tuple(figures),
        encoders=encoders,
        rules=rules,
        grids=tuple(_show_examples(pairing, recipe.examples, work)),
        notes=(*tested.notes, *candidates.notes, *_list_notes(tested.opened.entries, worded, pairing)),
    )


def _list_references(recipe: CaptioningRecipe, work: Work, entries: Sequence[Entry]) -> dict[str, list[str]]:
    if recipe.references is not None:
        found = match_keys(read_captions(work.base / recipe.references), [entry.key for entry in entries])
    else:
        found = {entry.key: _choose_references(entry, recipe) for entry in entries}
    kept = {key: [text for text in texts if text.strip()] for key, texts in found.items()}
    return {key: texts[: recipe.captions] for key, texts in kept.items()}


def _choose_references(entry: Entry, recipe: CaptioningRecipe) -> list[str]:
    return [
        words.text
        for words in entry.captions
        if (not recipe.styles or words.style in recipe.styles)
        and (not recipe.authors or words.author in recipe.authors)
    ]


def _find_candidates(recipe: CaptioningRecipe, entries: Sequence[Entry], work: Work) -> Candidates:
    if recipe.candidates is not None:
        return read_candidates(work.base / recipe.candidates, recipe.candidates, entries)
    assert recipe.captioner is not None, "the settings see to it"
    return write_candidates(recipe.captioner, entries, work)


def _pair(
    entries: Sequence[Entry], candidates: Candidates, references: dict[str, list[str]], work: Work
) -> Pairing:
    """Pictures with both; those without a caption are on record."""
    held = [entry for entry in entries if entry.key in candidates.texts]
    for entry in entries:
        if entry.key not in candidates.texts:
            work.refused.setdefault(
                entry.key, {"reason": Reason.MISSING.value, "detail": "a caption was wanted, got none"}
            )
    if not held:
        raise RunError(
            f"None of {len(entries):,} pictures with references has a caption of {candidates.author}."
        )
    return Pairing(
        entries=tuple(held),
        candidates=tuple(candidates.texts[entry.key] for entry in held),
        references=tuple(tuple(references[entry.key]) for entry in held),
    )


def _score_by_clip(
    pairing: Pairing, dual: OpenDual, recipe: CaptioningRecipe, work: Work
) -> tuple[list[Figure], dict[str, str]]:
    """CLIPScore and RefCLIPScore of those pictures that can be read, and the rules of both."""
    kept, pictures = see(pairing.entries, dual, work, recipe.cache)
    rows = [i for i, entry in enumerate(pairing.entries) if any(entry is one for one in kept)]
    said = [pairing.candidates[i] for i in rows]
    owners = [place for place, i in enumerate(rows) for _ in pairing.references[i]]
    texts = dual.describe_texts(said, recipe.prefix)
    truth = dual.describe_texts([one for i in rows for one in pairing.references[i]], recipe.prefix)
    # The prefix alone would score as a caption does.
    is_said = np.array([bool(text.strip()) for text in said])
    features = np.where(is_said[:, None], texts.features, 0.0)
    told: dict[str, Any] = {
        "keys": [spell_key(text) for text in said],
        "weight": recipe.weight,
        "draws": recipe.shuffles,
        "seed": recipe.seed,
    }
    scores = {
        "clip_score": measure_clip_score(pictures, features, **told),
        "ref_clip_score": measure_ref_clip_score(pictures, features, truth.features, owners, **told),
    }
    groups = [entry.group for entry in kept]
    more = {"better": "higher", "encoder": dual.name}
    figures = [
        average(name, found.scores, groups, recipe, null=found.null, **more) for name, found in scores.items()
    ]
    rules = {
        "clip_score": f"{recipe.weight:g} x max(cosine, 0), the mean over pictures",
        "ref_clip_score": "harmonic mean of that and the largest cosine with a reference, by direction",
        **dual.tell_rules(recipe.prefix, texts.n_long + truth.n_long, len(said) + len(owners)),
    }
    return figures, rules


def _tell_references(recipe: CaptioningRecipe) -> dict[str, str]:
    told = [f"at most {recipe.captions} of a picture"]
    told += [f"styles {', '.join(recipe.styles)}"] if recipe.styles else []
    told += [f"by {', '.join(recipe.authors)}"] if recipe.authors else []
    told += [f"from {recipe.references}"] if recipe.references else []
    return {"references": "; ".join(told)}


def _list_notes(entries: Sequence[Entry], worded: Sequence[Entry], pairing: Pairing) -> Iterator[str]:
    if n := len(entries) - len(worded):
        yield f"{n:,} pictures have no reference that was asked for and were left out."
    if n := len(worded) - len(pairing.entries):
        yield f"{n:,} pictures have no caption and were left out: a score of fewer pictures is that of another set."
    if n := sum(not text.strip() for text in pairing.candidates):
        yield f"{n:,} captions are empty and score 0."
    if len(pairing.entries) < 100:
        yield f"CIDEr-D of {len(pairing.entries):,} pictures weights words by few references: do not read much into it."


def _show_examples(pairing: Pairing, n: int, work: Work) -> Iterator[Grid]:
    """Pictures with the best and the worst captions by CIDEr-D."""
    each = measure_captions(pairing.candidates, pairing.references).cider_d_each
    order = np.argsort(-each, kind="stable").tolist()
    for title, places in (("Best captions by CIDEr-D", order[:n]), ("Worst captions", order[::-1][:n])):
        rows = []
        for i in places:
            picture = work.read(pairing.entries[i])
            if picture is not None:
                told = f"{pairing.candidates[i] or '(nothing)'} | people: {' / '.join(pairing.references[i][:2])}"
                rows.append(Row(label=f"{each[i]:.2f}: {told}", pictures=(picture,)))
        if rows:
            yield Grid(title=title, rows=tuple(rows))
