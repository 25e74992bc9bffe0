"""How each kind of model is asked: what its processor makes of pictures and a prompt.

What each wants was read from its code in transformers (`models/blip_2`, `blip`, `git`, `vision_encoder_decoder` and the
processors of chat models) and, for the prompts, from the papers: BLIP-2 (Li et al., ICML 2023), BLIP (Li et al., ICML
2022), GIT (Wang et al., TMLR 2022). Pictures are prepared by transformers' processors of the Pillow backend, by name,
since those of torchvision resample otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from earthloom.core.errors import UsageError
from earthloom.models.captioners.processors import load_chat_processor, load_image_processor, load_tokenizer
from earthloom.models.weights.transformers_files import TransformersFiles

if TYPE_CHECKING:
    from torch import Tensor

MAY_CAPTION = frozenset({"blip-2", "blip", "git", "vision-encoder-decoder"})
"""Model types that caption unasked; the others want a prompt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A batch as a network takes it."""

    inputs: Mapping[str, Tensor]
    prefix: Tensor | None
    """N x T, the tokens that an output may begin with before it says anything new."""


Prepare = Callable[[Sequence[npt.NDArray[np.uint8]], str], Prepared]
"""Makes inputs of pictures (each H x W x 3) and one prompt for all."""


Show = Callable[[Sequence[npt.NDArray[np.uint8]]], "Tensor"]
"""Makes `pixel_values` of pictures alone; for threads, which tokenizers are not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Speech:
    """How a model is asked, and what its tokens mean."""

    prepare: Prepare
    show: Show
    tokenizer: Any


def learn_speech(files: TransformersFiles, config: Any) -> Speech:
    """Load the processors of a model. Raises UsageError where it is of a kind that does not turn pictures into text."""
    prepare = _FAMILIES.get(files.model_type)
    if prepare is None:
        processor = load_chat_processor(files, config)
        return Speech(
            prepare=partial(_ask_chat, processor),
            show=partial(_show, processor.image_processor),
            tokenizer=processor.tokenizer,
        )
    tokenizer = load_tokenizer(files)
    images = load_image_processor(files)
    return Speech(
        prepare=partial(prepare, images, tokenizer, config), show=partial(_show, images), tokenizer=tokenizer
    )


def check_prompt(files: TransformersFiles, prompt: str) -> None:
    """Raise UsageError where a prompt is missing, or is one too many."""
    if files.model_type == "vision-encoder-decoder" and prompt:
        raise UsageError(f"{files.name} captions unasked and takes no prompt: leave `prompt` empty.")
    if files.model_type not in MAY_CAPTION and not prompt.strip():
        raise UsageError(
            f"{files.name} is a model that is asked ({files.model_type}): set "
            "`prompt: Describe this satellite image in one sentence.`"
        )


def _ask_blip2(
    images: Any, tokenizer: Any, config: Any, pictures: Sequence[npt.NDArray[np.uint8]], prompt: str
) -> Prepared:
    """As many image tokens as the Q-Former has queries, then the prompt as the language model wants it."""
    tokens = list(tokenizer(prompt)["input_ids"])
    start = config.text_config.bos_token_id
    if config.use_decoder_only_language_model and tokens[:1] != [start]:
        # OPT was trained with it, and some saved tokenizers of transformers 5 leave it out.
        tokens.insert(0, start)
    if config.image_token_id is None:
        raise UsageError(
            "The configuration has no image_token_index, without which transformers 5 cannot tell where the picture "
            "goes: take a later revision of this BLIP-2, or save it again with transformers 4.46 or later."
        )
    ids = _repeat([config.image_token_id] * config.num_query_tokens + tokens, len(pictures))
    return _join(_show(images, pictures), ids, prefix=ids)


def _ask_blip(
    images: Any, tokenizer: Any, config: Any, pictures: Sequence[npt.NDArray[np.uint8]], prompt: str
) -> Prepared:
    """The prompt between the tokenizer's ends; the network swaps the first for its own and drops the last."""
    ids = _repeat(list(tokenizer(prompt)["input_ids"]), len(pictures))
    prefix = ids[:, :-1].clone()
    prefix[:, 0] = config.text_config.bos_token_id
    return _join(_show(images, pictures), ids, prefix=prefix)


def _ask_git(
    images: Any, tokenizer: Any, config: Any, pictures: Sequence[npt.NDArray[np.uint8]], prompt: str
) -> Prepared:
    """The start token and the prompt, which the network continues."""
    tokens = [config.bos_token_id, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    ids = _repeat(tokens, len(pictures))
    return _join(_show(images, pictures), ids, prefix=ids)


def _ask_encoder_decoder(
    images: Any, _tokenizer: Any, config: Any, pictures: Sequence[npt.NDArray[np.uint8]], _prompt: str
) -> Prepared:
    """Pictures alone. The token that starts a text may be the one that ends it, as in GPT-2."""
    start = config.decoder_start_token_id
    start = config.decoder.bos_token_id if start is None else start
    prefix = None if start is None else _repeat([start], len(pictures))
    return Prepared(inputs={"pixel_values": _show(images, pictures)}, prefix=prefix)


def _ask_chat(processor: Any, pictures: Sequence[npt.NDArray[np.uint8]], prompt: str) -> Prepared:
    """One turn of the user each, with picture and prompt, in the model's own chat template; without one, the prompt."""
    text = prompt
    if processor.chat_template:
        content = [{"type": "image"}, {"type": "text", "text": prompt}]
        turn = [{"role": "user", "content": content}]
        text = processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
    # Left, so that all prompts end where the answers begin.
    processor.tokenizer.padding_side = "left"
    batch = processor(
        images=[[Image.fromarray(picture)] for picture in pictures],
        text=[text] * len(pictures),
        padding=True,
        return_tensors="pt",
    )
    return Prepared(inputs=dict(batch), prefix=batch["input_ids"])


_FAMILIES: Mapping[str, Callable[[Any, Any, Any, Sequence[npt.NDArray[np.uint8]], str], Prepared]] = {
    "blip-2": _ask_blip2,
    "blip": _ask_blip,
    "git": _ask_git,
    "vision-encoder-decoder": _ask_encoder_decoder,
}


def _show(images: Any, pictures: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
    """Prepare pictures, N x 3 x H x W. As Pillow images: of an array of 3 rows the processor would mistake the axes."""
    shown = images([Image.fromarray(picture) for picture in pictures], return_tensors="pt")
    pixels: Tensor = shown["pixel_values"]
    return pixels


def _repeat(tokens: list[int], n: int) -> Tensor:
    import torch

    return torch.tensor([tokens] * n, dtype=torch.long)


def _join(pixels: Tensor, ids: Tensor, prefix: Tensor) -> Prepared:
    import torch

    return Prepared(
        inputs={"pixel_values": pixels, "input_ids": ids, "attention_mask": torch.ones_like(ids)},
        prefix=prefix,
    )
