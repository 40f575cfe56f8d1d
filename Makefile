# Two commands do all the set-up: `make run` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Processes that run tests; each takes some 3 GiB.
JOBS ?= 2
export FINANCE_ASSETS_HOME ?= $(CURDIR)/.finance_assets
READY := $(VENV)/.ready

.PHONY: help install run run-databricks status test mutants lint dev mlflow lock bench clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

install: $(READY) ## Create the environment with the locked versions

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {v.major}.{v.minor}: make PYTHON=python3.12 …" or 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

run: $(READY) ## Run every use case over its months: tables, models, scoring, drift
	$(BIN)/finance-assets run

run-databricks: $(READY) ## The same on a stand-in for a Databricks workspace, with a parity report
	$(BIN)/python -m finance_assets_tests.databricks.parity

status: $(READY) ## Show what the last run left
	$(BIN)/finance-assets status

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -n $(JOBS)

mutants: $(READY) ## Plant faults in the code one by one; each has to make a test fail (some 20 minutes)
	$(BIN)/python -m finance_assets_tests.mutants

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dev: $(READY) ## Open the Dagster UI on the same instance (http://127.0.0.1:3000)
	$(BIN)/finance-assets dev

mlflow: $(READY) ## Open MLflow's UI on the same store (http://127.0.0.1:5000)
	$(BIN)/finance-assets mlflow

bench: $(READY) ## Time a run from an empty home, and a second one
	@home=$$(mktemp -d) && for run in first second; do \
	  /usr/bin/env time -f "$$run run: %e s, %M KiB" env FINANCE_ASSETS_HOME=$$home $(BIN)/finance-assets run > /dev/null; done; rm -rf $$home
	@$(BIN)/python -m finance_assets_tests.bench_reasons

lock: ## Compile the locked versions anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --no-annotate --custom-compile-command "make lock" --upgrade -o requirements.lock

clean: ## Delete the state of all runs (not the environment)
	rm -rf "$(FINANCE_ASSETS_HOME)"
