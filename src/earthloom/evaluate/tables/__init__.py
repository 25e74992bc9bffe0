"""Tables that evaluations go by: benchmarks, class names, templates, what prompts mention; each has a version."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

TableName = Literal["benchmarks", "classes", "mentions", "templates"]


@cache
def read_table(name: TableName) -> dict[str, Any]:
    """The entries of a table by their names."""
    import tomllib

    return tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
