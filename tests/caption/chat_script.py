"""Conversations with a scripted model: what it answers, request by request, and what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from caption_records import make_scene, make_tile

from earthloom.caption.asking import Answer, Request, Written, follow
from earthloom.caption.chat import read_prompts, write_chat
from earthloom.caption.config import ChatSettings
from earthloom.caption.facts import gather
from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Scene, Text, Tile

PROMPTS = read_prompts("gaia-1")
PICTURE_HASH = "5e" * 32
GOOD = {
    "overview": "Farmland with a winding river takes up most of this aerial view, edged by woodland on two sides.",
    "composition": "Long ploughed strips in brown and green alternate with a dark water course and dense tree crowns.",
    "arrangement": "The river runs from the upper left to the lower right and parts the strips into two groups.",
    "conditions": "Short shadows and an open sky make for an evenly lit optical scene without haze or snow.",
    "interpretation": "Parallel furrows and straight borders suggest that the land along the water is being farmed.",
}
METADATA = {
    "tags": ["agriculture", "river"],
    "location": "unknown",
    "modality": "optical",
    "platform": "unknown",
    "sensor": "unknown",
    "resolution": "unknown",
}

Step = str | Answer | RecordError | Callable[[Request], str]


def reply(captions: object = None, metadata: object = METADATA) -> str:
    """An answer in the form that is asked for."""
    return json.dumps({"metadata": metadata, "captions": GOOD if captions is None else captions})


def make_field(*texts: Text, **facts: Any) -> tuple[Scene, Tile]:
    """An optical picture of which nothing is known but what is given."""
    scene = make_scene(modality=Modality.RGB, texts=texts, **facts)
    return scene, make_tile(sha256=PICTURE_HASH, gsd_m=facts.get("gsd_x_m"))


@dataclass
class Script:
    """A model that answers in turn; its last answer is given from there on."""

    steps: tuple[Step, ...]
    asked: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        step = self.steps[min(len(self.asked), len(self.steps) - 1)]
        self.asked.append(request)
        if isinstance(step, RecordError):
            raise step
        if isinstance(step, Answer):
            return step
        return Answer(text=step if isinstance(step, str) else step(request))

    @property
    def purposes(self) -> list[str]:
        return [request.purpose for request in self.asked]

    def text(self, i: int) -> str:
        """What the user's turn of a request says."""
        content = self.asked[i].body["messages"][1]["content"]
        return str(content if isinstance(content, str) else content[0]["text"])


def converse(record: tuple[Scene, Tile], script: Script, *, max_tokens: int = 77, **settings: Any) -> Written:
    """Lead a conversation about a picture to its end."""
    scene, tile = record
    tile = replace(tile, sha256=tile.sha256 or PICTURE_HASH)
    chat = ChatSettings(**({"model": "gpt-4o-2024-08-06"} | settings))
    return follow(write_chat(gather(scene, tile), scene, tile, chat, PROMPTS, max_tokens), script)
