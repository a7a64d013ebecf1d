# Every target does its own set-up: a virtual environment in .venv, locked packages, warm kernels.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes
KERNEL_SOURCES := $(shell find market sim/matching sim/backtest sim/archive sim/scenarios gpu orchestrator/research -name '*.py' -o -name '*.xml')

# A test that stands still for so many seconds fails with every thread's stack, and the others go on.
NO_HANG = -o faulthandler_timeout=$(1) -o faulthandler_exit_on_timeout=true

# What test-long runs; docs/tests.md says how long each room takes.
TESTS ?= tests

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long lint bench bench-gpu clean lock

help:
	@echo "make demo       replay a market and show what the fast loop decides; then trade on a simulated exchange"
	@echo "make test       run the tests"
	@echo "make test-long  run the slow suites as well, for hours; of one room: make test-long TESTS=tests/hdl"
	@echo "make lint       style, strict types, import direction"
	@echo "make bench      measure beside peers, append to benchmarks/results"
	@echo "make bench-gpu  test and measure on a GPU, into benchmarks/results/gpu"
	@echo "make setup      only install what 'demo' needs"
	@echo "make clean      remove the environment and everything built"

$(VENV)/.checked: scripts/check_prerequisites.sh
	@sh scripts/check_prerequisites.sh $(PYTHON)
	@test -x $(BIN)/python || { echo "creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@touch $@

$(VENV)/.checked-tests: $(VENV)/.checked scripts/check_prerequisites.sh
	@sh scripts/check_prerequisites.sh $(PYTHON) tests
	@touch $@

$(VENV)/.core: $(VENV)/.checked requirements/build.lock requirements/core.lock pyproject.toml
	@echo "installing the core packages"
	@$(PIP) -r requirements/build.lock -r requirements/core.lock
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.test: $(VENV)/.core requirements/test.lock
	@echo "installing the test packages"
	@$(PIP) -r requirements/test.lock
	@touch $@

$(VENV)/.fpga: $(VENV)/.core requirements/fpga.lock
	@echo "installing the hardware tools"
	@$(PIP) -r requirements/fpga.lock
	@touch $@

$(VENV)/.live: $(VENV)/.core requirements/live.lock
	@echo "installing the packages of the live loop"
	@$(PIP) -r requirements/live.lock
	@touch $@

$(VENV)/.gpu: $(VENV)/.core requirements/gpu.lock
	@echo "installing the GPU's compiler"
	@$(PIP) -r requirements/gpu.lock
	@touch $@

$(VENV)/.plots: $(VENV)/.core requirements/plots.lock
	@echo "installing what draws plots"
	@$(PIP) -r requirements/plots.lock
	@touch $@

$(VENV)/.models: $(VENV)/.core requirements/models.lock
	@echo "installing what runs models"
	@$(PIP) -r requirements/models.lock
	@touch $@

$(VENV)/.tune: $(VENV)/.core requirements/tune.lock
	@echo "installing the optimiser"
	@$(PIP) -r requirements/tune.lock
	@touch $@

# PyTorch has a build per accelerator under one version, so it is pinned without a hash: any of them will do.
$(VENV)/.train: $(VENV)/.models requirements/train.lock
	@echo "installing PyTorch"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -c requirements/train.lock torch==2.13.0
	@touch $@

$(VENV)/.bench: $(VENV)/.test requirements/bench.lock
	@echo "installing the peers to measure against"
	@$(PIP) -r requirements/bench.lock
	@touch $@

$(VENV)/.warm: $(VENV)/.core $(KERNEL_SOURCES)
	@$(BIN)/tickwire warm
	@touch $@

setup: $(VENV)/.core $(VENV)/.warm

demo: setup $(VENV)/.live
	@$(BIN)/tickwire demo
	@$(BIN)/tickwire demo --live

test: $(VENV)/.checked-tests setup $(VENV)/.test $(VENV)/.fpga $(VENV)/.live $(VENV)/.gpu $(VENV)/.plots $(VENV)/.models $(VENV)/.tune
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(call NO_HANG,600) tests

test-long: $(VENV)/.checked-tests setup $(VENV)/.test $(VENV)/.fpga $(VENV)/.live $(VENV)/.gpu $(VENV)/.plots $(VENV)/.models $(VENV)/.tune $(VENV)/.train $(VENV)/.bench
	@$(BIN)/python -m pytest -n 2 --dist worksteal --long $(call NO_HANG,7200) $(TESTS)

lint: $(VENV)/.test $(VENV)/.live $(VENV)/.plots $(VENV)/.models $(VENV)/.tune
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_architecture.py

bench: setup $(VENV)/.bench
	@$(BIN)/python -m benchmarks

# Without a GPU it says so before PyTorch, some gigabytes, is fetched.
bench-gpu: $(VENV)/.core $(VENV)/.gpu
	@$(BIN)/python -m benchmarks.gpu --only-look
	@$(MAKE) --no-print-directory $(VENV)/.test $(VENV)/.train
	@$(BIN)/python -m benchmarks.gpu

clean:
	@rm -rf $(VENV) build out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Renewing the locks needs uv (pip install uv); everyone else only reads them.
lock:
	@sh scripts/lock.sh
