"""A vocabulary learnt from real captions, and how many of them are duplicates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from earthloom.models.clip.contrast import find_positives  # noqa: E402
from earthloom.models.clip.tokens import learn_tokenizer, tokenise  # noqa: E402


def read_captions(folder: Path, split: str) -> list[list[str]]:
    lines = (folder / "rsicd" / f"captions_{split}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["captions"] for line in lines]


def test_words_of_held_out_captions_are_mostly_one_token(real_data: Path) -> None:
    learnt = [text for captions in read_captions(real_data, "train") for text in captions]
    tokenizer = learn_tokenizer(learnt, 4096, 64)
    assert len(tokenizer) <= 4096
    texts = [text for captions in read_captions(real_data, "val") for text in captions]
    found = tokenise(tokenizer, texts, 64)
    n_words = sum(len(text.replace(".", " . ").replace(",", " , ").split()) for text in texts)
    assert (found.lengths - 2).sum() / n_words < 1.03
    assert found.n_cut == 0


def test_duplicates_of_real_captions_are_found(real_data: Path) -> None:
    captions = read_captions(real_data, "val")[:400]
    numbers = {text: i + 1 for i, text in enumerate(dict.fromkeys(t for row in captions for t in row))}
    known = torch.tensor([[numbers[text] for text in row] for row in captions])
    positives = find_positives(torch.arange(400)[:, None], known, known)
    own = np.repeat(np.arange(400), 5)
    wanted = [[captions[j // 5][j % 5] in row for j in range(2000)] for row in captions]
    assert positives.tolist() == wanted
    # What a plain loss would take for wrong although it reads alike.
    others = int(positives.sum()) - 5 * 400
    assert others > 400
    assert bool(positives[own, np.arange(2000)].all())
