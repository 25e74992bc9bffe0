"""The plan of the house holds in the code, beyond the levels that import-linter keeps."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

HEAVY = {"torch", "transformers", "diffusers", "peft", "ray", "pandas", "datasets", "webdataset", "duckdb"}
"""Libraries of extras and of the tests: none of them is loaded by anything that the core does."""


NETWORKS = {"models", "train"}
"""Rooms whose modules are loaded only by those who train or use a network."""


def find_imports(package: Path) -> Iterator[str]:
    """Top-level names of all modules that the package's files import, at any depth."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield (node.module or "").split(".")[0]


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _whole(home: str) -> str:
    """The distribution that one depends on, of a library that newer versions install as several."""
    return "pystac" if home.startswith("pystac-") else home


def test_core_dependencies_are_those_that_are_imported(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["models"]]
    declared = {normalise(re.split(r"[<>=!~ \[]", line)[0]) for line in lines}
    homes = packages_distributions()
    outside = set(find_imports(repository / "src/earthloom")) - sys.stdlib_module_names - {"earthloom"}
    imported = {_whole(normalise(home)) for name in outside for home in homes.get(name, [name])}
    # The error details of pydantic and the tokenizers of transformers, whose versions these two pin.
    allowed_by_others = {"pydantic-core", "tokenizers"}
    assert imported - allowed_by_others == declared


def test_importing_everything_loads_no_heavy_library() -> None:
    code = f"""
import importlib, pkgutil, sys, earthloom
for module in pkgutil.walk_packages(earthloom.__path__, "earthloom."):
    if module.name.split(".")[1] not in {NETWORKS!r} and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(sorted({HEAVY!r} & set(sys.modules)))
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"


def test_the_numbers_of_folders_follow_the_data_flow() -> None:
    from earthloom.store.layout import STAGES, WorkFolder

    folders = [WorkFolder(Path("work")).stage(stage).name for stage in STAGES]
    assert folders == sorted(folders)
    assert len(set(folders)) == len(STAGES)
