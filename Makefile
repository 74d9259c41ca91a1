# Every target stands on one stamp that does all set-up inside .venv: nothing global, no sudo, no prompt.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9
TORCH_VERSION := 2.13.0

BIN := .venv/bin
STAMP := .venv/.stamp
GARAK_BIN := .venv-garak/bin
GARAK_STAMP := .venv-garak/.stamp
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python

# Without written bytecode every start of Prefect and MLflow compiles them anew, at twice the CPU time.
unexport PYTHONDONTWRITEBYTECODE
# Bytecode on first use costs less than compiling two gigabytes of packages up front.
export UV_COMPILE_BYTECODE := 0
export OMP_WAIT_POLICY := PASSIVE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup attack run up down picture card-pictures nightly test test-unit test-integration test-e2e check format schema bench lock garak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ── set-up ──────────────────────────────────────────────────────────────────────────────────────────────

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Python 3.11 is needed, got $(PYTHON): make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "setting up .venv (first time: minutes; with warm caches: about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@# A CPU wheel of torch needs none of the CUDA packages that the registry's metadata names.
	@if [ -n "$$PIP_FIND_LINKS" ] && \
	  $(UV) --no-deps --no-index --find-links "$$PIP_FIND_LINKS" torch==$(TORCH_VERSION) 2>/dev/null; \
	  then :; else $(UV) torch==$(TORCH_VERSION); fi
	@$(UV) --require-hashes --no-deps -r requirements.lock
	@$(UV) --no-deps --editable .
	@touch $@

setup: $(STAMP) ## install everything into .venv, and nothing else

# garak's transformers is older than ours: it gets an environment of its own, 1.7 GB, and nothing else needs it.
GARAK_UV := $(BIN)/uv pip install --quiet --python $(GARAK_BIN)/python

$(GARAK_STAMP): infra/garak/requirements.lock | $(STAMP)
	@echo "setting up .venv-garak (first time: minutes)"
	@test -x $(GARAK_BIN)/python || $(BIN)/python -m venv --without-pip .venv-garak
	@if [ -n "$$PIP_FIND_LINKS" ] && \
	  $(GARAK_UV) --no-deps --no-index --find-links "$$PIP_FIND_LINKS" torch==$(TORCH_VERSION) 2>/dev/null; \
	  then :; else $(GARAK_UV) torch==$(TORCH_VERSION); fi
	@$(GARAK_UV) --require-hashes --no-deps -r infra/garak/requirements.lock
	@touch $@

garak: $(GARAK_STAMP) ## install garak for the red team's second tier, into .venv-garak (docs/garak.md)

# ── use ─────────────────────────────────────────────────────────────────────────────────────────────────

run: $(STAMP) ## the whole lifecycle: services up, data to a served release
	@$(BIN)/assay up
	@$(BIN)/assay run lifecycle

up: $(STAMP) ## start Prefect, worker, MLflow, model server and gateway
	@$(BIN)/assay up

down: $(STAMP) ## stop them all
	@$(BIN)/assay down

picture: $(STAMP) ## draw docs/run.svg from the champion's card
	@$(BIN)/assay release picture champion --output docs/run.svg

card-pictures: $(STAMP) ## take the pictures of sample release cards under docs/ (needs Chromium)
	@ASSAY_PICTURES=docs $(BIN)/python -m pytest -q tests/integration/browser -k pictures

nightly: up ## start the nightly deployment now, in the worker, and wait for it
	@$(BIN)/python -m infra.stack.within prefect deployment run lifecycle/nightly --watch

attack: run ## bad and good candidates made by code: do the gates hold? (the better part of an hour)
	@$(BIN)/python bench/gates.py --write docs/attack.md

# ── develop ─────────────────────────────────────────────────────────────────────────────────────────────

PYTEST := $(BIN)/python -m pytest

test: $(STAMP) ## all tests: unit, integration, end to end
	@$(PYTEST) -n 2 tests/unit
	@$(PYTEST) -n 2 --dist loadfile tests/integration
	@$(PYTEST) tests/e2e

test-unit: $(STAMP) ## unit tests, under a minute
	@$(PYTEST) -n 2 tests/unit

test-integration: $(STAMP) ## real Prefect, MLflow, HTTP
	@$(PYTEST) -n 2 --dist loadfile tests/integration

test-e2e: $(STAMP) ## the real model through the real services
	@$(PYTEST) tests/e2e

check: $(STAMP) ## style, types, import rules, generated files, what must not be in the repository
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m infra.config.schema --check
	@$(BIN)/python -m infra.config.approvers_schema --check
	@$(BIN)/python -m infra.trust.schema --check
	@$(BIN)/python -m tasks.validate.gates_schema --check
	@$(BIN)/python -m tasks.validate.benchmark.schema --check
	@$(BIN)/python -m tasks.develop.requirements.schema --check
	@$(BIN)/python -m tasks.develop.prompts.schema --check
	@$(BIN)/python -m tasks.validate.redteam.schema --check
	@$(BIN)/python -m tasks.validate.fairness.schema --check
	@bash .ci/forbidden

format: $(STAMP) ## format and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

schema: $(STAMP) ## write configs/schema again
	@$(BIN)/python -m infra.config.schema --write
	@$(BIN)/python -m infra.config.approvers_schema --write
	@$(BIN)/python -m infra.trust.schema --write
	@$(BIN)/python -m tasks.validate.gates_schema --write
	@$(BIN)/python -m tasks.validate.benchmark.schema --write
	@$(BIN)/python -m tasks.develop.requirements.schema --write
	@$(BIN)/python -m tasks.develop.prompts.schema --write
	@$(BIN)/python -m tasks.validate.redteam.schema --write
	@$(BIN)/python -m tasks.validate.fairness.schema --write

BENCHES := accuracy data evaluation gates_speed gateway_latency quality screening signing store training

bench: $(STAMP) ## the benchmarks, each a ratio against a peer in the same run
	@set -e; for name in $(BENCHES); do echo "== $$name"; $(BIN)/python bench/$$name.py; done

lock: $(STAMP) ## resolve both requirements.lock again from their pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra scale --extra corpora --extra pkcs11 --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-emit-package torch --no-annotate --no-header \
	  --quiet -o requirements.lock
	@# From its own directory: uv reads `[tool.uv]` of where it stands.
	@cd infra/garak && ../../$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-emit-package torch --no-annotate --no-header \
	  --quiet -o requirements.lock

clean: ## stop the services, remove .venv, .venv-garak and caches; .assay (your releases) stays
	@if [ -x $(BIN)/assay ]; then $(BIN)/assay down; fi
	@rm -rf .venv .venv-garak .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -not -path './.assay/*' -prune -exec rm -rf {} +
