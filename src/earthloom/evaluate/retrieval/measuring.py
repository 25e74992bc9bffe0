"""A test of retrieval, from its recipe to its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.evaluate.benchmarks.names import tabulate_measured
from earthloom.evaluate.benchmarks.opening import Chosen, open_tested
from earthloom.evaluate.duals import open_dual_encoder, see
from earthloom.evaluate.retrieval.config import RetrievalRecipe
from earthloom.evaluate.retrieval.examples import Gallery, show_examples
from earthloom.evaluate.retrieval.figures import Search, list_figures, plot_recall
from earthloom.evaluate.sets import Entry
from earthloom.evaluate.work import Outcome, Work
from earthloom.metrics.retrieval import rank_retrieval

Features = npt.NDArray[np.float64]
DISTINCT = "distinct captions"
"""Group of the figures without captions that several pictures have."""
_RULES = {
    "right": "what was written for the picture itself; an equal caption of another picture counts as wrong, as in "
    "published tables, unless the group is `distinct captions`: there such captions are left out, each other one once",
    "ties": "what is right stands behind what is wrong and scores the same",
    "R@K": "share of queries that find at least one right thing among the first K; mR is the mean of the six",
    "null": "a random order, computed: 1 - C(n - r, K) / C(n, K) for r right things among n",
}


def measure_retrieval(recipe: RetrievalRecipe, work: Work) -> Outcome:
    """Let pictures find texts and texts find pictures.

    Raises:
        UsageError: the pictures or the model are not there, or no picture has a caption that was asked for.
        RunError: no picture can be used.

    """
    tested = open_tested(recipe, work, "captions")
    dual = open_dual_encoder(recipe.clip, work.base)
    worded = [entry for entry in tested.opened.entries if _choose_captions(entry, recipe)]
    if not worded:
        raise UsageError(
            f"{tested.opened.place}: pictures with captions {_name_styles(recipe)} were wanted, got none."
        )
    entries, pictures = see(worded, dual, work, recipe.cache)
    captions = _Captions.gather(entries, recipe)
    work.tell("reading captions")
    texts = dual.describe_texts(captions.read(recipe), recipe.prefix)
    gallery = _search(entries, pictures, captions, _lengthen(texts.features))
    search = Search(
        ranks=gallery.ranks, owners=captions.owners, grounds=[entry.group for entry in entries], group=None
    )
    figures = list(list_figures(search, dual.name, recipe))
    if captions.n_shared and len(captions.distinct):
        figures += list_figures(_search_distinct(gallery, captions, search), dual.name, recipe)
    measured = tabulate_measured(tested.benchmark) if tested.benchmark else None
    return Outcome(
        sets=(work.inform(tested.opened, entries, n_texts=len(captions.texts)),),
        figures=tuple(figures),
        encoders={dual.name: dual.encoder.resize},
        rules={
            **_RULES,
            **dual.tell_rules(recipe.prefix, texts.n_long, len(captions.texts)),
            **_tell_texts(recipe),
        },
        tables=() if measured is None else (measured,),
        curves=(plot_recall(search),),
        grids=tuple(show_examples(gallery, recipe.examples, work)),
        notes=(*tested.notes, *_list_notes(tested, worded, captions)),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Captions:
    """The captions of all pictures."""

    texts: list[str]
    owners: npt.NDArray[np.int64]
    """M, the picture of each."""
    distinct: npt.NDArray[np.int64]
    """Captions that no other picture has, once each: places in `texts`."""
    n_shared: int
    """Captions that stand elsewhere, too: of another picture or once more of the same."""

    @classmethod
    def gather(cls, entries: Sequence[Entry], recipe: RetrievalRecipe) -> _Captions:
        texts, owners = [], []
        for place, entry in enumerate(entries):
            chosen = _choose_captions(entry, recipe)
            texts += chosen
            owners += [place] * len(chosen)
        belongs: dict[str, set[int]] = {}
        first: dict[str, int] = {}
        for place, (text, owner) in enumerate(zip(texts, owners, strict=True)):
            belongs.setdefault(text, set()).add(owner)
            first.setdefault(text, place)
        distinct = [first[text] for text, of in belongs.items() if len(of) == 1]
        return cls(
            texts=texts,
            owners=np.array(owners, np.int64),
            distinct=np.array(sorted(distinct), np.int64),
            n_shared=len(texts) - len(distinct),
        )

    def read(self, recipe: RetrievalRecipe) -> list[str]:
        """Captions as the model gets them."""
        return [text.capitalize() for text in self.texts] if recipe.capitalize else self.texts


def _search(entries: Sequence[Entry], pictures: Features, captions: _Captions, words: Features) -> Gallery:
    return Gallery(
        entries=entries,
        pictures=pictures,
        texts=captions.texts,
        words=words,
        owners=captions.owners,
        ranks=rank_retrieval(pictures, words, captions.owners),
    )


def _search_distinct(gallery: Gallery, captions: _Captions, search: Search) -> Search:
    """The same without captions that several pictures have. All pictures stay to be found."""
    owners = captions.owners[captions.distinct]
    ranks = rank_retrieval(gallery.pictures, gallery.words[captions.distinct], owners)
    return Search(ranks=ranks, owners=owners, grounds=search.grounds, group=DISTINCT)


def _lengthen(features: Features) -> Features:
    """Of length 1, as retrieval compares them."""
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))


def _choose_captions(entry: Entry, recipe: RetrievalRecipe) -> list[str]:
    wanted = [words.text for words in entry.captions if not recipe.styles or words.style in recipe.styles]
    return wanted[: recipe.captions]


def _name_styles(recipe: RetrievalRecipe) -> str:
    return f"of the styles {', '.join(recipe.styles)}" if recipe.styles else "of any style"


def _tell_texts(recipe: RetrievalRecipe) -> dict[str, str]:
    case = "capitalised" if recipe.capitalize else "as they are"
    return {"captions": f"{_name_styles(recipe)}, at most {recipe.captions} of a picture, {case}"}


def _list_notes(tested: Chosen, worded: Sequence[Entry], captions: _Captions) -> Iterator[str]:
    n_silent = len(tested.opened.entries) - len(worded)
    if n_silent:
        yield f"{n_silent:,} pictures have no caption that was asked for and were left out of the gallery."
    if captions.n_shared:
        left_out = f"Figures of the group {DISTINCT!r} leave them out."
        none_left = "None is left without them."
        yield (
            f"{captions.n_shared:,} of {len(captions.texts):,} captions stand elsewhere in the set, too: no model can "
            f"find by them what is counted as right. {left_out if len(captions.distinct) else none_left}"
        )
