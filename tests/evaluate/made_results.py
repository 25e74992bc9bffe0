"""Results with everything that a page can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from earthloom.evaluate.result import Curve, Figure, Line, Protocol, Result, SetInfo, Table
from earthloom.evaluate.sets import Picture
from earthloom.evaluate.work import Grid, Row

KD = Figure(
    name="kd", value=0.031, better="lower", encoder="ours@1", low=0.02, high=0.045, floor=0.001, null=0.4,
    interval="halves", n=1000, n_real=900,
)  # fmt: skip


def make_result(name: str = "first") -> Result:
    return Result(
        kind="generation",
        name=name,
        protocol=Protocol(
            version="1", encoders={"ours@1": "to 64 px"}, rules={"floor": "halves"}, seed=0, resamples=1000, level=0.95
        ),
        sets=(
            SetInfo(name="real", place="eurosat", n=900, n_refused=3, identity="abcdef012345678"),
            SetInfo(name="generated", place="tiny", n=1000, is_generated=True, details={"steps": 20}),
        ),
        figures=(
            KD,
            Figure(name="fid", value=None, better="lower", encoder="inception@6", reason="wants <weights>"),
            Figure(name="faithful:class", value=0.7, better="higher", null=0.1, ceiling=0.9, group="river"),
            Figure(name="faithful:class", value=None, group="forest", reason="no such prompt"),
            Figure(name="mean_db", value=0.2, unit="dB", passed=True, bound="at most 1 dB"),
            Figure(name="log_variance", value=0.8, passed=False, bound="within 25 %", group="VV"),
        ),
        tables=(
            Table(title="Confusion", columns=("asked", "fog"), rows=(("fog", 0.9), ("snow", None)), is_matrix=True),
        ),
        curves=(
            Curve(
                title="FD by size", x_label="1 / n", y_label="FD",
                lines=(
                    Line(name="measured", x=(0.1, 0.2), y=(2.0, 3.0), low=(1.5, 2.5), high=(2.5, 3.5)),
                    Line(name="fit", x=(0.0, 0.2), y=(1.0, 3.0)),
                ),
            ),
        ),
        notes=("Few pictures & fewer features.",),
        refused={f"{i:02}.jpg": {"reason": "unreadable", "detail": "cut off"} for i in range(25)},
        versions={"numpy": "2"},
        seconds=3.0,
    )  # fmt: skip


def with_figure(result: Result, figure: Figure) -> Result:
    """With this figure in place of the one of its name, encoder and group."""
    key = (figure.name, figure.encoder, figure.group)
    others = tuple(figure if (f.name, f.encoder, f.group) == key else f for f in result.figures)
    return replace(result, figures=others)


def make_grid(n_rows: int = 2, side: int = 64) -> Grid:
    rng = np.random.default_rng(0)
    pictures: list[Picture] = [rng.integers(0, 255, (side, side, 3), dtype=np.uint8) for _ in range(3)]
    rows = tuple(
        Row(label=f"row {i}", pictures=tuple(pictures), captions=("drawn", "drawn", "real"))
        for i in range(n_rows)
    )
    return Grid(title="Drawn beside real", rows=rows)
