# Two commands do all the set-up: `make run` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Processes that run tests: as many as there are cores, and memory for at some 4 GiB each.
JOBS ?= $(shell $(PYTHON) -c 'import os; gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30; print(max(2, min(os.cpu_count() or 2, gib // 4)))')
# How much `make bench` measures.
BENCH ?= default
# Where the state lies: the environment comes before .env, as for the commands.
export FINANCE_ASSETS_HOME ?= $(or $(shell sed -n 's/^FINANCE_ASSETS_HOME=//p' .env 2>/dev/null),$(CURDIR)/.finance_assets)
READY := $(VENV)/.ready

.PHONY: help install run run-databricks run-jvm status test mutants lint dev mlflow lock bench clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

install: $(READY) ## Create the environment with the locked versions

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {v.major}.{v.minor}: make PYTHON=python3.12 …" or 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

run: $(READY) ## Run every use case over its months: tables, models, scoring, monitoring (RUN="--use-case NAME": one)
	$(BIN)/finance-assets run $(RUN)

run-databricks: $(READY) ## The same on a stand-in for a Databricks workspace, with a parity report
	$(BIN)/python -m finance_assets_tests.databricks.parity

run-jvm: $(READY) ## The same on Spark's JVM with Delta (needs Java 17), with a parity report
	$(BIN)/python -m finance_assets_tests.engine_parity

status: $(READY) ## Show what the last run left
	$(BIN)/finance-assets status

test: $(READY) ## Run the tests (TESTS='-m "not slow"': some of them)
	$(BIN)/python -m pytest -n $(JOBS) $(TESTS)

mutants: $(READY) ## Plant faults in the code; each has to make a test fail (MUTANTS="calendar": those of some files)
	$(BIN)/python -m finance_assets_tests.mutants --jobs $(JOBS) $(MUTANTS)

lint: $(READY) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dev: $(READY) ## Open the Dagster UI on the same instance (http://127.0.0.1:3000)
	$(BIN)/finance-assets dev

mlflow: $(READY) ## Open MLflow's UI on the same store (http://127.0.0.1:5000)
	$(BIN)/finance-assets mlflow

bench: $(READY) ## Measure speed against the goals and write docs/benchmarks (BENCH=quick, default, large, full)
	$(BIN)/python -m benchmarks run $(BENCH)

lock: ## Compile the locked versions anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --no-annotate --custom-compile-command "make lock" --upgrade -o requirements.lock

clean: ## Delete the state of all runs (not the environment)
	rm -rf "$(FINANCE_ASSETS_HOME)"
