"""How each kind of captioner is taught: what it reads before it speaks, and which of its logits belong to which token.

What each wants was read from its code in transformers (`models/blip_2`, `blip`, `git`, `vision_encoder_decoder`,
`llava`). What comes before a caption is what `models.captioners.families` makes for asking, so that a model is asked as
it was taught.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from earthloom.core.errors import UsageError
from earthloom.models.captioners.captioner import Captioner
from earthloom.models.captioners.families import Prepared

IGNORED = -100
"""Stands in answers where nothing is to be said: torch's own mark."""
_SIDES = ((48, 64), (64, 48))
"""Of two pictures on which a processor is tried, pixels."""
_TEXT_INPUTS = frozenset({"input_ids", "attention_mask"})


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """What of a captioner is needed to teach it."""

    captioner: Captioner
    prompt: str
    asked: Prepared
    """One picture and the prompt."""
    answers_apart: bool
    """True where the prompt goes into an encoder and the answer into a decoder."""
    start: int | None
    """Where they are apart: the token that the decoder starts with."""
    end: int
    """The token that ends a caption."""

    @property
    def prefix(self) -> Tensor:
        """1 x T: what a decoder reads before a caption; its logits are of no interest."""
        if self.answers_apart:
            return torch.tensor([[self.start]])
        assert self.asked.prefix is not None
        return self.asked.prefix

    @property
    def levels(self) -> tuple[Tensor, Tensor]:
        """What the processor makes of black and of white, 3 x 1 x 1 each."""
        plain = [np.full((*_SIDES[0], 3), level, np.uint8) for level in (0, 255)]
        black, white = self.captioner.show(plain).mean((2, 3), keepdim=True)
        return black, white

    def tokenize(self, caption: str) -> list[int]:
        """Tokens of a caption as it goes on after the prompt, with the one that ends it."""
        tokenizer = self.captioner.tokenizer
        tokens: list[int] = tokenizer(caption, add_special_tokens=False)["input_ids"]
        if self.prompt and not self.answers_apart:
            head = tokenizer(self.prompt, add_special_tokens=False)["input_ids"]
            whole = tokenizer(f"{self.prompt} {caption}", add_special_tokens=False)["input_ids"]
            if whole[: len(head)] == head and not self._has_template:
                tokens = whole[len(head) :]
        return [*tokens, self.end]

    @property
    def _has_template(self) -> bool:
        """Whether words of the model's own stand between prompt and answer."""
        return bool(getattr(self.captioner.tokenizer, "chat_template", None))

    def arrange(self, pixels: Tensor, answer: Tensor) -> dict[str, Tensor]:
        """What the network's forward takes.

        Args:
            pixels: N x 3 x H x W, as the processor makes them.
            answer: N x A, tokens of captions, filled up with `IGNORED`.

        """
        said = answer.masked_fill(answer == IGNORED, self.captioner.tokenizer.pad_token_id)
        prefix = self.prefix.to(answer.device).expand(len(answer), -1)
        if self.answers_apart:
            texts = {name: self.asked.inputs[name] for name in _TEXT_INPUTS & set(self.asked.inputs)}
            repeated = {
                name: values.to(answer.device).expand(len(answer), -1) for name, values in texts.items()
            }
            heard = torch.cat([prefix, said[:, :-1]], dim=1)
            return {"pixel_values": pixels, "decoder_input_ids": heard, **repeated}
        ids = torch.cat([prefix, said], dim=1)
        mask = torch.cat([torch.ones_like(prefix), (answer != IGNORED).long()], dim=1)
        return {"pixel_values": pixels, "input_ids": ids, "attention_mask": mask}

    def grade(self, logits: Tensor, answer: Tensor) -> Tensor:
        """Mean over all tokens of captions of minus the logarithm of their probability (nats).

        Args:
            logits: N x L x V; those of the answer are the last ones.
            answer: as in `arrange`.

        """
        n = answer.shape[1]
        told = logits[:, -n:] if self.answers_apart else logits[:, -n - 1 : -1]
        return cross_entropy(told.flatten(0, 1).float(), answer.flatten(), ignore_index=IGNORED)

    def ask(self, pixels: Tensor) -> list[str]:
        """Captions that the network writes for prepared pictures, N x 3 x H x W."""
        n = len(pixels)
        texts = {name: self.asked.inputs[name].repeat(n, 1) for name in _TEXT_INPUTS & set(self.asked.inputs)}
        prefix = None if self.asked.prefix is None else self.asked.prefix.repeat(n, 1)
        spoken = self.captioner.speak(Prepared(inputs={"pixel_values": pixels, **texts}, prefix=prefix))
        return [said.text for said in spoken]


def learn_teaching(captioner: Captioner, prompt: str) -> Teaching:
    """Find out how a captioner is taught.

    Raises:
        UsageError: it sees pictures each at its own size, or wants to be told more than pictures and tokens.

    """
    trials = [captioner.prepare([np.full((*side, 3), 128, np.uint8)], prompt) for side in _SIDES]
    _check_inputs(captioner.name, trials)
    config = captioner.network.config
    answers_apart = config.model_type == "vision-encoder-decoder" or (
        config.model_type == "blip-2" and not config.use_decoder_only_language_model
    )
    return Teaching(
        captioner=captioner,
        prompt=prompt,
        asked=trials[0],
        answers_apart=answers_apart,
        start=_find_start(config) if answers_apart else None,
        end=_find_end(captioner),
    )


def _check_inputs(name: str, trials: Sequence[Prepared]) -> None:
    first, second = (trial.inputs for trial in trials)
    odd = sorted(set(first) - _TEXT_INPUTS - {"pixel_values"})
    if odd or any(first[key].shape != second[key].shape for key in first):
        wants = f"wants {', '.join(odd)} besides" if odd else "sees each picture at its own size"
        raise UsageError(
            f"{name} cannot be taught here: it {wants}. BLIP-2, BLIP, GIT, ViT-GPT2 and LLaVA 1.5 can."
        )


def _find_start(config: Any) -> int:
    """The token that a decoder of its own starts with."""
    text = config.text_config if config.model_type == "blip-2" else config
    start = text.decoder_start_token_id
    return int(config.decoder.bos_token_id if start is None else start)


def _find_end(captioner: Captioner) -> int:
    """The token that ends a text, wherever a model keeps it; of several the tokenizer's own.

    BLIP-2 with OPT ends with a line break, as its configuration says, and not with the tokenizer's end.
    """
    network, tokenizer = captioner.network, captioner.tokenizer
    if network.config.model_type in {"blip", "git"}:
        return int(tokenizer.sep_token_id)
    speaking = (network, getattr(network, "language_model", None))
    configs = [getattr(model, "generation_config", None) for model in speaking]
    configs.append(network.config.get_text_config(decoder=True))
    found = next(
        (end for config in configs if (end := getattr(config, "eos_token_id", None)) is not None), None
    )
    if found is None or (isinstance(found, list) and tokenizer.eos_token_id in found):
        return int(tokenizer.eos_token_id)
    return int(found[0] if isinstance(found, list) else found)
