"""Write the fields of training recipes into docs/training.md: `python docs/make_training_reference.py`.

The tables are made as those of docs/recipe.md are; what stands around them is written by hand.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection
from earthloom.train.blip2.config import Blip2Recipe
from earthloom.train.clip.config import ClipRecipe, FreshSettings
from earthloom.train.clip.config import LoraSettings as ClipLoraSettings
from earthloom.train.controlnet.config import ControlNetRecipe
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.tiny.config import TinyRecipe
from earthloom.train.translation.config import TranslationRecipe

TARGET = Path(__file__).with_name("training.md")
BEGIN, END = "<!-- Fields: made by docs/make_training_reference.py -->\n", "<!-- End of the fields -->\n"

EXAMPLES = Path(__file__).parents[1] / "examples"
TRANSLATION = """\
train: translation
name: snow
from: {release: tiles-work, effects: [clear], split: [train]}
to: {folder: real-snow}
method: fastcut
crop: 256
steps: 20000
"""


def read_example(name: str) -> str:
    """A committed recipe without the remarks above it."""
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))


SECTIONS: tuple[tuple[str, type[Settings], str], ...] = (
    ("A recipe for a tiny painter", TinyRecipe, read_example("tiny_eurosat.yaml")),
    ("A recipe for LoRA", LoraRecipe, read_example("lora_sd15.yaml")),
    ("A recipe for a ControlNet", ControlNetRecipe, read_example("controlnet_rgb_to_sar.yaml")),
    ("A recipe for CLIP", ClipRecipe, read_example("clip_rsicd.yaml")),
    ("CLIP from scratch", FreshSettings, "{side: 128, patch: 16, width: 192, layers: 4}\n"),
    ("LoRA for CLIP", ClipLoraSettings, "{rank: 16, alpha: 16}\n"),
    ("A recipe for BLIP-2", Blip2Recipe, read_example("blip2_lora.yaml")),
    ("A recipe for translation", TranslationRecipe, TRANSLATION),
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
