"""Caption metrics against what pycocoevalcap printed for published examples, and against slow formulas of our own."""

from __future__ import annotations

import math
from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.metrics.words import NAMES, measure_captions, tokenize
from earthloom.metrics.words.bleu import bleu, count_matches
from earthloom.metrics.words.matches import match_grams
from earthloom.metrics.words.ngrams import count_grams
from earthloom.metrics.words.rouge import count_common
from earthloom.metrics.words.sentences import Sentences, number_texts, read_sentences
from earthloom.metrics.words.sorting import number_keys, sort_keys

REFERENCES = [
    ["Many planes are parked next to a long building in an airport.",
     "Some planes are parked in an airport near a terminal."],
    ["A river runs through a green forest.",
     "The dark green forest is on both sides of a curved river."],
    ["Many buildings and some green trees are in a dense residential area.",
     "Lots of houses with gray roofs are arranged densely."],
]  # fmt: skip
CANDIDATES = [
    "Many planes are parked in an airport near a long building.",
    "A curved river is in a dark green forest.",
    "Many houses and green trees are in a dense residential area.",
]
PRINTED = {
    "bleu_1": 0.9677,
    "bleu_2": 0.8519,
    "bleu_3": 0.7745,
    "bleu_4": 0.6942,
    "rouge_l": 0.7569,
    "cider_d": 3.9501,
}
"""By pycocoevalcap 1.2 and Java 17."""

# The example of CLIPScore (Hessel et al., EMNLP 2021; its code is MIT): its README prints what pycocoevalcap says.
CATS_AND_DOGS = [
    ["two cats are sleeping next to each other.",
     "a grey cat is cuddling with an orange cat on a blanket.",
     "the orange cat is happy that the black cat is close to it."],
    ["a dog is wearing ear muffs as it lies on a carpet.",
     "a black dog and an orange cat are looking at the photographer.",
     "headphones are placed on a dogs ears."],
]  # fmt: skip
GOOD = [
    "an orange cat and a grey cat are lying together.",
    "a black dog wearing headphones looks at the camera as an orange cat walks in the background.",
]
BAD = [
    "a calico cat and a white cat are lying together.",
    "a black dog wearing a hat looks at the camera as a tabby walks in the background.",
]


def test_the_example_of_remote_sensing() -> None:
    told = measure_captions(CANDIDATES, REFERENCES).to_json()
    for name, value in PRINTED.items():
        assert told[name] == pytest.approx(value, abs=5.1e-5), name
    assert (told["n"], told["n_references"]) == (3, 6)


@pytest.mark.parametrize(
    ("candidates", "printed"),
    [
        (GOOD, (0.6667, 0.4899, 0.3469, 0.0, 0.4280, 0.5637)),
        (BAD, (0.4815, 0.2404, 0.1359, 0.0, 0.3121, 0.2790)),
    ],
)
def test_the_example_of_clipscore(candidates: list[str], printed: tuple[float, ...]) -> None:
    told = measure_captions(candidates, CATS_AND_DOGS).to_json()
    assert [told[name] for name in NAMES] == pytest.approx(printed, abs=5.1e-5)


def test_that_a_reference_itself_is_perfect_but_for_ciders_other_references() -> None:
    own = measure_captions([group[0] for group in REFERENCES], [group[:1] for group in REFERENCES])
    assert own.bleu == pytest.approx((1, 1, 1, 1), abs=1e-6)
    assert own.rouge_l == pytest.approx(1)
    assert own.cider_d == pytest.approx(10)


def test_that_one_picture_has_no_cider() -> None:
    assert measure_captions(CANDIDATES[:1], REFERENCES[:1]).cider_d == 0


def test_that_empty_captions_score_nothing() -> None:
    found = measure_captions(["", "."], REFERENCES[:2])
    assert found.bleu == (0, 0, 0, 0)
    assert found.rouge_l == found.cider_d == 0


def test_that_rouge_takes_precision_and_recall_from_two_references() -> None:
    found = measure_captions(["wide river"], [["river", "one wide old river runs past a town"]])
    # Precision 2 / 2 is of the second reference, recall 1 / 1 of the first.
    assert found.rouge_l == pytest.approx(1)


