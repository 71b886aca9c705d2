# `make help` lists what there is.
PYTHON ?= python3
BIN := .venv/bin
FOR ?= 60s
RATE ?=

.PHONY: help run test check bench fmt up down install lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/installed ## set everything up, publish a minute of usage, show what comes out (FOR=20s RATE=500)
	@$(BIN)/azotte run --for $(FOR) $(if $(RATE),--rate $(RATE))

test: .venv/tested ## all tests, those on a real Kafka and the real ClickHouse engine included (ARGS=tests/unit)
ifdef ARGS
	@$(BIN)/python -m pytest $(ARGS)
else
	@$(BIN)/python -m pytest --ignore tests/integration --numprocesses auto --dist worksteal
	@$(BIN)/python -m pytest tests/integration --numprocesses 2 --dist loadfile
endif

check: .venv/tested ## format, lint, types, imports, house rules: what CI runs before the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/tidy

bench: .venv/benched ## measure on this machine, against other ways to do it; writes docs/benchmarks.md
	@$(BIN)/python -m tests.bench

fmt: .venv/tested ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

up: .venv/installed ## start the local stack
	@$(BIN)/azotte up

down: ## stop the local stack
	@if [ -x $(BIN)/azotte ]; then $(BIN)/azotte down; else echo "nothing is installed here, so nothing runs"; fi

install: .venv/installed ## make .venv with the program in it

PYTHON_HERE = command -v $(PYTHON) >/dev/null || { echo "azotte: there is no $(PYTHON) here: install Python 3.11 or newer, or name one with make PYTHON=…" >&2; exit 1; }

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON_HERE)
	@$(PYTHON) deploy/bootstrap.py requirements.lock $@

.venv/tested: requirements-dev.lock pyproject.toml
	@$(PYTHON_HERE)
	@$(PYTHON) deploy/bootstrap.py requirements-dev.lock $@
	@touch .venv/installed

.venv/benched: requirements-bench.lock pyproject.toml
	@$(PYTHON_HERE)
	@$(PYTHON) deploy/bootstrap.py requirements-bench.lock $@
	@touch .venv/installed .venv/tested

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links --quiet pyproject.toml deploy/build.in

lock: ## write the lock files anew from pyproject.toml (needs uv)
	@$(LOCK) --extra dev --extra bench --output-file requirements-bench.lock
	@$(LOCK) --extra dev --constraint requirements-bench.lock --output-file requirements-dev.lock
	@$(LOCK) --constraint requirements-bench.lock --output-file requirements.lock

clean: ## remove what was made here, but for the stack's data
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
