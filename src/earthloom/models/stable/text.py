"""Prompts as Stable Diffusion's UNet takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from earthloom.core.errors import UsageError
from earthloom.models.stable.parts import Stable

_ONE_AT_A_TIME = Lock()
"""Tokenizers are told how to cut and fill up before every call, and break when another thread is calling them."""

_WANTS_TEXT = "Encoding texts wants the text encoders: open the model with the part `text`."


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """Texts as a UNet takes them."""

    states: Tensor
    """N x L x D, the states of the tokens; those of XL's two encoders one behind the other in D."""
    pooled: Tensor | None
    """N x P, the whole text as one vector; XL alone."""
    n_cut: int
    """Texts that were longer than the encoder takes (77 tokens with the two at the ends) and lost their end."""


def encode_texts(stable: Stable, texts: Sequence[str], *, clip_skip: int = 0) -> Encoded:
    """Encode texts, as diffusers' pipelines do.

    Of 1.x and 2.x the last layer, normalised; of XL the last but one of both encoders, as it is, and the projection of
    the second (Podell et al., ICLR 2024, section 2.1).

    Args:
        stable: with its text encoders.
        texts: one to encode each; an empty one stands for no prompt.
        clip_skip: layers to leave out at the end, 0 for none. Some models were fine-tuned with 1.

    Raises:
        UsageError: the text encoders were not loaded, or have no so many layers.

    """
    ids, n_cut = tokenize(stable, texts)
    return replace(encode_tokens(stable, ids, clip_skip=clip_skip), n_cut=n_cut)


def tokenize(stable: Stable, texts: Sequence[str]) -> tuple[Tensor, int]:
    """Split texts into the tokens of every encoder, N x encoders x L whole numbers; how many texts were cut.

    Any number of threads may ask at a time. Raises `UsageError` where the text encoders were not loaded.
    """
    if not stable.tokenizers:
        raise UsageError(_WANTS_TEXT)
    with _ONE_AT_A_TIME:
        found = [_split_into_tokens(tokenizer, list(texts)) for tokenizer in stable.tokenizers]
    is_cut = torch.stack([lost for _, lost in found]).any(0)
    return torch.stack([ids for ids, _ in found], 1), int(is_cut.sum())


def encode_tokens(stable: Stable, ids: Tensor, *, clip_skip: int = 0) -> Encoded:
    """Encode what `tokenize` gave; `n_cut` is 0, for the cutting is done. Otherwise as `encode_texts`."""
    if not stable.text_encoders:
        raise UsageError(_WANTS_TEXT)
    states, pooled = [], None
    for own, encoder in zip(ids.unbind(1), stable.text_encoders, strict=True):
        told = encoder(own.to(encoder.device), output_hidden_states=True)
        states.append(_choose_layer(encoder, told.hidden_states, clip_skip, is_xl=stable.is_xl))
        if stable.is_xl:
            pooled = getattr(told, "text_embeds", pooled)
    return Encoded(states=torch.cat(states, dim=-1), pooled=pooled, n_cut=0)


def count_tokens(stable: Stable, texts: Sequence[str]) -> list[int]:
    """Count the tokens of texts, the two at the ends among them: more than 77 are cut. Wants the part `text`."""
    if not stable.tokenizers:
        raise UsageError(_WANTS_TEXT)
    with _ONE_AT_A_TIME:
        whole = stable.tokenizers[0](list(texts), truncation=False, verbose=False)["input_ids"]
    return [len(ids) for ids in whole]


def _split_into_tokens(tokenizer: Any, texts: list[str]) -> tuple[Tensor, Tensor]:
    """Ids, N x L, filled up or cut; and of which texts something was cut."""
    longest = tokenizer.model_max_length
    ids = tokenizer(texts, padding="max_length", max_length=longest, truncation=True, return_tensors="pt")
    whole = tokenizer(texts, truncation=False, verbose=False)["input_ids"]
    return ids["input_ids"], torch.tensor([len(row) > longest for row in whole], dtype=torch.bool)


def _choose_layer(encoder: Any, layers: Sequence[Tensor], clip_skip: int, *, is_xl: bool) -> Tensor:
    """Layers are the embedding, then one for each block, none of them normalised."""
    last = 2 if is_xl else 1
    behind = clip_skip + last
    if clip_skip < 0 or behind > len(layers):
        raise UsageError(
            f"clip_skip of 0 to {len(layers) - last} was wanted, got {clip_skip}: the text encoder has "
            f"{len(layers) - 1} layers."
        )
    if is_xl:
        return layers[-behind]
    # Older versions of transformers keep the encoder one level deeper.
    inside = getattr(encoder, "text_model", encoder)
    normalised: Tensor = inside.final_layer_norm(layers[-behind])
    return normalised
