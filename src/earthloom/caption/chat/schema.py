"""The form of an answer: as a JSON schema, and in words for servers that take none.

Captions are an object with one field for each role and no list, so that a server that keeps to the schema can neither
leave a role out nor give one twice. Only keywords that OpenAI's strict mode takes stand in it: every object closed,
every field required, no lengths and no counts (developers.openai.com/api/docs/guides/structured-outputs).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from earthloom.caption.rules.frames import Role
from earthloom.geo.levels import ResolutionWord

Structured = Literal["json_schema", "json_object", "none"]

UNKNOWN = "unknown"
_RESOLUTIONS = (UNKNOWN, *(word.value for word in ResolutionWord))


class Metadata(BaseModel):
    """What a model says about an image for a catalogue; any of it may be `unknown`."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    tags: list[str] = []
    location: str = UNKNOWN
    modality: str = UNKNOWN
    platform: str = UNKNOWN
    sensor: str = UNKNOWN
    resolution: str = UNKNOWN


def make_response_format(
    structured: Structured, roles: Sequence[Role], *, metadata: bool
) -> dict[str, Any] | None:
    """The field `response_format` of a request; None where the server is told in words alone."""
    if structured == "none":
        return None
    if structured == "json_object":
        return {"type": "json_object"}
    schema = _make_schema(roles, metadata)
    return {"type": "json_schema", "json_schema": {"name": "captions", "strict": True, "schema": schema}}


def describe_form(structured: Structured, roles: Sequence[Role], *, metadata: bool) -> str:
    """Say in words how to answer; with an example where there is no schema."""
    if structured == "json_schema":
        return "Answer with one JSON object as the schema has it."
    example: dict[str, Any] = {"captions": {role.value: "..." for role in roles}}
    if metadata:
        fields = dict.fromkeys(("location", "modality", "platform", "sensor", "resolution"), "...")
        example = {"metadata": {"tags": ["...", "..."]} | fields} | example
    return f"Answer with one JSON object of this form, and nothing else:\n{json.dumps(example)}"


def _make_schema(roles: Sequence[Role], metadata: bool) -> dict[str, Any]:
    text = {"type": "string"}
    captions = _close({role.value: text for role in roles})
    if not metadata:
        return _close({"captions": captions})
    fields: dict[str, Any] = {"tags": {"type": "array", "items": text}}
    fields |= dict.fromkeys(("location", "modality", "platform", "sensor"), text)
    fields["resolution"] = {"type": "string", "enum": list(_RESOLUTIONS)}
    return _close({"metadata": _close(fields), "captions": captions})


def _close(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
