"""The contrastive loss against transformers' own and against sums written out; positives against a plain search."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from earthloom.models.clip.contrast import contrastive_loss, find_positives, score  # noqa: E402


def draw(seed: int, n: int, m: int, width: int = 6) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    images = torch.randn(n, width, generator=random, dtype=torch.float64)
    texts = torch.randn(m, width, generator=random, dtype=torch.float64)
    return images, texts, torch.tensor(1.3, dtype=torch.float64)


def test_is_clips_loss_where_all_are_distinct() -> None:
    from transformers.models.clip.modeling_clip import image_text_contrastive_loss

    images, texts, log_scale = draw(0, 9, 9)
    for tensor in (images, texts, log_scale):
        tensor.requires_grad_()
    loss = contrastive_loss(images, texts, log_scale, torch.eye(9, dtype=torch.bool))
    found = torch.autograd.grad(loss, [images, texts, log_scale])

    unit = [value / value.norm(dim=-1, keepdim=True) for value in (images, texts)]
    theirs = image_text_contrastive_loss(unit[1] @ unit[0].t() * log_scale.exp())
    wanted = torch.autograd.grad(theirs, [images, texts, log_scale])
    torch.testing.assert_close(loss, theirs, rtol=0, atol=1e-12)
    for mine, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_several_positives_written_out() -> None:
    # Two pictures, three texts; text 2 belongs to both. Features are unit vectors, so scores are cosines times 2.
    images = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    texts = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    positives = torch.tensor([[True, False, True], [False, True, True]])
    loss = contrastive_loss(images, texts, torch.tensor(math.log(2.0)), positives)

    s = [[2.0, 0.0, 1.2], [0.0, 2.0, 1.6]]
    whole = [sum(math.exp(value) for value in row) for row in s]
    rows = [
        -0.5 * (math.log(math.exp(s[0][0]) / whole[0]) + math.log(math.exp(s[0][2]) / whole[0])),
        -0.5 * (math.log(math.exp(s[1][1]) / whole[1]) + math.log(math.exp(s[1][2]) / whole[1])),
    ]
    down = [math.exp(s[0][j]) + math.exp(s[1][j]) for j in range(3)]
    columns = [
        -math.log(math.exp(s[0][0]) / down[0]),
        -math.log(math.exp(s[1][1]) / down[1]),
        -0.5 * (math.log(math.exp(s[0][2]) / down[2]) + math.log(math.exp(s[1][2]) / down[2])),
    ]
    assert float(loss) == pytest.approx((sum(rows) / 2 + sum(columns) / 3) / 2, abs=1e-6)


def test_duplicates_are_not_pushed_apart() -> None:
    images, texts, log_scale = draw(1, 4, 4)
    texts[1], images[1] = texts[0], images[0]  # one picture and its caption twice
    texts.requires_grad_()
    plain, aware = torch.eye(4, dtype=torch.bool), torch.eye(4, dtype=torch.bool)
    aware[:2, :2] = True

    def pull(positives: torch.Tensor) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(contrastive_loss(images, texts, log_scale, positives), texts)
        return gradient

    # The copies are pulled alike; the plain loss pulls each towards its own picture and away from the copy of it.
    torch.testing.assert_close(pull(aware)[0], pull(aware)[1])
    # With features of pictures and texts equal and sharp, the loss of a twin is its even split, and has no slope there.
    own = torch.nn.functional.normalize(images, dim=-1)
    sharp = torch.tensor(8.0, dtype=torch.float64)
    assert float(contrastive_loss(own, own, sharp, aware)) == pytest.approx(math.log(2) / 2, abs=0.01)
    # Two like pairs, moved a little to either side: the plain loss likes it if they part, the aware one does not.
    apart = own.clone()
    apart[0], apart[1] = own[0] + 0.01 * own[2], own[0] - 0.01 * own[2]
    parted = {
        name: float(contrastive_loss(apart, apart, sharp, mask))
        for name, mask in (("aware", aware), ("plain", plain))
    }
    assert parted["plain"] < math.log(2) / 2 < parted["aware"]


def test_scores_are_exact_under_autocast() -> None:
    images, texts, log_scale = (value.float() for value in draw(2, 5, 7))
    with torch.autocast("cpu", torch.bfloat16):
        found = score(images, texts, log_scale)
    wanted = torch.nn.functional.cosine_similarity(images[:, None], texts[None], dim=-1) * log_scale.exp()
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 3), st.integers(1, 4))
def test_positives_as_a_plain_search_finds_them(seed: int, n: int, n_texts: int, n_known: int) -> None:
    rng = np.random.default_rng(seed)
    marks = rng.integers(0, 9, (n, 3))
    drawn = rng.integers(1, 9, (n, n_texts))
    known = rng.integers(0, 9, (n, n_known))
    found = find_positives(*(torch.from_numpy(values) for values in (marks, known, drawn)))

    def belongs(i: int, owner: int, text: int) -> bool:
        same = [k for k in range(n) if any(marks[i, c] == marks[k, c] for c in range(3))]
        return owner in same or any(text in known[k] or text in drawn[k] for k in same)

    wanted = [[belongs(i, owner, int(text)) for owner in range(n) for text in drawn[owner]] for i in range(n)]
    assert found.tolist() == wanted
    assert bool(found.any(0).all())
    assert bool(found.any(1).all())
