"""A stand-in for a vision-language model: reads a request as such a model would, and answers as a good one does.

It sees no picture: what a model would see is drawn from words by the picture's hash, what it is told is repeated from
the facts of the prompt. The same request gets the same answer anywhere. Switches make it a worse model.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

ROLES = ("overview", "composition", "arrangement", "conditions", "interpretation")
INVENTED = (
    "The scene near Atlantis Harbour was taken by Hubble at a spatial resolution of 0.07 m in May 1987."
)
REPEATED = "An even stretch of open ground lies under soft light with a few darker patches near one side."

_FACT = re.compile(r"^- ([a-z ]+): (.+)$", re.MULTILINE)
_QUOTED = re.compile(r"^\[quoted ([a-z ]+) [0-9a-f]{16}\]\n(.*)\n\[end", re.MULTILINE)
_OPENINGS = ("The main subject", "The leading theme", "The prevailing cover", "What stands out at once")
_LOOKS = ("smooth", "patchy", "finely textured", "mottled", "streaky", "even", "coarse", "grainy", "dappled")
_PARTS = ("light", "dark", "pale", "bright", "dim", "faint", "sharp", "soft", "blurred", "uneven", "regular")
_SHAPES = ("patches", "strips", "blocks", "bands", "specks", "lines", "curves", "clusters", "corners")
_SIDES = (
    "one side",
    "the edges",
    "the middle of the frame",
    "some of the corners",
    "the whole width of the frame",
)
_SPREAD = ("scattered", "gathered", "strung out", "spread", "set", "arranged", "lined up", "bunched")
_SIGNS = (
    "the regular outlines",
    "the straight edges",
    "the repeated pattern",
    "the sharp borders",
    "the texture",
)
_USES = (
    "is managed by people",
    "is in regular use",
    "was shaped over a long time",
    "is used in several ways",
)
_LIGHT = ("soft", "even", "clear", "diffuse", "strong", "weak", "flat", "slanting")


def answer_like_a_model(
    body: Mapping[str, Any], *, invents: float = 0.0, repeats: float = 0.0, is_stubborn: bool = False
) -> str:
    """Answer the body of a chat completion.

    Args:
        body: as it is sent, with or without the picture's bytes.
        invents: share of pictures for which one caption has invented facts.
        repeats: share of pictures for which all captions are the same.
        is_stubborn: the same faults again when asked to mend them.

    """
    text, picture = _read(body)
    if picture is None:
        return _summarise(text)
    pick = _Draw(picture)
    roles = _find_roles(body, text)
    captions = {role: _write(role, dict(_FACT.findall(text)), pick) for role in roles}
    is_first = roles == ROLES and "An earlier answer" not in text
    if is_first or is_stubborn:
        if pick.share("invents") < invents:
            captions[roles[0]] = INVENTED
        if pick.share("repeats") < repeats:
            captions = dict.fromkeys(roles, REPEATED)
    answer: dict[str, Any] = {"captions": captions}
    return json.dumps({"metadata": _catalogue(dict(_FACT.findall(text)))} | answer if is_first else answer)


class _Draw:
    """Draws words by the picture's hash and a name."""

    def __init__(self, picture: str) -> None:
        self._picture = hashlib.sha256(picture.encode()).hexdigest()

    def __call__(self, words: tuple[str, ...], name: str) -> str:
        return words[self._number(name) % len(words)]

    def share(self, name: str) -> float:
        return self._number(name) / 2**64

    def _number(self, name: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self._picture} {name}".encode()).digest()[:8], "big")


def _read(body: Mapping[str, Any]) -> tuple[str, str | None]:
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content, None
    text = "".join(part["text"] for part in content if part["type"] == "text")
    return text, next(part["image_url"]["url"] for part in content if part["type"] == "image_url")


def _summarise(text: str) -> str:
    quoted = dict(_QUOTED.findall(text))
    words = quoted.get("article", "").split()
    return " ".join(words[:60]) if len(words) > 5 else "NONE"


def _find_roles(body: Mapping[str, Any], text: str) -> tuple[str, ...]:
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    if schema is not None:
        asked = schema["properties"]["captions"]["properties"]
        return tuple(role for role in ROLES if role in asked)
    return tuple(role for role in ROLES if f'"{role}": "..."' in text)


def _catalogue(facts: Mapping[str, str]) -> dict[str, Any]:
    platform = facts.get("platform", "unknown").split(" (")[0]
    resolution = re.search(r"\((\w+(?: High)?)\)", facts.get("spatial resolution", ""))
    return {
        "tags": ["land cover"],
        "location": facts.get("place", "unknown"),
        "modality": "SAR" if "radar" in facts.get("kind", "") else "unknown",
        "platform": f"{platform} satellite" if "satellite" in facts.get("platform", "") else platform,
        "sensor": facts.get("sensor", "unknown"),
        "resolution": resolution[1] if resolution else "unknown",
    }


def _write(role: str, facts: Mapping[str, str], pick: _Draw) -> str:
    subject = _name_subject(facts)
    look, part, shape = (
        pick(_LOOKS, f"{role} look"),
        pick(_PARTS, f"{role} part"),
        pick(_SHAPES, f"{role} shape"),
    )
    side, spread = pick(_SIDES, f"{role} side"), pick(_SPREAD, f"{role} spread")
    match role:
        case "overview":
            place = f" in {facts['place']}" if "place" in facts else ""
            return f"{pick(_OPENINGS, role)}{place} is {subject}, {look} in texture and broken up by {part} {shape}."
        case "composition":
            return f"{shape.capitalize()} of a {part} tone make up the {look} surface, and {subject} stands out best."
        case "arrangement":
            return (
                f"The {part}est {shape} are {spread} along {side}, while the rest of it stays {look}."
                if (part in {"light", "dark", "bright", "sharp", "soft"})
                else f"Several {part} {shape} are {spread} along {side}, while the rest of it stays {look}."
            )
        case "conditions":
            return _write_conditions(facts, pick, look)
    return (
        f"To judge by {pick(_SIGNS, role)} of the {part} {shape}, the {look} ground here {pick(_USES, role)}."
    )


def _write_conditions(facts: Mapping[str, str], pick: _Draw, look: str) -> str:
    kind = "radar image" if "radar" in facts.get("kind", "") else "near-infrared image"
    kind = "optical image" if "optical" in facts.get("kind", "") else kind
    platform = f" from {facts['platform'].split(' (')[0]}" if "platform" in facts else ""
    metres = facts.get("spatial resolution", "").split(" (")[0]
    resolution = f" with a spatial resolution of {metres}" if metres else ""
    weather = facts.get("weather and light", "").split(" (")[0].split(",")[0]
    state = f" under {weather}" if weather else ""
    tone = "backscatter" if "radar" in kind else "light"
    return f"This {kind}{platform}{resolution}{state} has {pick(_LIGHT, 'light')} {tone} and a {look} appearance."


def _name_subject(facts: Mapping[str, str]) -> str:
    if "ground cover by area" in facts:
        return re.split(r" (?:under |over )?\d", facts["ground cover by area"])[0]
    if "scene class" in facts:
        return facts["scene class"].split(" (")[0]
    if "labelled objects" in facts:
        return f"ground with a {facts['labelled objects'].split(':')[0]}"
    return "open ground"
