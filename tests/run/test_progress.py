import io

import pytest

from earthloom.run.progress import Bars, LogLines, Silence, choose_listener, describe_stage
from earthloom.store.shards import Counts


def test_lines_have_rate_and_remaining_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 20.0, 21.0])
    monkeypatch.setattr("earthloom.run.progress.time.monotonic", lambda: next(clock))
    out = io.StringIO()
    lines = LogLines(out)
    lines.start_stage("tile", 1000)
    lines.advance(200)
    lines.advance(1)
    lines.finish_stage(Counts(planned=1000, written=990, refused={"flat": 8}, failed=2), 100.0, 3)
    lines.close()
    assert out.getvalue().splitlines() == [
        "tile       200/1,000 windows, 10/s, 1 min 20 s left",
        "tile       990 of 1,000 windows in 1 min 40 s, 8 refused, 2 FAILED, 3 shards kept from before",
    ]


def test_a_stage_of_unknown_length_shows_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 11.0])
    monkeypatch.setattr("earthloom.run.progress.time.monotonic", lambda: next(clock))
    out = io.StringIO()
    lines = LogLines(out)
    lines.start_stage("ingest", None)
    lines.advance(22)
    assert out.getvalue() == "ingest     22 items, 2/s\n"


def test_bars_are_drawn_and_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    for listener in (Bars(), Silence()):
        listener.start_stage("ingest", None)
        listener.advance(3)
        listener.finish_stage(Counts(planned=3, written=3), 1.0, 0)
        listener.close()
        shown = capsys.readouterr().err
        assert ("3 of 3 items in 1.0 s" in shown) == isinstance(listener, Bars)


def test_nothing_but_a_terminal_gets_bars() -> None:
    assert isinstance(choose_listener(), LogLines)
    assert describe_stage("export", Counts(planned=5, written=5), 1.0, 0) == "5 of 5 pairs in 1.0 s"
