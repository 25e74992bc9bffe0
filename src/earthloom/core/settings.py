"""The base of every part of a recipe: frozen, closed, and hashable by content."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict

from earthloom.core.ids import hash_json


class Settings(BaseModel):
    """A frozen set of fields; an unknown field is a fault, not a silence."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        ser_json_inf_nan="strings",  # `nodata: .nan` has a digest too
        defer_build=True,  # a worker validates nothing, and forty schemas take a tenth of a second
    )

    def digest(self) -> str:
        """Hash of all fields: equal settings, equal digest."""
        return hash_json(json.loads(self.model_dump_json()))
