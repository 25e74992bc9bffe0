"""Write how well the checks of captions work into docs/captions.md: `python docs/make_checks_reference.py`."""

from __future__ import annotations

from pathlib import Path

from reference import put_between

from earthloom.caption.checks import Check
from earthloom.caption.trials import Score, make_trials, score_trials
from earthloom.caption.trials.heldout import make_heldout_trials
from earthloom.caption.trials.records import make_trial_records

TARGET = Path(__file__).with_name("captions.md")
BEGIN, END = "<!-- begin: made by docs/make_checks_reference.py -->", "<!-- end -->"
BEGIN_HELDOUT = "<!-- begin: held out, made by docs/make_checks_reference.py -->"
N_RECORDS, SEED = 180, 5


def main() -> None:
    """Write the table."""
    TARGET.write_text(render(TARGET.read_text(encoding="utf-8")), encoding="utf-8")


def render(page: str) -> str:
    """The page with both tables made anew between their marks."""
    for begin, lines in ((BEGIN, make_table()), (BEGIN_HELDOUT, make_heldout_table())):
        page = put_between(page, begin, "\n".join(["", "", *lines, "", ""]), END)
    return page


def make_table() -> list[str]:
    """Precision and recall by check, for authors who see the picture and for those who do not."""
    trials = list(make_trials(make_trial_records(N_RECORDS, SEED), SEED))
    opened, closed = score_trials(trials, "open"), score_trials(trials, "closed")
    lines = [
        "| trials of | open: true / false | precision | recall | closed: true / false | precision | recall |",
        "|---|---|---|---|---|---|---|",
    ]
    for check in (*Check, None):
        if check in opened:
            name = f"**all {len(trials):,}, with the rules' own**" if check is None else check.value
            lines.append(f"| {name} | {_say(opened[check])} | {_say(closed[check])} |")
    return lines


def make_heldout_table() -> list[str]:
    """Precision and recall over trials that were written without looking at the checks."""
    trials = [heldout.trial for heldout in make_heldout_trials(SEED)]
    scores = score_trials(trials, "open")
    lines = ["| held out: trials of | true / false | precision | recall |", "|---|---|---|---|"]
    for check in (*Check, None):
        if check in scores:
            name = f"**all {len(trials):,}**" if check is None else check.value
            lines.append(f"| {name} | {_say(scores[check])} |")
    return lines


def _say(score: Score) -> str:
    return f"{score.n_true:,} / {score.n_false:,} | {score.precision:.3f} | {score.recall:.3f}"


if __name__ == "__main__":
    main()
