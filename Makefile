# make demo   the whole system on a small simulated survey
# make test   style, types and every test
# make torture files damaged in 100,000 ways, for every reader
# make oldest the tests under the oldest dependencies that are allowed
# make env    the environment both stand on; nothing to do when it is current

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PYTEST := python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: demo test oldest torture env lint browser clean
.DEFAULT_GOAL := demo

demo: env
	$(BIN)/mixz run

test: env lint
	$(BIN)/$(PYTEST)

# FUZZ_INPUTS and FUZZ_SEED say how many and which; findings are put aside in out/fuzz.
torture: env
	PYTHONPATH=tests $(BIN)/python -m fuzz

# Warnings are no errors there: old packages warn about their own dependencies.
BRIDGES := tests/bridges tests/rail tests/data/test_hats_tables.py tests/stages/test_challenge.py
oldest:
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable '.[dask,dev,mock,onnx,serve,sklearn,train]'
	.venv-oldest/bin/$(PYTEST) -o filterwarnings=default
	$(PYTHON) -m venv .venv-oldest-bridges
	.venv-oldest-bridges/bin/python -m pip install --quiet --constraint constraints-oldest-bridges.txt --editable '.[dask,dev,hats,mlflow,mock,onnx,rail,serve,sklearn,train]'
	.venv-oldest-bridges/bin/$(PYTEST) -o filterwarnings=default $(BRIDGES)

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

env: $(VENV)/.current

# A half-made environment has no stamp, so the next `make` begins again.
$(VENV)/.current: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mixz needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dask,dev,hats,mlflow,mock,onnx,rail,serve,sklearn,train]'
	touch $@

# Tests of the pages need a Chromium; without one they are skipped, and say so.  .ci/run does this where it is missing.
browser:
	apt-get install -y chromium

clean:
	rm -rf $(VENV) .venv-oldest* out build dist .mypy_cache .ruff_cache .pytest_cache