def test_that_a_choice_of_pictures_has_the_bleu_of_that_corpus() -> None:
    found = measure_captions(CANDIDATES, REFERENCES)
    chosen = np.array([2, 0, 2])
    corpus = measure_captions([CANDIDATES[i] for i in chosen], [REFERENCES[i] for i in chosen])
    assert [found.of(chosen)[f"bleu_{n}"] for n in (1, 2, 3, 4)] == pytest.approx(corpus.bleu)
    assert found.of(chosen)["cider_d"] == pytest.approx(found.cider_d_each[chosen].mean())


@pytest.mark.parametrize(
    ("candidates", "references"),
    [([], []), (["a"], []), (["a"], [[]]), ("a river", [["a river"]]), (["a"], ["a"])],
)
def test_that_what_is_no_list_of_captions_is_refused(
    candidates: list[str], references: list[list[str]]
) -> None:
    with pytest.raises(UsageError, match="wanted"):
        measure_captions(candidates, references)


WORDS = st.lists(st.sampled_from(["river", "road", "field", "wide", "green", "a", "the"]), max_size=9).map(
    " ".join
)
CORPUS = st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=3)), min_size=1, max_size=4)


@settings(max_examples=40)
@given(CORPUS)
def test_against_slow_formulas(corpus: list[tuple[str, list[str]]]) -> None:
    candidates, references = [list(part) for part in zip(*corpus, strict=True)]
    found = measure_captions(candidates, references)
    assert found.bleu_each == pytest.approx(np.array([slow_bleu(*pair) for pair in corpus]), abs=1e-9)
    assert found.rouge_l_each == pytest.approx([slow_rouge(*pair) for pair in corpus])
    assert found.cider_d_each == pytest.approx(slow_cider(candidates, references), abs=1e-9)


@pytest.mark.parametrize(
    ("candidates", "references", "printed"),
    [
        (CANDIDATES, REFERENCES, 3.35),
        (GOOD, CATS_AND_DOGS, 0.5569),
        (BAD, CATS_AND_DOGS, 0.2725),
    ],
)
def test_the_slow_formula_against_pycocoevalcap_without_its_tokenizer(
    candidates: list[str], references: list[list[str]], printed: float
) -> None:
    """Words as they stand between spaces; what the tokenizer is worth is the difference to the tests above."""
    found = np.mean(slow_cider(candidates, references))
    assert found == pytest.approx(printed, abs=5.1e-5 if printed < 1 else 5.1e-3)


def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def slow_bleu(candidate: str, references: list[str]) -> list[float]:
    """Papineni et al., equations 1 to 3, with the tiny constants of pycocoevalcap."""
    length = len(candidate.split())
    closest = min((abs(len(one.split()) - length), len(one.split())) for one in references)[1]
    ratio = (length + 1e-15) / (closest + 1e-9)
    penalty = math.exp(1 - 1 / ratio) if 1e-3 < ratio < 1 else float(ratio >= 1)
    product, scores = 1.0, []
    for n in (1, 2, 3, 4):
        own = grams(candidate, n)
        right = sum(min(count, max(grams(one, n)[gram] for one in references)) for gram, count in own.items())
        product *= (right + 1e-15) / (max(0, length - n + 1) + 1e-9)
        scores.append(product ** (1 / n) * penalty)
    return scores


def slow_lcs(a: list[str], b: list[str]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def slow_rouge(candidate: str, references: list[str]) -> float:
    words = candidate.split(" ")
    shared = [slow_lcs(words, one.split(" ")) for one in references]
    precision = max(n / len(words) for n in shared)
    recall = max(n / len(one.split(" ")) for n, one in zip(shared, references, strict=True))
    return 2.44 * precision * recall / (recall + 1.44 * precision) if precision and recall else 0.0


def slow_cider(candidates: list[str], references: list[list[str]]) -> list[float]:
    """Vedantam et al., section 4, with clipping and the Gaussian penalty."""
    scores = []
    for candidate, group in zip(candidates, references, strict=True):
        total = 0.0
        for n in (1, 2, 3, 4):

            def weigh(text: str, n: int = n) -> dict[tuple[str, ...], float]:
                held = {
                    gram: sum(any(gram in grams(one, n) for one in other) for other in references)
                    for gram in grams(text, n)
                }
                return {
                    gram: count * math.log(len(references) / max(1, held[gram]))
                    for gram, count in grams(text, n).items()
                }

            own = weigh(candidate)
            for reference in group:
                other = weigh(reference)
                norms = math.hypot(*own.values()) * math.hypot(*other.values())
                shared = sum(min(own[gram], other[gram]) * other[gram] for gram in own.keys() & other.keys())
                off = max(0, len(candidate.split()) - 1) - max(0, len(reference.split()) - 1)
                total += shared / norms * math.exp(-(off**2) / 72) if norms > 1e-12 else 0.0
        scores.append(10 * total / 4 / len(group))
    return scores


LETTERS = st.lists(st.sampled_from("abcd"), max_size=12) | st.lists(st.sampled_from("ab"), max_size=140)


@settings(max_examples=40)
@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=1, max_size=6))
def test_the_longest_common_subsequences(pairs: list[tuple[list[str], list[str]]]) -> None:
    # Sentences of up to 64 words are compared in the bits of a number, longer ones one by one.
    sentences = number_letters([one for pair in pairs for one in pair])
    even = 2 * np.arange(len(pairs))
    assert count_common(sentences, even, even + 1).tolist() == [slow_lcs(*pair) for pair in pairs]


