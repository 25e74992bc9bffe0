"""Which pictures and texts belong together, and the loss that brings them together."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

MAX_LOG_SCALE = math.log(100.0)
"""Greatest logarithm of the scale: Radford et al. 2021, section 2.5."""


def contrastive_loss(images: Tensor, texts: Tensor, log_scale: Tensor, positives: Tensor) -> Tensor:
    """CLIP's symmetric loss where a picture may belong to several texts, and a text to several pictures.

    With s the cosines times exp(`log_scale`) and P(i) the texts that belong to picture i,

        L = (mean over i of L_i + mean over j of L_j) / 2,
        L_i = - 1 / |P(i)| * sum over p in P(i) of log(exp(s_ip) / sum over j of exp(s_ij)),

    and L_j the same for text j over its pictures: the cross-entropy to targets that are spread evenly over what belongs
    together (the outer sum of SupCon: Khosla et al., NeurIPS 2020, equation 2). Nothing that belongs together is pushed
    apart: in the optimum all of P(i) lie equally near. With one text a picture and no duplicates it is CLIP's loss.

    Args:
        images: features, N x D, of any length.
        texts: features, M x D.
        log_scale: scalar.
        positives: N x M, true where picture and text belong together; at least one in each row and column.

    Returns:
        A scalar; computed in float32 at least.

    """
    scores = score(images, texts, log_scale)
    rows = _cross_entropy(scores, positives)
    columns = _cross_entropy(scores.t(), positives.t())
    return (rows + columns) / 2


def score(images: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    """Cosines times exp(`log_scale`), N x M; in float32 at least, since bfloat16 has 3 digits."""
    exact = torch.promote_types(images.dtype, torch.float32)
    with torch.autocast(images.device.type, enabled=False):
        cosines = normalize(images.to(exact), dim=-1) @ normalize(texts.to(exact), dim=-1).t()
        return cosines * log_scale.to(exact).exp()


def _cross_entropy(scores: Tensor, positives: Tensor) -> Tensor:
    """The mean over rows of the cross-entropy to even targets."""
    targets = positives.to(scores.dtype)
    spread = targets / targets.sum(1, keepdim=True)
    return (scores.logsumexp(1) - (spread * scores).sum(1)).mean()


def find_positives(marks: Tensor, known: Tensor, texts: Tensor) -> Tensor:
    """Find which pictures and texts of a batch belong together.

    Pictures are the same to this end where one of their marks is equal, such as the hash of the pixels or the id of
    the pair that both are variants of. A text belongs to a picture where it was written for it or for one that is the
    same, or where it reads like any text that was, even one that was not drawn this time.

    Args:
        marks: N x K hashes; column by column they are compared.
        known: N x T hashes of all texts of each picture; 0 fills up.
        texts: N x C hashes of the texts of the batch, C written for each picture.

    Returns:
        N x (N * C), the texts picture after picture.

    """
    drawn = texts.reshape(-1)
    # Column by column: N x N x K comparisons at once would be most of the memory of a large batch.
    same = _any_equal(marks, marks, by_column=True)
    says = _any_equal(torch.cat([known, texts], 1), drawn.unsqueeze(1), by_column=False)
    # Sums of what is not negative: over 0 in any precision exactly where a term is.
    return (same.float() @ says.float()) > 0


def _any_equal(rows: Tensor, others: Tensor, *, by_column: bool) -> Tensor:
    """Where any column of N rows equals that of M others (`by_column`), or their only one: N x M."""
    found = torch.zeros(len(rows), len(others), dtype=torch.bool, device=rows.device)
    for k in range(rows.shape[1]):
        found |= rows[:, k, None] == others[None, :, k if by_column else 0]
    return found
