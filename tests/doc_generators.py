"""The scripts that make pages of documentation, loaded as modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).resolve().parent.parent / "docs"


def load_generator(name: str) -> ModuleType:
    """A fresh copy of a script in docs/, such as `make_recipe_reference`."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(DOCS))  # as Python does for a script: they share modules that lie beside them
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(DOCS))
    return module


def check_page(name: str, page: str) -> None:
    """Fails where a page of docs/ is not what its script would write now."""
    made = load_generator(name).render()
    assert (DOCS / page).read_text(encoding="utf-8") == made, f"run python docs/{name}.py"
