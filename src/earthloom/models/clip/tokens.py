"""Texts as a text tower reads them; and a vocabulary of its own for a tower that nobody has trained yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

START, END = "<|startoftext|>", "<|endoftext|>"
_WORD_END = "</w>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """Some texts."""

    ids: npt.NDArray[np.int64]
    """N x L, filled up behind with the id for padding."""
    lengths: npt.NDArray[np.int64]
    """N, tokens of each with its start and its end."""
    n_cut: int
    """Texts that were longer than L and end early."""


def tokenise(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], length: int) -> Tokens:
    """Turn texts into ids, L = `length` of each; what is longer loses its last tokens before the end token.

    May be called from several threads at a time.
    """
    # Without truncation or padding by the library: to set these it writes to what other threads are reading.
    found = tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]
    ids = np.full((len(texts), length), tokenizer.pad_token_id, np.int64)
    lengths = np.array([min(len(row), length) for row in found], np.int64)
    for target, row, n in zip(ids, found, lengths, strict=True):
        target[:n] = row[:n]
        target[n - 1] = row[-1]
    return Tokens(ids=ids, lengths=lengths, n_cut=sum(len(row) > length for row in found))


def learn_tokenizer(texts: Iterable[str], size: int, length: int) -> PreTrainedTokenizerBase:
    """Learn byte-pair encoding (Sennrich et al., ACL 2016) as CLIP has it from texts: any text can be written in it.

    Frequent words become one token; what never occurred is spelled byte by byte.

    Args:
        texts: what to learn from; the same texts in the same order give the same vocabulary.
        size: most tokens, at least 514: each byte, within a word and at its end, start and end.
        length: longest text in tokens that the tower takes.

    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner = Tokenizer(models.BPE(end_of_word_suffix=_WORD_END))
    shape = CLIPTokenizer().backend_tokenizer
    learner.normalizer, learner.pre_tokenizer = shape.normalizer, shape.pre_tokenizer
    ends = [f"{letter}{_WORD_END}" for letter in letters]
    trainer = trainers.BpeTrainer(
        vocab_size=size - 2,
        min_frequency=2,
        initial_alphabet=letters,
        special_tokens=ends,  # numbered first: else by the order of a hash table, and equally frequent pairs by that
        end_of_word_suffix=_WORD_END,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    merges = [(str(a), str(b)) for a, b in json.loads(learner.to_str())["model"]["merges"]]
    names = [*letters, *ends, *("".join(pair) for pair in merges)]
    vocabulary = {name: i for i, name in enumerate([*dict.fromkeys(names), START, END])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=length)  # type: ignore[arg-type]  # pairs it is
