# `make demo`, `make test` and `make test-all` do all their own set-up: Python (3.11 to 3.13), make and a C compiler suffice.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-all check install clean

install: $(VENV)/installed

# torch first: the pinned version, so that no other package pulls a build with accelerator libraries.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@

demo: install
	$(BIN)/crosswind demo

check: install
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two workers of one thread each; the tests of a file stay together, so that what they share is made once.
test: check
	$(BIN)/python -m pytest --numprocesses 2 --durations 10

# With the slow ones too: what every change must pass.
test-all: check
	$(BIN)/python -m pytest --numprocesses 2 --durations 20 -m ""

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache
