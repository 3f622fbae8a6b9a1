# Everything a fresh machine needs is Python 3.11+, make and the package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SURFACES ?= ../shared/surfaces

.PHONY: demo serve test check setup generate replay null-loops bench clean

demo: setup
	$(BIN)/python -m whatnext_service demo

serve: setup
	$(BIN)/python -m whatnext_service serve

test: setup
	$(BIN)/python openapi/export.py --check
	$(BIN)/python openapi/generate.py --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright --level error
	$(BIN)/pytest -n 2

setup: $(STAMP)

$(STAMP): pyproject.toml sdk/pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]' --editable sdk
	touch $(STAMP)

generate: setup
	$(BIN)/python openapi/export.py
	$(BIN)/python openapi/generate.py

replay: setup
	$(BIN)/python -m tests.bench.replay $(SURFACES)

null-loops: setup
	$(BIN)/python -m tests.bench.null_loops

clean:
	rm -rf $(VENV) .whatnext .mypy_cache .ruff_cache .pytest_cache
