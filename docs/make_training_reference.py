"""Write the fields of training recipes into docs/training.md: `python docs/make_training_reference.py`.

The tables are made as those of docs/recipe.md are; what stands around them is written by hand.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection
from earthloom.train.translation.config import TranslationRecipe

TARGET = Path(__file__).with_name("training.md")
BEGIN, END = "<!-- Fields: made by docs/make_training_reference.py -->\n", "<!-- End of the fields -->\n"

EXAMPLE = """\
train: translation
name: snow
from: {release: tiles-work, effects: [clear], split: [train]}
to: {folder: real-snow}
method: fastcut
crop: 256
steps: 20000
"""

SECTIONS: tuple[tuple[str, type[Settings], str], ...] = (
    ("A recipe for translation", TranslationRecipe, EXAMPLE),
    ("Pictures", Selection, "{release: tiles-work, effects: [clear], split: [train], gsd_m: [0, 2]}\n"),
)


def main() -> None:
    """Write the tables."""
    TARGET.write_text(render(), encoding="utf-8")


def render() -> str:
    """The whole page, with its tables as they should be."""
    reference = load_reference()
    reference.SECTIONS = SECTIONS  # where a field that is a group of fields finds the heading of that group
    made = "\n".join(reference._render_section(*section) for section in SECTIONS)
    before, _, rest = TARGET.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{TARGET} lacks {BEGIN.strip()} or {END.strip()}"
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def load_reference() -> ModuleType:
    """A copy of our own of the module that makes docs/recipe.md."""
    spec = importlib.util.spec_from_file_location(
        "recipe_reference", Path(__file__).with_name("make_recipe_reference.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
