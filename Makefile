# Two commands: `make run` shows the library at work, `make test` proves it.
# Both make a virtual environment in .venv first and install what is pinned in constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8550
PROGRAMS ?= 10000
# Build dependencies are pinned too: pip reads this variable inside its isolated builds.
PIP := PIP_CONSTRAINT=$(CURDIR)/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

BROWSER := $(BIN)/python -m pytest tests/browser
NEWER := $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'
TOO_OLD := echo 'The docs are built with Python 3.11 or newer.'
SPHINX := $(BIN)/python -m sphinx --fail-on-warning --quiet --fresh-env

.DEFAULT_GOAL := help
.PHONY: help run test unit crowd browser lint types format cov mutants bench bench-all bench-frames bench-docs bench-check load soak model reliability versions pyodide docs links pictures clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: $(VENV)/app ## serve the gallery, with every example in it, on http://127.0.0.1:$(PORT)
	@PORT=$(PORT) $(BIN)/python -m examples.gallery

test: lint types unit crowd browser docs ## everything: lint, types, unit tests, a small crowd, browser tests, the docs

unit: $(VENV)/dev ## the unit tests, on asyncio, uvloop and trio
	$(BIN)/python -m pytest tests --ignore=tests/browser --ignore=tests/load

crowd: $(VENV)/dev ## the short form of the load test and of the soak
	$(BIN)/python -m pytest tests/load

# Without a GPU, on a busy machine, a browser may stop drawing for many seconds: what has failed is tried once more.
browser: $(VENV)/dev ## the browser tests, if a Chromium or Chrome is found (REQUIRE_BROWSER=1: it must be)
	$(BROWSER) || { [ $$? = 1 ] && $(BROWSER) --last-failed; }

lint: $(VENV)/dev ## ruff: rules and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev ## mypy and pyright, both strict
	$(BIN)/mypy flet_asp_actors tests examples
	$(BIN)/pyright

format: $(VENV)/dev ## lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cov: $(VENV)/dev ## the unit tests with branch coverage
	$(BIN)/coverage run -m pytest tests --ignore=tests/browser --ignore=tests/load -q
	$(BIN)/coverage report

mutants: $(VENV)/dev ## small mistakes made on purpose, and whether a test finds each: hours (MODULES="atom run": of some)
	$(BIN)/python -m tests.mutants $(MODULES)

bench: $(VENV)/bench ## the benchmark table: this library, its peers and the floor; 10 minutes (PYTHON=python3.12: with signified's Rust core)
	$(BIN)/python -m tests.benchmarks

bench-all: $(VENV)/bench ## that, and the deepest chains, growth, memory and clicks, for the docs; half an hour
	$(BIN)/python -m tests.benchmarks --all --json docs/performance.json

bench-frames: $(VENV)/bench ## what a click costs on pages of 10 to 10,000 controls, beside Flet's own ways and flet-asp; 3 minutes
	$(BIN)/python -m tests.benchmarks clicks

bench-docs: $(VENV)/bench ## write what `make bench-all` has measured into the README and docs/performance.md, with plots
	$(BIN)/python -m tests.benchmarks --docs

bench-check: $(VENV)/bench ## count what an operation does; fails past 25 % over what was recorded; half a minute
	$(BIN)/python -m tests.benchmarks --check

load: $(VENV)/dev ## 300 people at one server, through real websockets, wave after wave
	$(BIN)/python -m tests.load

soak: $(VENV)/dev ## a million clicks on one session
	$(BIN)/python -m tests.load.soak

model: $(VENV)/dev ## random programs against a model: PROGRAMS=1000000 of them, or SEED=1234, the one that has failed
	$(BIN)/python -m tests.model --programs $(PROGRAMS) $(if $(SEED),--seed $(SEED))

reliability: $(VENV)/dev ## a report: random programs (PROGRAMS=10000), a day of a busy app, leaks, mutants, lost writes
	$(BIN)/python -m tests.reliability --programs $(PROGRAMS)

versions: $(VENV)/dev ## the unit suite on every Python found, the oldest and newest Flet and anyio, -X dev, -O, in any order
	$(BIN)/python -m tests.versions

pyodide: $(VENV)/dev ## the unit tests in Pyodide (CPython 3.14 in WebAssembly, where Flet's static apps run), under Node.js
	$(BIN)/python -m tests.pyodide

docs: $(VENV)/docs ## the site, in build/docs/index.html; a warning is an error (Python 3.11 or newer)
	@if $(NEWER); then $(SPHINX) -b html docs build/docs && echo build/docs/index.html; else $(TOO_OLD); fi

links: $(VENV)/docs ## ask every address that the docs name whether it is there
	@if $(NEWER); then $(SPHINX) -b linkcheck docs build/links; else $(TOO_OLD); fi

pictures: $(VENV)/dev ## make the pictures in docs/pictures, and the film of the showcase, anew
	$(BIN)/python -m tests.browser.pictures

clean: ## remove the environment and what was made
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/pip: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) pip
	@touch $@

$(VENV)/app: $(VENV)/pip pyproject.toml
	$(PIP) --editable '.[web]' --group run
	@touch $@

$(VENV)/dev: $(VENV)/app
	$(PIP) --group dev
	@touch $@

$(VENV)/bench: $(VENV)/dev
	$(PIP) --group bench
	@touch $@

$(VENV)/docs: $(VENV)/app
	$(PIP) --group docs
	@touch $@
