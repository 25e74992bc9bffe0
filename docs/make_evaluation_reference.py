"""Write the fields of evaluation recipes into docs/evaluate.md: `python docs/make_evaluation_reference.py`.

The tables are those of docs/reference.py; what stands around them is written by hand.
"""

from __future__ import annotations

from pathlib import Path

from reference import Reference, Section, put_between, read_example

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
BEGIN, END = "<!-- Fields: made by docs/make_evaluation_reference.py -->\n", "<!-- End of the fields -->\n"
SCENES = """\
evaluate: scenes
name: weather
release: scenes-work
real: {fog: real-fog}
"""


SECTIONS: tuple[Section, ...] = (
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
    made = Reference(sections=SECTIONS).render()
    return put_between(TARGET.read_text(encoding="utf-8"), BEGIN, f"\n{made}\n", END)


if __name__ == "__main__":
    main()
