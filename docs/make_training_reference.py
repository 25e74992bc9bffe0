"""Write the fields of training recipes into docs/training.md: `python docs/make_training_reference.py`.

The tables are those of docs/reference.py; what stands around them is written by hand.
"""

from __future__ import annotations

from pathlib import Path

from reference import Reference, Section, put_between, read_example

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

TRANSLATION = """\
train: translation
name: snow
from: {release: tiles-work, effects: [clear], split: [train]}
to: {folder: real-snow}
method: fastcut
crop: 256
steps: 20000
"""


SECTIONS: tuple[Section, ...] = (
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
    made = Reference(sections=SECTIONS).render()
    return put_between(TARGET.read_text(encoding="utf-8"), BEGIN, f"\n{made}\n", END)


if __name__ == "__main__":
    main()
