# One gate for people and for machines. Every target makes the virtual environment and installs what it needs
# when that is missing or when pyproject.toml has changed.
#
#   make demo    build a small dataset from built-in landscapes and print the path of its report
#   make test    the tests that finish within minutes
#   make check   everything a change has to pass: format, lint, types, imports, tests, coverage
#   make bench   speed and memory beside their peers, with targets
#   make bench-train   the loader beside webdataset; with a GPU also LoRA beside diffusers' own script
#   make sheet   every effect at every strength over real tiles of ../shared/data, to look at
#   make clean   remove what the others made, the virtual environment too

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON = $(or $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done), \
	$(error Python 3.11 or later is needed, and none was found on the PATH))
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Two tests at a time, each with one thread for its arithmetic: networks of tests are small, and cores are few.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

GATED := core geo store run tile synthesize caption train generate evaluate models metrics
COVERAGE_FLOOR := 95

.PHONY: demo test slow lint coverage check bench bench-train sheet clean

demo: $(VENV)/.core
	$(BIN)/earthloom demo

test: $(VENV)/.dev
	$(PYTEST) -m "not slow" $(TESTS)

slow: $(VENV)/.dev
	$(PYTEST) -m slow $(TESTS)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The floor holds for each of the rooms that everything else stands on, not for their average. It reads what a
# run of the tests with --cov has left behind.
coverage: $(VENV)/.dev
	@low=0; for room in $(GATED); do echo "coverage of $$room:"; \
	  $(BIN)/coverage report --include="src/earthloom/$$room/*" --skip-covered --fail-under=$(COVERAGE_FLOOR) \
	  || low=1; done; exit $$low

check: lint
	$(PYTEST) -m "not slow" --cov --cov-report= $(TESTS)
	@$(MAKE) --no-print-directory coverage

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_all.py

bench-train: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_train.py
	$(BIN)/python benchmarks/bench_lora.py

sheet: $(VENV)/.core
	$(BIN)/earthloom build examples/scenes.yaml -o sheet-work
	$(BIN)/earthloom effects sheet sheet-work --recipe examples/scenes.yaml --places 8

clean:
	rm -rf $(VENV) build dist src/*.egg-info earthloom-demo sheet-work benchmarks/.cache benchmarks/.venvs
	rm -rf .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian's Python may come without ensurepip; its pip can still fill an environment from outside.
$(BIN)/python:
	@echo "Making a virtual environment in $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null \
	  || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
	       && $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet pip; } \
	  || { rm -rf $(VENV); echo "Could not make it. On Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.core: pyproject.toml | $(BIN)/python
	@echo "Installing earthloom (about half a minute)"
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing earthloom with what its tests need (about a minute)"
	@$(PIP_INSTALL) --editable ".[dev]"
	@touch $(VENV)/.core $@
