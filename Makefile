# make demo   the whole system on a small simulated survey
# make test   style, types and every test
# make env    the environment both stand on; nothing to do when it is current

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test env lint browser clean
.DEFAULT_GOAL := demo

demo: env
	$(BIN)/mixz run

test: env lint
	$(BIN)/python -m pytest

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
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache
