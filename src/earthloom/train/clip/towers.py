"""Both towers over a batch: at once, or in chunks so that large batches need the memory of small ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from earthloom.models.clip.dual import encode_images, encode_texts
from earthloom.models.clip.looks import Look
from earthloom.train.step import Batch

Encode = Callable[[Tensor], Tensor]


class Towers:
    """A network's two towers."""

    def __init__(self, network: Any, look: Look, chunk: int | None) -> None:
        """Take a CLIPModel; chunk: pictures, and captions of as many pictures, that are in a tower at a time."""
        self._network, self._look, self._chunk = network, look, chunk

    def encode(self, batch: Batch, *, dropped: float = 0.0) -> tuple[Tensor, Tensor]:
        """Features of N images, `image`, and of C texts of each, `ids` and `lengths`: N x D and (N * C) x D.

        In chunks it is GradCache (Gao et al., RepL4NLP 2021): features of all are made without keeping what leads to
        them; once the loss over all has been differentiated by the features, each chunk goes through its tower again
        and hands its gradients on. That order of things is what `torch.utils.checkpoint` does with each chunk, random
        numbers and precision being the same both times.
        """
        images, ids = batch["image"], batch["ids"].flatten(0, 1)
        # Padding that the whole batch has is left away: most captions are much shorter than the tower.
        ids = ids[:, : int(batch["lengths"].max())]
        n_texts = batch["ids"].shape[1]

        def see(part: Tensor) -> Tensor:
            return encode_images(self._network, self._look.normalise(part), dropped)

        def read(part: Tensor) -> Tensor:
            return encode_texts(self._network, part)

        return self._encode(images, see, 1), self._encode(ids, read, n_texts)

    def _encode(self, inputs: Tensor, encode: Encode, n_each: int) -> Tensor:
        if self._chunk is None or len(inputs) <= self._chunk * n_each:
            return encode(inputs)
        parts = torch.split(inputs, self._chunk * n_each)
        if not torch.is_grad_enabled():
            return torch.cat([encode(part) for part in parts])
        return torch.cat([checkpoint(encode, part, use_reentrant=False) for part in parts])
