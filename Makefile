# Gatehouse: `make run` starts everything, `make test` checks everything. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is new enough; PYTHON=/path/to/python3.12 make run chooses another.
PYTHON ?= $(shell for one in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
PYTEST_OPTIONS ?=

.PHONY: help run test check soak bench setup

help: ## list every target
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

run: $(VENV)/.runs ## set up and run everything in the foreground; Ctrl-C stops it
	@GATEHOUSE_SUPERVISED=1 exec $(BIN)/python manage.py serve

test: $(VENV)/.tests check ## set up and run every check and test
	@$(BIN)/python -m pytest $(PYTEST_OPTIONS)

check: export GATEHOUSE_ENV := testing
check: export DATA_DIR := .tools/check
check: $(VENV)/.tests ## the fast gate: format, lint, floors, types, missing migrations, templates
	@mkdir -p $(DATA_DIR)
	@$(BIN)/ruff format --check --quiet . > /dev/null || { echo "Not formatted: $(BIN)/ruff format . mends it." >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache > .tools/floors.log || { cat .tools/floors.log; exit 1; }
	@$(BIN)/mypy .
	@$(BIN)/python manage.py makemigrations --check --dry-run > /dev/null || { echo "A model changed without its migration." >&2; exit 1; }
	@$(BIN)/python manage.py check_templates

soak: $(VENV)/.tests ## the long versions of fault, race and collection tests
	@$(BIN)/python -m pytest -m soak $(PYTEST_OPTIONS) || { test $$? = 5 && echo "The soak tests come with the step that brings mirroring and collection; there are none yet."; }

bench: $(VENV)/.tests ## measure side by side with peers; writes a table and JSON
	@$(BIN)/python -m bench.run $(BENCH_OPTIONS)

setup: $(VENV)/.tests ## only install what running and testing need

$(VENV)/.runs: requirements.txt
	@.ci/install "$(PYTHON)" requirements.txt
	@touch $@

$(VENV)/.tests: requirements-dev.txt requirements.txt
	@.ci/install "$(PYTHON)" requirements-dev.txt
	@touch $(VENV)/.runs $@
