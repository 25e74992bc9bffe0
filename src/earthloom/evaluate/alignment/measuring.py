"""A test of alignment, from its recipe to its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from earthloom.core.errors import UsageError
from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.alignment.examples import show_examples
from earthloom.evaluate.alignment.mentions import name_mentions
from earthloom.evaluate.alignment.pairs import Pair, pair_sources, pair_up
from earthloom.evaluate.alignment.prompts import analyse_prompts
from earthloom.evaluate.alignment.scoring import Scored, score_pairs
from earthloom.evaluate.alignment.telling import list_figures
from earthloom.evaluate.attributes.measuring import Faithfulness, measure_attributes, open_probes
from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.duals import OpenDual, open_dual_encoder
from earthloom.evaluate.result import SetInfo
from earthloom.evaluate.sets import Entry, OpenSet
from earthloom.evaluate.work import Outcome, Work

_SAME_PROMPTS = "real pictures, by the same prompts"
_OWN_CAPTIONS = "real pictures, by their own captions"


def measure_alignment(recipe: AlignmentRecipe, work: Work) -> Outcome:
    """Score pictures by their texts, beside shuffled texts and real pictures.

    Raises:
        UsageError: pictures or the model are not there, or no picture has a text that was asked for.
        RunError: no picture can be used.

    """
    generated = work.open("generated", recipe.generated)
    real = None if recipe.real is None else work.open("real", recipe.real)
    sources = {} if real is None else {entry.key: entry for entry in real.entries}
    pairs = pair_up(generated.entries, recipe, sources)
    if not pairs:
        raise UsageError(
            f"{generated.place}: pictures with prompts or captions{_name_styles(recipe)} were wanted."
        )
    dual = open_dual_encoder(recipe.clip, work.base)
    scored = score_pairs(pairs, dual, recipe, work)
    ceiling, ceiling_is = _score_real(pairs, real, sources, dual, recipe, work)
    faithful = _judge_attributes(generated, real, recipe, work)
    tables, curves = analyse_prompts(scored, ceiling, recipe)
    return Outcome(
        sets=tuple(_inform(generated, scored, real, ceiling, faithful.sets, work)),
        figures=(*list_figures(scored, ceiling, ceiling_is, dual.name, recipe), *faithful.figures),
        encoders={dual.name: dual.encoder.resize, **faithful.encoders},
        rules={**_tell_rules(scored, dual, recipe), **faithful.rules},
        tables=(*tables, *faithful.tables),
        curves=tuple(curves),
        grids=tuple(show_examples(scored, sources, recipe.examples, work)),
        notes=(*_list_notes(generated, scored, real, ceiling, ceiling_is, dual), *faithful.notes),
    )


def _judge_attributes(
    generated: OpenSet, real: OpenSet | None, recipe: AlignmentRecipe, work: Work
) -> Faithfulness:
    """Whether pictures show what prompts asked for; nothing where that is not wanted."""
    if not recipe.attributes:
        return Faithfulness(figures=(), tables=(), notes=(), sets=(), encoders={}, rules={})
    work.tell("attributes")
    told = recipe
    if recipe.asked is None and recipe.real is not None and recipe.real.release is not None:
        told = recipe.model_copy(update={"asked": recipe.real})
    probes = open_probes(recipe, work)
    return measure_attributes(
        told,
        work,
        real=probes or ([] if real is None else [real]),
        generated=generated,
        resampling=Resampling(resamples=recipe.resamples, level=recipe.level, seed=recipe.seed),
        cache=recipe.cache,
    )


def _score_real(
    pairs: Sequence[Pair],
    real: OpenSet | None,
    sources: Mapping[str, Entry],
    dual: OpenDual,
    recipe: AlignmentRecipe,
    work: Work,
) -> tuple[Scored | None, str | None]:
    """What real pictures score, and by which texts."""
    if real is None:
        return None, None
    same = pair_sources(pairs, sources)
    chosen, named = (same, _SAME_PROMPTS) if same else (pair_up(real.entries, recipe, {}), _OWN_CAPTIONS)
    if not chosen:
        return None, None
    return score_pairs(chosen, dual, recipe, work), named


def _inform(
    generated: OpenSet,
    scored: Scored,
    real: OpenSet | None,
    ceiling: Scored | None,
    taught: Sequence[SetInfo],
    work: Work,
) -> Iterator[SetInfo]:
    """The sets, those that probes learned from among them: the real one where there are no others."""
    yield work.inform(generated, scored.entries, n_texts=len(scored.pairs))
    if real is not None:
        n_texts = len(ceiling.pairs) if ceiling else 0
        told = next((info for info in taught if info.name == real.name), None)
        if told is None:
            yield work.inform(real, ceiling.entries if ceiling else [], n_texts=n_texts)
        else:
            yield replace(told, details={**told.details, "n_texts": n_texts})
    yield from (info for info in taught if real is None or info.name != real.name)


def _tell_rules(scored: Scored, dual: OpenDual, recipe: AlignmentRecipe) -> dict[str, str]:
    return {
        "clip_score": f"{recipe.weight:g} x max(cosine, 0), the mean over pairs (Hessel et al., EMNLP 2021)",
        "null": (
            f"the same texts dealt to other pictures {recipe.draws} times, within a style and never to a picture of "
            "the same text; wins: how often a picture scores above that, ties counting half"
        ),
        "captions": f"prompts of drawn pictures, else at most {recipe.captions} captions{_name_styles(recipe)}",
        "mentions": name_mentions(),
        **dual.tell_rules(recipe.prefix, scored.n_long, len(scored.pairs)),
    }


def _name_styles(recipe: AlignmentRecipe) -> str:
    return f" of the styles {', '.join(recipe.styles)}" if recipe.styles else ""


def _list_notes(
    generated: OpenSet,
    scored: Scored,
    real: OpenSet | None,
    ceiling: Scored | None,
    ceiling_is: str | None,
    dual: OpenDual,
) -> Iterator[str]:
    n_silent = len(generated.entries) - len({id(pair.entry) for pair in scored.pairs})
    if n_silent:
        yield f"{n_silent:,} pictures have no text that was asked for, or could not be read; they were left out."
    if real is None:
        yield "No real pictures were given: without their score as the ceiling nobody knows how far there is to go."
    elif ceiling is None:
        yield "The real pictures have no captions: there is no ceiling."
    elif ceiling_is == _SAME_PROMPTS:
        asked = {(pair.entry.prompt_key, pair.text) for pair in scored.pairs}
        if n_missing := len(asked) - len(ceiling.pairs):
            yield f"The ceiling lacks {n_missing:,} of {len(asked):,} prompts, whose real pictures are not there."
    if scored.n_long and dual.settings.long_text == "stretch":
        yield "Texts were longer even than the stretched tower reads; those were read in windows."
