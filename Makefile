# make demo   the whole system on a small simulated survey
# make test   style, types and every test
# make oldest the tests under the oldest dependencies that are allowed
# make torture  100,000 damaged files for every reader, then every verb killed at random moments; counted; hours
# make env    the environment both stand on; nothing to do when it is current
# make dist   wheel and sdist: built, installed by the lock into an empty environment, and tried there
# make docs   the site: every page, the tutorials executed, links checked; out/docs/index.html
# make lock   locks/, after constraints.txt or pyproject.toml have changed
# make licences  the tables of docs/dependencies.md, and what is not permissive
# make audit  known vulnerabilities of every package, where a database can be reached
# make mutants   how many small faults in metrics/ and truths/ the tests find

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Which build of torch `make env` brings: pip's own, or with `make demo TORCH=cpu` the smaller one for CPUs.
TORCH  ?=
CPU_BUILDS := https://download.pytorch.org/whl/cpu
BRINGS_CPU := downloading every package of constraints.txt into $(VENV), torch for CPUs: some 1 GB in all
BRINGS_ANY := downloading every package of constraints.txt into $(VENV): on Linux pip's index has torch for CUDA, several \
  GB in all. For the CPU build, some 1 GB in all, stop this (Ctrl-C) and say: make demo TORCH=cpu
# Tests run in another order every time: `make test SEED=1` is that of another run, which printed its seed.
SEED   ?= $(shell $(PYTHON) -c 'import random; print(random.randrange(10**6))')
SEED   := $(SEED)
PYTEST := python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal
ORDER  := --randomly-seed=$(SEED) --hypothesis-seed=$(SEED)

# Damaged files are read in the tests' own processes, and what a C library makes of one may bring down another test much
# later (seen once in HDF5's).  So what failed is run once more, each alone; what fails again fails.
AGAIN  := { echo "once more, what failed:"; \
  $(BIN)/python -m pytest -p no:randomly --last-failed --last-failed-no-failures none --ignore=tests/crash; }

.PHONY: demo test crash oldest torture env lint style types docs dist lock licences audit mutants release browser clean
.DEFAULT_GOAL := demo

demo: env
	$(BIN)/mixz run

# mypy and the crash tests each use one core and follow each other beside the rest; what they said comes at the end.
BESIDE := out/beside.log
test: style
	@echo "tests in the order of SEED=$(SEED); beside them types and crashes: $(BESIDE)"
	@mkdir -p out
	@$(MAKE) --no-print-directory --keep-going types crash > $(BESIDE) 2>&1 & beside=$$!; \
	  trap 'kill $$beside; exit 130' INT TERM; \
	  failed=0; $(BIN)/$(PYTEST) $(ORDER) --ignore=tests/crash || $(AGAIN) || failed=1; \
	  wait $$beside || failed=1; cat $(BESIDE); exit $$failed

# Warnings are no errors there: old packages warn about their own dependencies.
BRIDGES := tests/bridges tests/rail tests/data/test_hats_tables.py tests/stages/test_challenge.py
oldest:
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable '.[dask,dev,mock,onnx,serve,sklearn,train]'
	.venv-oldest/bin/$(PYTEST) -o filterwarnings=default
	$(PYTHON) -m venv .venv-oldest-bridges
	.venv-oldest-bridges/bin/python -m pip install --quiet --constraint constraints-oldest-bridges.txt --editable '.[dask,dev,hats,mlflow,mock,onnx,rail,sacc,serve,sklearn,train]'
	.venv-oldest-bridges/bin/$(PYTEST) -o filterwarnings=default $(BRIDGES)

# Hours. In pieces: make torture FUZZ_INPUTS=5000 FUZZ_SEED=3 MIXZ_VERBS=build,predict MIXZ_KILLS=20 MIXZ_SEED=3
# What the fuzzer finds is put aside in out/fuzz.
torture: env
	PYTHONPATH=tests $(BIN)/python -m fuzz
	PYTHONPATH=tests $(BIN)/python tests/crash/torture.py

lint: style types

style: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: env
	$(BIN)/mypy

# Kills and failing disks, one after the other.  What failed of the other tests stays in the cache.
crash: env
	$(BIN)/python -m pytest -p no:randomly -p no:cacheprovider tests/crash

docs: env
	$(BIN)/python -m sphinx --nitpicky --fail-on-warning --keep-going --quiet docs out/docs
	@echo "the site: out/docs/index.html"

dist lock licences audit: release
dist:
	$(BIN)/python checks/distribution.py
lock:
	$(BIN)/python checks/lock.py
licences:
	$(BIN)/python checks/licences.py --write
audit:
	$(BIN)/python checks/audit.py

FAULTS ?= 300
mutants: env
	OMP_NUM_THREADS=1 $(BIN)/python checks/mutants.py --faults $(FAULTS)

release: env
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[release]'

env: $(VENV)/.current

# A half-made environment has no stamp, so the next `make` begins again.
$(VENV)/.current: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mixz needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.11"; exit 2; }
	@echo "$(BRINGS_$(if $(filter cpu,$(TORCH)),CPU,ANY))"
	$(PYTHON) -m venv $(VENV)
	$(if $(filter cpu,$(TORCH)),PIP_EXTRA_INDEX_URL=$(CPU_BUILDS)) $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dask,dev,docs,hats,mlflow,mock,onnx,rail,sacc,serve,sklearn,train]'
	touch $@

# Tests of the pages need a Chromium; without one they are skipped, and say so.  .ci/run does this where it is missing.
browser:
	apt-get install -y chromium

clean:
	rm -rf $(VENV) .venv-oldest* out build dist .mypy_cache .ruff_cache .pytest_cache
