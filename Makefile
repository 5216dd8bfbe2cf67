# Everything starts from a machine with Python >= 3.11 and make; every target makes .venv first where it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SHELL := /bin/bash

.PHONY: demo test test-data test-gpu test-all check bench results install docs screenshot clean

demo: install  ## the main job on the embedded sample, offline: classify messages, then write answers
	HF_HUB_OFFLINE=1 $(BIN)/accordeur compare recipes/demo.yaml --out runs/demo
	HF_HUB_OFFLINE=1 $(BIN)/accordeur compare recipes/demo-write.yaml --out runs/demo-write

test: install  ## all tests that need no data from outside; a short selection over real data where ACCORDEUR_DATA is set
	@if [ -n "$$ACCORDEUR_DATA" ]; then echo "real data: a short selection from $$ACCORDEUR_DATA"; \
	else echo "real data: skipped, ACCORDEUR_DATA is not set"; fi
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and (not data or short_data)"

test-data: install  ## the tests over real data; fails where ACCORDEUR_DATA is not set
	@test -n "$$ACCORDEUR_DATA" || { echo "ACCORDEUR_DATA is not set: it names the folder with the real data sets"; exit 1; }
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -m data

test-gpu: install  ## the tests that need an NVIDIA card
	ACCORDEUR_TEST_GPU=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest tests/gpu

test-all: install  ## the full matrix of methods, kinds and families
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest

check: install  ## lint, types, layers, sizes, generated pages up to date
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/shape.py
	$(BIN)/python scripts/generate.py --check

bench: install  ## the benchmarks, each against its peer in the same run; hours, not asserted anywhere
	$(BIN)/pip install -q -c constraints.txt -e .[bench]
	$(BIN)/python -m benchmarks

results: install  ## every worked recipe, one after another, resumably; hours (scripts/results.py plan runs); then the tables of docs/results.md
	@test -n "$$ACCORDEUR_DATA" || { echo "ACCORDEUR_DATA is not set: it names the folder with the real data sets"; exit 1; }
	HF_HUB_OFFLINE=1 $(BIN)/python scripts/results.py run runs
	$(BIN)/python scripts/results.py store runs
	$(BIN)/python scripts/poolings.py runs/poolings --store
	$(BIN)/python scripts/equivalence.py runs/topic runs/intent-full-budget --store
	$(BIN)/python scripts/generate.py

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt torch
	$(BIN)/python -m pip install -q -c constraints.txt -e .[dev]
	touch $(STAMP)

screenshot:  ## docs/report.png from the report of the demo; needs Debian's chromium
	@test -f runs/demo/report.html || { echo "runs/demo holds no report: run \`make demo\` first"; exit 1; }
	$(PYTHON) scripts/screenshot.py runs/demo docs/report.png

docs: install  ## tables and help pages from what the programs print
	$(BIN)/python scripts/generate.py

clean:
	rm -rf $(VENV) build dist
