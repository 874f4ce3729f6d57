# Everything runs in .venv, which the first target that needs it makes. PYTHON picks the interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Where this is set, each of the hundreds of processes in the tests would compile pytest's plugins anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test lint coverage bench docs matrix clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Compiled is what is imported, when it is: most of what is installed never is, and to compile it takes a third of the time.
$(VENV)/installed: pyproject.toml
	@echo 'Installing what is needed into $(VENV), which takes a minute or two.'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[dev]'
	@touch $@

demo: $(VENV)/installed  ## kill the ETL example at every place one kill can land
	@$(BIN)/python -m pytest examples/etl -v -rA --no-header --show-capture=stdout -p no:cacheprovider

test: $(VENV)/installed lint  ## lint, type-check and run every test
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

lint: $(VENV)/installed  ## ruff and mypy
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy

coverage: $(VENV)/installed  ## run every test under coverage and print what is not reached
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

bench: $(VENV)/installed  ## measure against AWS's local runner, in one run; BENCH=--write-readme for the README's tables
	@$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/installed  ## build the documentation into docs/_build
	@$(BIN)/sphinx-build -W --keep-going -q docs docs/_build

matrix: $(VENV)/installed  ## the tests on Python 3.11 to 3.13, SDK 2.1 and 3.0, old and new dependencies; docs; wheel
	@$(BIN)/nox

clean:  ## remove the environment and every cache
	@rm -rf $(VENV) .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* docs/_build
