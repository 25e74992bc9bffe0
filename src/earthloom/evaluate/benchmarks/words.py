"""The words of zero-shot classification: class names and the sentences that they are put into, with their versions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earthloom.core.errors import UsageError
from earthloom.evaluate.tables import read_table

PLAIN, OWN = "plain", "own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompts:
    """Sentences about classes."""

    classes: tuple[str, ...]
    """Labels, sorted."""
    names: tuple[str, ...]
    """The words of each class."""
    templates: tuple[str, ...]
    """Sentences with `{}` for the words of a class."""
    wording: str
    """Which names these are, such as `eurosat:clip@1`."""
    template_set: str
    """Which sentences, such as `clip-eurosat@1`."""

    @property
    def texts(self) -> list[str]:
        """All sentences, those of the first class first."""
        return [template.replace("{}", name) for name in self.names for template in self.templates]


def list_folders(benchmark: str) -> tuple[str, ...]:
    """The classes of a test set, by their folders."""
    return tuple(read_table("classes")[benchmark][PLAIN])


def list_template_sets() -> tuple[str, ...]:
    """Names of the sets of templates that come with earthloom."""
    return tuple(read_table("templates"))


def name_classes(
    labels: Sequence[str], *, benchmark: str | None, wording: str | None, own: Mapping[str, str]
) -> tuple[tuple[str, ...], str]:
    """Give the words of classes, and the name of the wording.

    Args:
        labels: of the classes.
        benchmark: whose classes they are; None for labels of one's own.
        wording: of a benchmark: which one; `plain` where none is named.
        own: words for labels, which go before all others.

    Raises:
        UsageError: a benchmark has no such wording, or words are given for what is none of its classes.

    """
    chosen = wording or PLAIN
    table: Mapping[str, str] = {}
    version = ""
    if benchmark is not None:
        told = read_table("classes")[benchmark]
        wordings = [name for name, value in told.items() if isinstance(value, dict)]
        if chosen not in wordings:
            raise UsageError(f"{benchmark} has the wordings {', '.join(wordings)}, got {chosen!r}.")
        if strange := sorted(own.keys() - set(labels)):
            raise UsageError(
                f"classes: words for {', '.join(labels)} were wanted, got some for {', '.join(strange)}, which "
                f"{'is' if len(strange) == 1 else 'are'} no class of {benchmark}."
            )
        table, version = told[chosen], f"{benchmark}:{chosen}@{told['version']}"
    names = tuple(own.get(label) or table.get(label) or split_name(label) for label in labels)
    named = [version or "labels in words", *(["and words of the recipe's own"] if own else [])]
    return names, " ".join(named)


def choose_templates(chosen: str | Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Give the sentences of a set by its name, or of one's own, and what they are called.

    Raises:
        UsageError: there is no such set, or a sentence has no place `{}` for the class.

    """
    if not isinstance(chosen, str):
        wrong = [template for template in chosen if "{}" not in template]
        if wrong or not chosen:
            raise UsageError(f"Templates with {{}} for the class were wanted, got {wrong or 'none'}.")
        return tuple(chosen), OWN
    if chosen not in read_table("templates"):
        raise UsageError(f"Templates of {', '.join(list_template_sets())} were wanted, got {chosen!r}.")
    told = read_table("templates")[chosen]
    views = told.get("views", [""])
    sentences = tuple(template.replace("{view}", view) for template in told["templates"] for view in views)
    return sentences, f"{chosen}@{told['version']}"


def split_name(label: str) -> str:
    """A label in words: `StorageTanks` and `storage_tanks` are `storage tanks`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", label)
    return " ".join(re.split(r"[\s_\-]+", parted)).strip().lower() or label
