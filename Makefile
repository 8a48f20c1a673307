#: make demo   one incident, end to end, on this machine       make test   everything that is checked before a change lands
#: make check  the same without the tests: quick               make lock   resolve requirements.lock anew
#: make demo-real, make test-real   the same on a real control plane, which is built first (once, about 12 minutes)
#: make clean  remove what the others made in this folder      PYTHON=...  another Python than the first that is 3.11 or later
.DEFAULT_GOAL := help
.PHONY: help demo demo-real test test-real check lint types contracts lock clean
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
READY := .venv/ready
CACHE = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/opsbot
UV := 0.13.9
WORKERS ?= 3
MOVED := $(shell test -x $(BIN)/python && grep -qsxF '$(CURDIR)' $(READY) || echo yes)

help:
	@sed -n 's/^#: //p' Makefile

demo: $(READY)
	@$(BIN)/opsbot demo $(DEMO)

demo-real: $(READY)
	@$(BIN)/opsbot practice build plane
	@$(BIN)/opsbot demo --cluster real $(DEMO)

test: check
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(TESTS)

test-real: $(READY)
	$(BIN)/opsbot practice build
	$(BIN)/pytest -m plane -n 2 --dist loadfile $(TESTS)

check: lint types contracts

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

# The stamp is made last: an interrupted set-up has none. A folder that was moved, or whose Python is gone, needs a new one.
$(READY): requirements.lock pyproject.toml .ci/setup .ci/environment.py $(if $(MOVED),moved)
	@.ci/setup

.PHONY: moved
moved:

lock: $(READY)
	$(BIN)/python -m pip install --quiet --upgrade --target $(CACHE)/uv-$(UV) uv==$(UV)
	$(CACHE)/uv-$(UV)/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --upgrade --quiet --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage htmlcov dist build
	find opsbot tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +
