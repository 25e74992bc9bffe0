"""What was read from each picture beside what its prompt asked for, so that sets of the same prompts can be paired."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from earthloom.core.errors import UsageError
from earthloom.store.atomic import write_text
from earthloom.store.layout import EvaluationFolder


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """One attribute of one generated picture, as a probe reads it."""

    key: str
    """The picture."""
    prompt_key: str | None
    """Id of the pair whose caption was its prompt."""
    attribute: str
    """Such as `scene`."""
    encoder: str
    """`name@version` of the features that were read."""
    asked: str
    seen: str

    @property
    def is_shown(self) -> bool:
        """Whether the picture shows what was asked for."""
        return self.asked == self.seen


def write_verdicts(folder: Path, verdicts: Iterable[Verdict]) -> None:
    """Write one JSON line a verdict beside the result of an evaluation, sorted."""
    lines = sorted(json.dumps(asdict(each), sort_keys=True, ensure_ascii=False) for each in verdicts)
    write_text(EvaluationFolder(folder).verdicts, "".join(f"{line}\n" for line in lines))


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """The verdicts of an evaluation; empty where it keeps none.

    Raises:
        UsageError: the file cannot be read, or is no list of verdicts.

    """
    path = EvaluationFolder(folder).verdicts
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(Verdict(**json.loads(line)) for line in lines)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path} is no list of verdicts: {error}.") from error
