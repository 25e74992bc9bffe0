"""The verbs as a person types them."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from earthloom import cli
from earthloom.cli import shared


def _run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "earthloom", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe over three chips, built."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "chips").mkdir()
    rng = np.random.default_rng(1)
    for i in range(3):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / "chips" / f"{i}.png")
    (folder / "recipe.yaml").write_text(
        "name: chips\nsources: [{kind: images, path: chips}]\ntile: {size: 64}\n"
    )
    done = _run("build", "recipe.yaml", "-o", "work", "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "3 source items gave 3 pairs" in done.stdout
    assert str(folder / "work" / "release" / "report.html") in done.stdout
    return folder


def measure_children() -> float:
    """CPU-seconds of this process's children: how busy the machine is otherwise does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_quick_and_every_verb_has_an_example(tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        start = measure_children()
        done = _run("--help", cwd=tmp_path)
        times.append(measure_children() - start)
        assert done.returncode == 0
    assert min(times) < 0.5
    for verb in ("build", "demo", "inspect", "report"):
        assert verb in done.stdout
        shown = _run(verb, "--help", cwd=tmp_path)
        assert f"earthloom {verb}" in shown.stdout.partition("Examples:")[2]


def test_build_reports_as_json(folder: Path) -> None:
    done = _run("build", "recipe.yaml", "-o", "work", "--json", "--quiet", cwd=folder)
    assert done.returncode == 0
    assert done.stderr == ""
    assert json.loads(done.stdout)["counts"]["out"] == 3
    assert json.loads((folder / "work" / "run.json").read_text())["counts"]["out"] == 3


def test_build_without_output_goes_beside_the_recipe(folder: Path, tmp_path: Path) -> None:
    done = _run("build", str(folder / "recipe.yaml"), "-w", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (folder / "chips-work" / "release" / "report.html").is_file()


def test_inspect_says_what_is_there(folder: Path) -> None:
    for where in ("work", "work/release"):
        text = _run("inspect", where, cwd=folder)
        assert text.returncode == 0, text.stderr
        assert "3" in text.stdout
        value = json.loads(_run("inspect", where, "--json", cwd=folder).stdout)
        assert "3" in json.dumps(value)


def test_report_is_written_again_with_the_same_bytes(folder: Path) -> None:
    page = folder / "work" / "release" / "report.html"
    before = page.read_bytes()
    page.unlink()
    done = _run("report", "work", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "work/release/report.html" in done.stdout
    assert page.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["build", "none.yaml"], "cannot be read"),
        (["build", "bad.yaml"], "line 2: sources[0]: the kind 'x' is not known"),
        (["build"], "recipe"),
        (["inspect", "chips"], "chips"),
        (["report", "nowhere"], "nowhere"),
        (["weave"], "weave"),
        (["build", "recipe.yaml", "--workers", "-1"], "workers"),
    ],
)
def test_a_wrong_call_is_status_2_and_one_clear_message(folder: Path, words: list[str], said: str) -> None:
    (folder / "bad.yaml").write_text("name: x\nsources: [{kind: x}]\n")
    done = _run(*words, cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_work_that_fails_is_status_1(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "chips").mkdir()
    (tmp_path / "chips" / "a.png").touch()
    (tmp_path / "r.yaml").write_text("name: x\nsources: [{kind: images, path: chips}]\n")
    done = _run("build", "r.yaml", "-o", "w", cwd=tmp_path)
    assert done.returncode == 1
    assert "The release is empty" in done.stderr
    (tmp_path / "file").touch()
    done = _run("build", "r.yaml", "-o", "file/w", cwd=tmp_path)
    assert done.returncode == 1
    assert "Could not write" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert _run("--version", cwd=tmp_path).stdout.startswith("earthloom 0.")


def test_that_progress_reaches_a_log_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(shared, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with shared.show_status() as tell:
        for now[0] in (1.0, shared.LOG_SECONDS, shared.LOG_SECONDS + 1, 3 * shared.LOG_SECONDS):
            tell(f"at {now[0]:g} s")
    assert capsys.readouterr().err == "at 10 s\nat 30 s\n"


def test_that_a_verb_that_is_stopped_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("earthloom.evaluate.comparing.write_comparison", stop)
    monkeypatch.setattr(sys, "argv", ["earthloom", "evaluate", "compare", "a", "b"])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.INTERRUPTED == 130
    assert capsys.readouterr().err == "earthloom: stopped.\n"
