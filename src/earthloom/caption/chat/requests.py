"""Requests to a chat model, exactly as they are sent but for the pixels. Equal facts give equal bytes anywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from earthloom.caption.asking import PICTURE, Purpose, Request
from earthloom.caption.chat.prompts import Prompt, Prompts, fill
from earthloom.caption.chat.quoting import quote
from earthloom.caption.chat.schema import describe_form, make_response_format
from earthloom.caption.checks import MAX_WORDS, MIN_WORDS
from earthloom.caption.config import ChatSettings
from earthloom.caption.rules.frames import Role

ROLES = tuple(Role)
_NO_FACTS = "- none are given; rely on what you see"
_NO_TEXTS = "No text was published with it."
_WORDS_PER_TOKEN = 0.62
"""Of CLIP: RSICD's captions have 1.2 tokens a word, dense ones with numbers 1.4, and few over 1.6."""
_LETTERS_PER_TOKEN = 3.5
_BYTES_PER_FOREIGN_TOKEN = 2.0
"""Both rather low, so that estimates are high: GPT-4o's tokenizer takes some 4 English letters a token, and letters
of other scripts are two to four bytes each."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Writes the requests about one picture."""

    settings: ChatSettings
    prompts: Prompts
    tile_id: str
    picture: str
    """SHA-256 of its bytes, in hex."""
    facts: str
    """As a list; empty where the model is to have none."""
    max_tokens: int
    """Of CLIP, for one caption; 0: no limit."""

    def ask_summary(self, quotes: str) -> Request:
        """Ask for the gist of quoted texts; no picture goes with it."""
        prompt = self.prompts.summary
        model = self.settings.summary_model or self.settings.model
        return self._ask("summary", model, prompt.system, fill(prompt.user, {"texts": quotes}), None)

    def ask_captions(self, quotes: str) -> Request:
        """Ask for metadata and five captions."""
        return self._ask_about_picture("captions", self.prompts.captions, ROLES, {"texts": quotes})

    def ask_again(self, quotes: str, roles: Sequence[Role], faults: Sequence[str], attempt: str) -> Request:
        """Ask for the captions of some roles once more, with the faults named."""
        values = {
            "texts": quotes,
            "roles": ", ".join(role.value for role in roles),
            "faults": "\n".join(f"- {fault}" for fault in faults),
            "attempt": attempt,
        }
        return self._ask_about_picture("repair", self.prompts.repair, roles, values)

    @cached_property
    def _limits(self) -> dict[str, str]:
        most = MAX_WORDS
        if self.max_tokens:
            most = min(most, max(MIN_WORDS, int(_WORDS_PER_TOKEN * (self.max_tokens - 2))))
        return {"min_words": str(MIN_WORDS), "max_words": str(most)}

    def _ask_about_picture(
        self, purpose: Purpose, prompt: Prompt, roles: Sequence[Role], values: Mapping[str, str]
    ) -> Request:
        structured, has_metadata = self.settings.structured, purpose == "captions"
        form = describe_form(structured, roles, metadata=has_metadata)
        filled = {"facts": self.facts or _NO_FACTS, "form": form, **self._limits, **values}
        return self._ask(
            purpose,
            self.settings.model,
            fill(prompt.system, self._limits),
            self._show_picture(fill(prompt.user, filled)),
            make_response_format(structured, roles, metadata=has_metadata),
        )

    def _show_picture(self, text: str) -> list[dict[str, Any]]:
        link = {"url": f"{PICTURE}{self.picture}", "detail": self.settings.detail}
        return [{"type": "text", "text": text}, {"type": "image_url", "image_url": link}]

    def _ask(
        self,
        purpose: Purpose,
        model: str,
        system: str,
        content: str | list[dict[str, Any]],
        response_format: dict[str, Any] | None,
    ) -> Request:
        settings, has_picture = self.settings, not isinstance(content, str)
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": content}],
            settings.output_tokens_field: settings.max_output_tokens,
        }
        optional = {
            "temperature": settings.temperature,
            "seed": settings.seed,
            "response_format": response_format,
        }
        body |= {name: value for name, value in optional.items() if value is not None}
        return Request(
            author="chat",
            purpose=purpose,
            tile_id=self.tile_id,
            model=model,
            revision=settings.revision if model == settings.model else "",
            body=body,
            picture=self.picture if has_picture else None,
            tokens_in=estimate_tokens(body) + (settings.image_tokens if has_picture else 0),
            tokens_out=settings.max_output_tokens,
        )


def fence(texts: Mapping[str, str]) -> str:
    """Quote texts by their kind, each fenced; a sentence where there are none."""
    quotes = [quote(kind, text) for kind, text in texts.items() if text]
    return "\n\n".join(["Quoted texts that were published with it:", *quotes]) if quotes else _NO_TEXTS


def estimate_tokens(body: Mapping[str, Any]) -> int:
    """Estimate the tokens of a body without its picture, rather too high."""
    text = json.dumps(body, ensure_ascii=False)
    n_ascii = sum(letter.isascii() for letter in text) if not text.isascii() else len(text)
    n_foreign_bytes = len(text.encode()) - n_ascii
    return math.ceil(n_ascii / _LETTERS_PER_TOKEN + n_foreign_bytes / _BYTES_PER_FOREIGN_TOKEN)
