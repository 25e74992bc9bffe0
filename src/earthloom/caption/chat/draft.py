"""The captions of one picture while they are being written: what stands, what failed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from earthloom.caption.chat.quoting import tame
from earthloom.caption.chat.replies import Reply, show
from earthloom.caption.chat.requests import ROLES
from earthloom.caption.checks import Check, Finding, Known, find_alike, judge
from earthloom.caption.dropping import MAX_LETTERS, drop
from earthloom.caption.rules.frames import Role
from earthloom.core.errors import RecordError
from earthloom.core.records import Caption, Dropped, Reason

STYLE = "gaia"
ANSWER = "answer"
"""The check that an answer of the wrong form fails."""
_MAX_EVIDENCE = 300
_KNOWN = " (known: "
"""What `earthloom.caption.checks.evidence` puts before the facts that a fault contradicts."""


@dataclass
class Draft:
    """Takes replies, keeps what passes the checks, and says what to ask for again."""

    author: str
    known: Known
    max_tokens: int
    kept: dict[Role, Caption] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What was wrong with the last reply, as the model is told."""
    is_parroted: bool = False
    """True once an answer came that other pictures got too: asking such a model again is no use."""

    @property
    def missing(self) -> tuple[Role, ...]:
        """Roles without a caption, in their order."""
        return tuple(role for role in ROLES if role not in self.kept)

    @property
    def captions(self) -> tuple[Caption, ...]:
        """What passed, in the order of the roles."""
        return tuple(self.kept[role] for role in ROLES if role in self.kept)

    def take(self, reply: Reply) -> None:
        """Check what a reply holds for the roles that are missing."""
        self.faults = []
        if reply.useless is not None:
            self.note("", reply.useless)
            said = "none came" if reply.is_from_server else tame(reply.useless, _MAX_EVIDENCE)
            self.faults.append(f"the whole answer: {said}")
        for note in reply.notes:
            self.note("", note)
        for role, (text, fault) in reply.faulty.items():
            self._drop(role, text, ANSWER, fault)
        if reply.is_parroted:
            self._refuse(reply.captions)
        else:
            self._take_captions(reply.captions)

    def note(self, text: str, fault: str, role: str = ANSWER) -> None:
        """Keep what was wrong with an answer and cost no caption by itself."""
        self.dropped.append(self._describe(text, role, ANSWER, fault))

    @property
    def has_read_any(self) -> bool:
        """True where any caption could be read, were it only to fail its checks."""
        return bool(self.kept) or any(entry.check != ANSWER for entry in self.dropped)

    def explain(self) -> RecordError:
        """Why no answer could be read."""
        found = "; ".join(
            f"{entry.role}: {entry.check}: {entry.evidence}" for entry in self.dropped[-len(ROLES) :]
        )
        return RecordError(
            Reason.BAD_ANSWER, f"wanted captions from {self.author}, got none that can be used ({found})"
        )

    def _refuse(self, texts: dict[Role, str]) -> None:
        self.is_parroted = True
        for role, text in texts.items():
            self._drop(
                role, text, Check.GENERIC.value, "the model gave this answer for several other pictures too"
            )

    def _take_captions(self, texts: dict[Role, str]) -> None:
        passed: dict[Role, Caption] = {}
        for role, text in texts.items():
            judged = judge(text, self.known, max_tokens=self.max_tokens)
            if judged.faults:
                first, evidence = judged.faults[0].check.value, _join(judged.faults)
                self._drop(role, text, first, evidence, told=_name_words(judged.faults))
            else:
                passed[role] = self._sign(role, text, tuple(check.value for check in judged.checks))
        self._keep_unlike(passed)

    def _keep_unlike(self, passed: dict[Role, Caption]) -> None:
        """Keep what says something else than the captions before it; those kept earlier come first."""
        before = [caption.text for caption in self.captions]
        alike = set(find_alike([*before, *(caption.text for caption in passed.values())]))
        for i, (role, caption) in enumerate(passed.items(), start=len(before)):
            if i in alike:
                self._drop(
                    role, caption.text, Check.ALIKE.value, "it says what another caption of this picture says"
                )
            else:
                self.kept[role] = caption

    def _drop(self, role: Role, text: str, check: str, evidence: str, told: str | None = None) -> None:
        """Note a caption that failed; `told` is what the model hears of it, where that is not the evidence."""
        self.dropped.append(self._describe(text, role.value, check, evidence))
        said = f"{show(tame(text, MAX_LETTERS), MAX_LETTERS)}: " if text else ""
        self.faults.append(f"{role.value}: {said}{tame(told or f'{check}: {evidence}', _MAX_EVIDENCE)}")

    def _sign(self, role: Role, text: str, checks: tuple[str, ...]) -> Caption:
        return Caption(text=text, style=STYLE, role=role.value, author=self.author, checks=checks)

    def _describe(self, text: str, role: str, check: str, evidence: str) -> Dropped:
        evidence = evidence[:_MAX_EVIDENCE]
        return drop(text, style=STYLE, role=role, author=self.author, check=check, evidence=evidence)


def _join(faults: Sequence[Finding]) -> str:
    """All that was found, each check named: the first stands in `Dropped.check` already."""
    first, *others = faults
    return "; ".join([first.evidence, *(f"{fault.check.value}: {fault.evidence}" for fault in others)])


def _name_words(faults: Sequence[Finding]) -> str:
    """The faults without what is known instead: the facts stand in the request, but for those withheld on purpose."""
    return "; ".join(
        f"{fault.check.value}: {fault.evidence.rpartition(_KNOWN)[0] or fault.evidence}" for fault in faults
    )
