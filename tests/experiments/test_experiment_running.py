"""Steps are done in order, once, again when anything that they depend on has changed, and what they find is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from experiment_files import GOOD, Doer, parse

from earthloom.core.errors import LockedError, RunError, StoppedError, UsageError
from earthloom.experiments.doing import Ground, Summary
from earthloom.experiments.loading import Step
from earthloom.experiments.running import do_experiment
from earthloom.store.layout import ExperimentFolder
from earthloom.store.lock import hold_lock

ALL = ["data_set", "narrow", "wide_one", "drawn", "before", "after"]


def run(text: str, base: Path, doer: Doer, **how: object) -> list[str]:
    """Do an experiment; the steps that were done this time."""
    doer.done.clear()
    do_experiment(parse(text, base, **how), Ground(base=base), doer)  # type: ignore[arg-type]
    return list(doer.done)


def test_steps_are_done_once(tmp_path: Path) -> None:
    doer = Doer(before=0.5, after=0.9)
    assert run(GOOD, tmp_path, doer) == ALL
    assert run(GOOD, tmp_path, doer) == []


def test_a_changed_step_is_done_again_with_those_that_read_it(tmp_path: Path) -> None:
    doer = Doer(before=0.5, after=0.9)
    run(GOOD, tmp_path, doer)
    assert run(GOOD.replace("wide: 64", "wide: 32"), tmp_path, doer) == ["wide_one", "drawn"]
    assert run(GOOD.replace("limit: 5", "limit: 6"), tmp_path, doer) == ["wide_one", "drawn", "after"]
    assert run(GOOD.replace("title: Narrow", "title: narrow"), tmp_path, doer) == ["after"]
    assert run(GOOD, tmp_path, doer, given={"steps": 5}) == ["narrow", "wide_one", "drawn"]
    assert run(GOOD.replace("tile: {size: 32}", "tile: {size: 64}"), tmp_path, doer) == ALL


def test_a_changed_input_is_noticed(tmp_path: Path) -> None:
    doer = Doer(before=0.5, after=0.9)
    data = tmp_path / "eurosat"
    data.write_bytes(b"x")
    assert run(GOOD, tmp_path, doer, size="full") == ALL
    assert run(GOOD, tmp_path, doer, size="full") == []
    data.write_bytes(b"xx")
    assert run(GOOD, tmp_path, doer, size="full") == ALL


def test_a_step_whose_folder_is_gone_is_done_again(tmp_path: Path) -> None:
    doer = Doer(before=0.5, after=0.9)
    run(GOOD, tmp_path, doer)
    (tmp_path / "out" / "drawn").rmdir()
    assert run(GOOD, tmp_path, doer) == ["drawn"]
    ExperimentFolder(tmp_path / "out").done("narrow").write_text("{broken")
    assert run(GOOD, tmp_path, doer) == ["narrow"]


@pytest.mark.parametrize(
    ("raised", "caught"), [(RunError("no"), RunError), (KeyboardInterrupt(), StoppedError)]
)
def test_what_was_done_before_a_failure_is_kept(
    tmp_path: Path, raised: BaseException, caught: type[Exception]
) -> None:
    doer = Doer(before=0.5, after=0.9)

    def fail(step: Step, folder: Path, ground: Ground) -> Summary:
        if step.name == "drawn":
            folder.mkdir()
            raise raised
        return doer(step, folder, ground)

    with pytest.raises(caught):
        do_experiment(parse(GOOD, tmp_path), Ground(base=tmp_path), fail)
    assert doer.done == ALL[:3]
    assert run(GOOD, tmp_path, doer) == ALL[3:]


def test_the_answer_is_written(tmp_path: Path) -> None:
    told: list[str] = []
    ground = Ground(base=tmp_path, tell=told.append)
    summary = do_experiment(parse(GOOD, tmp_path), ground, Doer(before=0.5, after=0.9))
    folder = ExperimentFolder(tmp_path / "out")
    plain = json.loads(folder.summary.read_bytes())
    assert plain == json.loads(json.dumps(summary.to_json()))
    (answer,) = plain["answers"]
    assert [each["figure"]["value"] for each in answer["measured"]] == [0.5, 0.9]
    assert answer["differences"][0]["outcome"] == "better"
    assert answer["differences"][0]["value"] == pytest.approx(0.4)
    text = folder.text.read_text()
    assert "Is it better?" in text
    assert "the narrow one: 0.5, 0.4 to 0.6 (50 measured)." in text
    assert "the wide one is better than the narrow one: +0.4" in text
    page = folder.page.read_text()
    assert "Is it better?" in page
    assert "<script" not in page
    assert told[0] == "step 1 of 6, build data_set"
    asked = yaml.safe_load(folder.experiment.read_text())
    assert (asked["size"], list(asked["sizes"])) == ("toy", ["toy"])
    assert parse(folder.experiment.read_text(), tmp_path).steps == parse(GOOD, tmp_path).steps


def test_equal_runs_give_equal_summaries(tmp_path: Path) -> None:
    doer = Doer(before=0.5, after=0.9)
    folder = ExperimentFolder(tmp_path / "out")
    run(GOOD, tmp_path, doer)
    before = [path.read_bytes() for path in (folder.summary, folder.text, folder.page, folder.experiment)]
    run(GOOD, tmp_path, doer)
    assert before == [
        path.read_bytes() for path in (folder.summary, folder.text, folder.page, folder.experiment)
    ]


def test_a_figure_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="before has no figure 'fid'; it has accuracy"):
        run(GOOD.replace("figure: accuracy", "figure: fid"), tmp_path, Doer(before=0.5, after=0.9))


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        run(GOOD, tmp_path, Doer())


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with hold_lock(ExperimentFolder(tmp_path / "out").lock), pytest.raises(LockedError):
        run(GOOD, tmp_path, Doer())
