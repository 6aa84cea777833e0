# Everything starts here: `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# --compile: without byte-code a command takes twice as long to start.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --compile \
  --constraint requirements.lock
READER := warehouse/decode/native/reader.c warehouse/decode/native/json.h
NOSYNC := $(CURDIR)/.venv/nosync.so
AZURITE := .venv/azurite/node_modules/.bin/azurite-blob

.PHONY: help install demo test test-slow test-scale test-buckets test-dbt test-ducklake test-outside test-image screenshots kills stops chaos day fuzz vega coverage check dev sandbox bench lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: .venv/installed  ## Make .venv with the command fbinsights in it

demo: install  ## Load three days of a made-up company, prove them, show the tables
	@$(BIN)/fbinsights demo

# Half of their time tests wait, for Dagster, browsers and sockets: three at once keep two cores busy.
test: TESTERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 3 // 2)')
# In the order of their names: files with few tests that take long (browsers, Dagster) would come last.
test: .venv/installed-dev  ## Run the tests (needs no token and no network); TESTERS=2 for as many at once
	@$(CC) -shared -fPIC -O2 -o $(NOSYNC) tests/nosync.c 2>/dev/null || rm -f $(NOSYNC)
	@LD_PRELOAD=$$(ls $(NOSYNC) 2>/dev/null) $(BIN)/pytest --numprocesses=$(TESTERS) --dist=loadfile --no-loadscope-reorder -m $(if $(SLOW),slow,"not slow")

test-slow:  ## Run the stories that make test leaves out: each takes half a minute
	@$(MAKE) --no-print-directory test SLOW=1

test-scale: .venv/installed-dev  ## Test many workers with a real Postgres and Redis, installed if missing
	@$(BIN)/python -m tests.scale.services
	@SCALE=1 $(BIN)/pytest tests/scale --numprocesses=2 --dist=loadfile

test-image: .venv/installed-dev  ## Build the container's image without Docker and run compose.yaml with it; needs root
	@$(BIN)/python -m tests.image.build
	@IMAGE=1 unshare --net -- sh -c 'ip link set lo up && exec $(BIN)/pytest tests/image'

test-buckets: .venv/installed-dev $(AZURITE)  ## Test lakes in Azure's emulator, which npm installs if missing
	@BUCKETS=1 $(BIN)/pytest tests/warehouse/storage -k azure

test-dbt: .venv/installed-dev .venv/dbt/installed  ## Build the marts of examples/dbt from a sandbox, with a dbt of its own
	@DBT=1 $(BIN)/pytest tests/dbt

test-ducklake: .venv/installed-dev .venv/ducklake/installed  ## Publish into DuckLakes, with a DuckDB that has the extension
	@.venv/ducklake/bin/python -m pytest tests/ducklake --numprocesses=2

test-outside: .venv/installed-dev  ## Install wheel and sdist outside the checkout and use them; OUTSIDE=python3.12 for another Python
	@OUTSIDE=$(OUTSIDE) $(BIN)/pytest tests/outside $(if $(WAY),-k "test_files or $(WAY)")

screenshots: .venv/installed-dev  ## Take the pictures in docs/img again, with the tests in a browser
	@SCREENSHOTS=1 $(BIN)/pytest tests/e2e/test_browser.py tests/e2e/test_overview.py

vega: .venv/installed-dev  ## Make the page's bundle of Vega again, with its licences; needs npm and a package index
	@$(BIN)/python -m tests.pipelines.overview.bundle

coverage: .venv/installed-dev  ## Run the client's tests; 95 % of its branches must be covered
	@$(BIN)/pytest tests/fbgraph --cov=fbgraph --cov-fail-under=95

kills: .venv/installed-dev  ## Kill 60 loads at any moment and check that each resumes
	@KILLS=9 COMMAND_KILLS=6 $(BIN)/pytest tests/kills --capture=no

stops: .venv/installed-dev  ## Press Ctrl-C in 200 loads at any moment; STOPS=50
	@STOPS=$(or $(STOPS),200) $(BIN)/pytest tests/kills/test_interrupts.py -q

chaos: .venv/installed-dev  ## Load under every fault alone and under 200 combinations of three; CHAOS="--first 201"
	@$(BIN)/python -m tests.chaos $(CHAOS)

day: .venv/installed-dev  ## Simulate a day of 50 accounts, with a tick every hour and every 15 minutes
	@$(BIN)/python -m tests.day

fuzz: .venv/installed-dev  ## Give the reader in C two million damaged pages, new ones each time; FUZZ=1000 for 50 times as many
	FUZZ=$(or $(FUZZ),20) FUZZ_SEED=$(or $(FUZZ_SEED),$(shell date +%s)) \
	  $(BIN)/pytest tests/warehouse/decode/test_fuzz.py --capture=no

check: .venv/installed-dev  ## Lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

dev: install  ## Open Dagster at http://127.0.0.1:3000
	@exec $(BIN)/fbinsights dev

sandbox: install  ## Serve the local Graph API at http://127.0.0.1:8810
	@exec $(BIN)/fbinsights sandbox

bench: .venv/installed-dev  ## Measure every figure about speed and memory
	@$(BIN)/python -m benchmarks

lock: .venv/installed-dev  ## Resolve newer versions into requirements.lock (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --no-header --no-annotate --quiet --upgrade --output-file requirements.lock

clean:  ## Remove .venv and caches; data and Dagster's history stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info build warehouse/decode/native/*.so

# A marker file is newer than what it was made from, so that nothing is installed twice.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("fbinsights needs Python 3.11 or newer; this is " \
	  + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Making .venv ..." >&2
	@$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml requirements.lock $(READER) | .venv/bin/python
	@echo "Installing pinned versions (about a minute the first time) ..." >&2
	@$(PIP) --editable .
	@touch $@

$(AZURITE):
	@echo "Installing Azurite ..." >&2
	@npm install --silent --no-fund --no-audit --prefix .venv/azurite azurite@3.37.0

.venv/dbt/installed: examples/dbt/requirements.txt | .venv/bin/python
	@echo "Installing dbt, in an environment of its own ..." >&2
	@$(PYTHON) -m venv --clear .venv/dbt
	@.venv/dbt/bin/pip install --quiet --disable-pip-version-check --compile --requirement $<
	@touch $@

# All else comes from .venv; what is installed here comes before it.
.venv/ducklake/installed: tests/ducklake/requirements.txt | .venv/installed-dev
	@echo "Installing DuckDB and its extensions, in an environment of its own ..." >&2
	@$(PYTHON) -m venv --clear .venv/ducklake
	@.venv/ducklake/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' \
	  > $$(.venv/ducklake/bin/python -c 'import site; print(site.getsitepackages()[0])')/main.pth
	@touch $@

.venv/installed-dev: pyproject.toml requirements.lock $(READER) | .venv/bin/python
	@echo "Installing pinned versions with the developers' tools ..." >&2
	@$(PIP) --editable '.[dev,scale]'
	@touch $@ .venv/installed
