"""Write the fields of evaluation recipes into docs/evaluate.md: `python docs/make_evaluation_reference.py`.

The tables are made as those of docs/recipe.md are; what stands around them is written by hand.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from earthloom.core.settings import Settings
from earthloom.evaluate.alignment.config import AlignmentRecipe
from earthloom.evaluate.captioning.config import CaptionerSettings, CaptioningRecipe
from earthloom.evaluate.classification.config import ClassificationRecipe
from earthloom.evaluate.config import PictureSet
from earthloom.evaluate.crossmodal.config import CrossModalRecipe
from earthloom.evaluate.duals import DualSettings
from earthloom.evaluate.encoders import EncoderSettings
from earthloom.evaluate.generation.config import GenerationRecipe
from earthloom.evaluate.retrieval.config import RetrievalRecipe
from earthloom.evaluate.scenes.recipe import SceneRecipe

TARGET = Path(__file__).with_name("evaluate.md")
EXAMPLES = Path(__file__).parents[1] / "examples"
BEGIN, END = "<!-- Fields: made by docs/make_evaluation_reference.py -->\n", "<!-- End of the fields -->\n"
SCENES = """\
evaluate: scenes
name: weather
release: scenes-work
real: {fog: real-fog}
"""


def read_example(name: str) -> str:
    """A committed recipe without the remarks above it."""
    lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))


SECTIONS: tuple[tuple[str, type[Settings], str], ...] = (
    ("A recipe for generation", GenerationRecipe, read_example("evaluate_generation.yaml")),
    ("A recipe for alignment", AlignmentRecipe, read_example("evaluate_alignment.yaml")),
    ("A recipe for radar and near infrared", CrossModalRecipe, read_example("evaluate_crossmodal.yaml")),
    ("A recipe for scenes", SceneRecipe, SCENES),
    ("A recipe for classification", ClassificationRecipe, read_example("evaluate_classification.yaml")),
    ("A recipe for retrieval", RetrievalRecipe, read_example("evaluate_retrieval.yaml")),
    ("A recipe for captioning", CaptioningRecipe, read_example("evaluate_captioning.yaml")),
    ("A set of pictures", PictureSet, "{release: eurosat, split: [test], limit: 1000}\n"),
    ("An encoder", EncoderSettings, "{name: dinov2, weights: weights/dinov2-large}\n"),
    ("A dual encoder", DualSettings, "{model: weights/clip-vit-base-patch32}\n"),
    ("A captioner", CaptionerSettings, "{model: models/blip2-opt-2.7b}\n"),
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
