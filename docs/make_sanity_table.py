"""Write docs/evaluation-sanity.md, what each metric says of sets that were made worse in a known way.

    python docs/make_sanity_table.py [DATA]

DATA is the folder of real imagery, `../shared/data` if not given. About two minutes on one core.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from sanity.rows import render_rows

TARGET = Path(__file__).with_name("evaluation-sanity.md")
DATA = Path(__file__).parent.parent.parent / "shared" / "data"
SECTIONS = ("distances", "texts", "radar", "captions")
"""Modules of docs/sanity, in the order of the page."""

INTRODUCTION = """\
# Do the metrics move the right way?

<!-- Made by docs/make_sanity_table.py: run it again after a change of a metric. -->

A metric is worth its name when it gets worse as the pictures or the texts do. Each row takes real data, makes it worse
in one known way, and says what a metric makes of that. A row is right when the mild change moves the metric the wanted
way, and a stronger one does not move it back.
"""


def main() -> None:
    """Write the page; exit status 1 where a metric moved the wrong way."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    lines, n_right, n_rows = [INTRODUCTION], 0, 0
    for name in SECTIONS:
        section = importlib.import_module(f"sanity.{name}")
        rows = list(section.measure(data))
        n_rows, n_right = n_rows + len(rows), n_right + sum(row.is_right for row in rows)
        lines += [f"## {section.TITLE}", "", section.INTRODUCTION, *render_rows(rows), ""]
    lines.insert(1, f"Right: {n_right} of {n_rows}.\n")
    TARGET.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(f"{TARGET}: {n_right} of {n_rows} right")
    sys.exit(n_right < n_rows)


if __name__ == "__main__":
    main()
