# Two commands do it all: `make repro` regenerates every number, `make test` checks the code.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.requirements.lock

.PHONY: help environment repro test test-all fuzz lint format docs pages lock audit bench torture clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

environment: $(STAMP) ## make .venv from the lock file

# The stamp holds the lock that the environment was made from, so a changed lock updates the environment.
$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fer-bench needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --python $(BIN)/python --editable .
	@cp requirements.lock $(STAMP)

repro: $(STAMP) ## run the pipeline on the active grid, print its table
	$(BIN)/fer-bench repro

test: $(STAMP) lint ## lint, types and the test suite
	$(BIN)/python -m pytest -n auto

test-all: $(STAMP) lint ## the suite with its slow tests
	$(BIN)/python -m pytest -n auto -m 'slow or not slow'

fuzz: $(STAMP) ## 108,000 damaged files for the parsers of files from outside, half an hour on one core
	FER_BENCH_FUZZ=4000 $(BIN)/python -m pytest -n 0 -s tests/test_fuzz.py

lint: $(STAMP) ## ruff, bandit and mypy
	$(BIN)/ruff check .
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive fer_bench stages benchmarks
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## let ruff format and mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## make the documentation as a site in site/, without the network
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "site/index.html: open it in a browser"

pages: $(STAMP) ## put the committed numbers of the default grid into the tables of README.md and docs/
	$(BIN)/python -m fer_bench.report.committed_pages

lock: ## rebuild requirements.lock from pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --output-file requirements.lock

audit: $(STAMP) ## look the packages of the lock up in the database of known vulnerabilities; needs the network
	$(BIN)/uv tool run pip-audit --require-hashes --disable-pip --requirement requirements.lock

bench: $(STAMP) ## run every script of benchmarks/
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

torture: $(STAMP) ## kill the pipeline a hundred times at random and compare its results
	@folder=$$(mktemp -d); $(BIN)/python tests/torture.py $$folder --kills 100 --longest 45 || { echo "kept: $$folder"; exit 1; }; rm -rf $$folder

clean: ## remove the environment and caches of tools, never results
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
