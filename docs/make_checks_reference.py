"""Write how well the checks of captions work into docs/captions.md: `python docs/make_checks_reference.py`."""

from __future__ import annotations

from pathlib import Path

from earthloom.caption.checks import Check
from earthloom.caption.trials import Score, make_trials, score_trials
from earthloom.caption.trials.records import make_trial_records

TARGET = Path(__file__).with_name("captions.md")
BEGIN, END = "<!-- begin: made by docs/make_checks_reference.py -->", "<!-- end -->"
N_RECORDS, SEED = 180, 5


def main() -> None:
    """Write the table."""
    TARGET.write_text(render(TARGET.read_text(encoding="utf-8")), encoding="utf-8")


def render(page: str) -> str:
    """The page with the table made anew between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, "", *make_table(), "", END + after])


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


def _say(score: Score) -> str:
    return f"{score.n_true:,} / {score.n_false:,} | {score.precision:.3f} | {score.recall:.3f}"


if __name__ == "__main__":
    main()
