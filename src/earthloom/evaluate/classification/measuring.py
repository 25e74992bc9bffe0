"""A test of classification, from its recipe to its figures."""

from __future__ import annotations

from earthloom.core.errors import UsageError
from earthloom.evaluate.benchmarks.names import tabulate_measured
from earthloom.evaluate.benchmarks.opening import open_tested
from earthloom.evaluate.classification.config import ClassificationRecipe
from earthloom.evaluate.classification.probes import probe
from earthloom.evaluate.classification.zero_shot import Part, classify_by_words, list_labels, make_prompts
from earthloom.evaluate.duals import open_dual_encoder
from earthloom.evaluate.encoders import open_encoders
from earthloom.evaluate.seeing import see_entries
from earthloom.evaluate.work import Outcome, Work
from earthloom.models.encoders.encoder import name_encoder


def measure_classification(recipe: ClassificationRecipe, work: Work) -> Outcome:
    """Tell the classes of pictures, by words and by probes.

    Raises:
        UsageError: the pictures or a model are not there, or no picture has a class.
        RunError: no picture can be used.

    """
    tested = open_tested(recipe, work, "classes")
    dual = None if recipe.clip is None else open_dual_encoder(recipe.clip, work.base)
    encoders = open_encoders(recipe.encoders, work.base)
    entries = [entry for entry in tested.opened.entries if list_labels(entry, recipe)]
    if not entries:
        raise UsageError(
            f"{tested.opened.place}: pictures with a class were wanted, in folders of their classes or with labels."
        )
    prompts = None if dual is None else make_prompts(entries, tested.benchmark, recipe)
    # All see the same pictures, so that their figures compare; a CLIP may be asked both ways and is then asked once.
    asked = {name_encoder(encoder) for encoder in encoders}
    towers = [] if dual is None or dual.name in asked else [dual.encoder]
    kept, features = see_entries(entries, [*towers, *encoders], work, recipe.cache)
    parts: list[Part] = []
    if dual is not None and prompts is not None:
        parts.append(classify_by_words(kept, features[dual.name], prompts, dual, recipe, work))
    parts += probe(kept, features, encoders, recipe, work)
    notes = list(tested.notes)
    n_unlabelled = len(tested.opened.entries) - len(entries)
    if n_unlabelled:
        notes.append(f"{n_unlabelled:,} pictures have no class and were left out.")
    measured = tabulate_measured(tested.benchmark) if tested.benchmark and dual else None
    return Outcome(
        sets=(work.inform(tested.opened, kept),),
        figures=tuple(figure for part in parts for figure in part.figures),
        encoders={name: rule for part in parts for name, rule in part.encoders.items()},
        rules={name: rule for part in parts for name, rule in part.rules.items()},
        tables=(*((measured,) if measured else ()), *(table for part in parts for table in part.tables)),
        notes=(*notes, *dict.fromkeys(note for part in parts for note in part.notes)),
    )