@pytest.mark.parametrize("n", [63, 64, 65])
def test_common_subsequences_at_the_end_of_the_bits(n: int) -> None:
    sentences = number_letters([["a"] * n, ["a"] * n, ["b"] * (n - 1) + ["a"]])
    assert count_common(sentences, np.array([0, 0, 2]), np.array([1, 2, 0])).tolist() == [n, 1, 1]


def number_letters(rows: list[list[str]]) -> Sentences:
    items = np.array([ord(letter) for row in rows for letter in row], np.int64)
    return Sentences(items, np.cumsum([0, *map(len, rows)]))


def test_the_table_of_ngrams() -> None:
    table = count_grams(read_sentences(["a b a b", "", "b a"])[1])
    first, _ = table.rows_of(np.array([0]))
    assert sorted(table.count[first].tolist()) == [1, 1, 1, 1, 2, 2, 2]  # a, b and a b twice
    assert table.n_words.tolist() == [4, 0, 2]
    assert np.bincount(table.order).tolist() == [2, 2, 2, 1]


TEXTS = [
    "A wide river, seen from above.",
    "",
    "1 1/2 km (2.) of U.S. roads",
    "trees",
    "don't, e.g. 4 trees",
    " . ",
]


def test_that_sentences_hold_the_tokens_of_each_text() -> None:
    sentences, words = read_sentences(TEXTS)
    texts = list(map(tokenize, TEXTS))
    assert sentences.lengths.tolist() == [len(text.split(" ")) if text else 0 for text in texts]
    assert words.lengths.tolist() == [len(text.split()) for text in texts]
    assert sentences.lengths[2] == words.lengths[2] - 1  # `1 1/2` is one token and two words
    strings = [token for text in texts for token in text.split(" ") if token]
    for one, other in ((a, b) for a in range(len(strings)) for b in range(a)):
        assert (sentences.items[one] == sentences.items[other]) == (strings[one] == strings[other])


@settings(max_examples=30)
@given(st.lists(st.integers(0, 30)), st.sampled_from([31, 2**62]))
def test_that_keys_sort_as_numpy_sorts_them(keys: list[int], limit: int) -> None:
    # Under 2^62 a key and its place do not fit one number.
    given_ = np.array(keys, np.int64) * (limit // 31)
    ordered, places = sort_keys(given_, limit)
    assert ordered.tolist() == sorted(given_.tolist())
    assert places.tolist() == np.argsort(given_, kind="stable").tolist()
    numbers, n = number_keys(given_, limit)
    expected, ranks = np.unique(given_, return_inverse=True)
    assert n == len(expected)
    assert numbers.tolist() == ranks.tolist()


def test_that_bleu_of_a_corpus_is_no_mean() -> None:
    found = measure_captions(GOOD, CATS_AND_DOGS)
    assert bleu(found.bleu_counts.sum(axis=0)) == pytest.approx(found.bleu)
    assert abs(found.bleu_each.mean(axis=0)[0] - found.bleu[0]) > 1e-3


def test_what_bleu_is_worth_without_the_tokenizer() -> None:
    # Split at spaces alone, 0.629 in place of 0.694.
    words = [text.split() for text in [*CANDIDATES, *chain.from_iterable(REFERENCES)]]
    sentences = Sentences(number_texts(chain.from_iterable(words))[0], np.cumsum([0, *map(len, words)]))
    matches = match_grams(count_grams(sentences), np.arange(3), np.arange(3, 9), np.repeat(np.arange(3), 2))
    assert bleu(count_matches(matches).sum(axis=0))[3] == pytest.approx(0.629, abs=5.1e-4)
