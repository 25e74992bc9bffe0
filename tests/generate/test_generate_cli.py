"""The verbs as a person types them, with a small painter and a small Stable Diffusion."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from earthloom import cli  # noqa: E402
from earthloom.models.tiny.files import EUROSAT, save_tiny  # noqa: E402
from earthloom.models.tiny.network import TinyUNet  # noqa: E402
from earthloom.models.tiny.shape import TinyShape  # noqa: E402

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls a verb in this process, for loading torch anew takes seconds: status, standard output and error."""

    def call(*words: str, cwd: Path) -> tuple[int, str, str]:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        monkeypatch.setattr(sys, "argv", ["earthloom", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as status:
            cli.main()
        out, err = capsys.readouterr()
        return int(status.value.code or 0), out, err

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painter without training."""
    folder = tmp_path_factory.mktemp("cli")
    torch.manual_seed(0)
    network = TinyUNet(TinyShape(side=16, width=32, growth=(1, 2)))
    told = {
        "recipe": {"name": "toy"},
        "licence": "MIT",
        "names": {"modality": ["rgb"], "scene": ["clear", "fog"]},
    }
    save_tiny(folder / "tiny.safetensors", network, told)
    return folder


def test_pictures_are_drawn_and_looked_at(folder: Path, call: Call) -> None:
    words = (
        "generate",
        "tiny.safetensors",
        "--prompt",
        "a highway between fields",
        "--gsd",
        "20",
        "--n",
        "2",
    )
    status, out, err = call(*words, "--seed", "1", "--steps", "2", cwd=folder)
    assert status == 0, err
    assert "toy: 2 pictures drawn" in out
    assert "generated/grid.png" in out
    status, out, err = call(*words, "--seed", "1", "--steps", "2", "--json", "--quiet", cwd=folder)
    assert (status, err) == (0, "")
    assert json.loads(out)["counts"] == {
        "asked": 2, "drawn": 0, "kept": 2, "refused": 0, "listed": 2, "cut": 0,
    }  # fmt: skip
    picture = next((folder / "generated").glob("*-s2.png"))
    _, shown, _ = call("inspect", str(picture), cwd=folder)
    assert "a highway between fields" in shown
    assert "gsd_m 20.0" in shown
    assert "licence MIT" in shown
    assert json.loads(call("inspect", str(picture), "--json", cwd=folder)[1])["seed"] == 2
    assert picture.name in call("inspect", str(folder / "generated" / "grid.png"), cwd=folder)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tiny.safetensors",), "wants prompts from one place"),
        (("tiny.safetensors", "-p", "a", "--scene", "sand"), "it knows clear, fog"),
        (("tiny.safetensors", "-p", "a", "--modality", "xray"), "--modality"),
        (("nothing/here", "-p", "a"), "hf download nothing/here"),
        (("tiny.safetensors", "--prompts", "none.txt"), "none.txt cannot be read"),
        (("tiny.safetensors", "--release", "none"), "none"),
    ],
)
def test_a_wrong_call_is_status_2_and_one_clear_message(
    folder: Path, words: tuple[str, ...], said: str, call: Call
) -> None:
    status, _, err = call("generate", *words, "-o", "wrong", cwd=folder)
    assert status == 2
    assert said in err
    assert not (folder / "wrong").exists()


def test_help_has_examples_and_loads_nothing_heavy(folder: Path) -> None:
    code = (
        "import sys; from earthloom.cli import app\n"
        "try: app(['generate', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'diffusers', 'numpy'} & set(sys.modules), sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "earthloom generate tiny --prompt" in done.stdout.partition("Examples:")[2]


@pytest.mark.skipif(not EUROSAT.is_file(), reason="the weights that ship are not there")
def test_the_painter_that_ships_draws(tmp_path: Path) -> None:
    """As a person types it: in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "earthloom",
        "generate",
        "tiny",
        "-p",
        "a river",
        "--steps",
        "2",
        "--json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["drawn"] == 1
