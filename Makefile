# Everything a user types. `make run` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# One thread a process: BLAS, FFT and numba pools fight over the cores otherwise.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export NUMBA_NUM_THREADS := 1

.PHONY: run reproduce test lint types pytest ensemble bench faults docs spectra fresh newest oldest clean

run: $(STAMP)                ## install, sweep configs/quickstart.yaml, draw its picture
	$(BIN)/photogap run configs/quickstart.yaml --store results/quickstart.zarr

reproduce: $(STAMP)          ## the paper's statements compared with this code: sweeps, REPRODUCTION.md, its pictures
	$(BIN)/python -m photogap.sweeps.reproduction

test: lint types pytest      ## lint, types, all tests

lint: $(STAMP)-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)-test
	$(BIN)/mypy

# Tests that start no process of their own share the cores; the others need them to themselves.
ALONE := tests/core tests/analysis tests/figures

pytest: $(STAMP)-test
	$(BIN)/python -m pytest -n 2 $(ALONE)
	$(BIN)/python -m pytest tests $(addprefix --ignore=,$(ALONE))

ensemble: $(STAMP)-test      ## 300 random spectra against the imaginary axis: the table of docs/accuracy.md, resumed
	PYTHONPATH=tests $(BIN)/python -m support.ensemble --page docs/accuracy.md

spectra: $(STAMP)-test       ## layouts of spectrum files and 3000 damaged ones: the tables of docs/spectra.md
	PYTHONPATH=tests $(BIN)/python -m support.spectra_page --page docs/spectra.md

bench: $(STAMP)-bench        ## speed and memory, as ratios within one run
	$(BIN)/python -m pytest benchmarks -o python_files="bench_*.py" --benchmark-only --benchmark-columns=min,median,rounds
	$(BIN)/python benchmarks/bench_sweep.py

faults: $(STAMP)-test        ## harm stores and drivers hundreds of times, write the table of docs/reliability.md
	$(BIN)/python benchmarks/faults.py --write docs/reliability.md

fresh: $(STAMP)-test         ## the wheel in an empty folder: every command of README and docs/clusters.md; FRESH=--few is shorter
	$(BIN)/python scripts/fresh.py $(FRESH)

# What needs neither a service nor long: CI runs it in two more environments.
QUICK := tests/sweeps tests/analysis tests/figures/test_words.py tests/core/test_terms.py tests/core/test_collisions.py \
    tests/clusters/test_config.py tests/clusters/test_readings.py

CUBES := tests/sweeps/test_ecosystem.py tests/sweeps/test_sharing.py tests/sweeps/test_config.py tests/sweeps/test_examples.py

newest:                      ## newest versions of everything, unpinned: make newest PYTHON=python3.13
	sh scripts/versions.sh newest $(PYTHON) $(VENV)-newest-$$(basename $(PYTHON)) $(QUICK)

oldest:                      ## oldest versions that pyproject.toml allows, and cubes in other packages
	sh scripts/versions.sh oldest $(PYTHON) $(VENV)-oldest $(CUBES)

docs: $(STAMP)-docs          ## the site in build/docs, warnings as errors; executes notebooks that changed
	$(BIN)/python -m sphinx -q -W --keep-going -j auto docs build/docs
	@echo site: build/docs/index.html

$(STAMP): pyproject.toml scripts/venv.sh constraints.txt
	sh scripts/venv.sh $(PYTHON) $(VENV) .
	$(BIN)/python -m photogap.sweeps.precompile
	touch $@

$(STAMP)-test: $(STAMP)
	sh scripts/venv.sh $(PYTHON) $(VENV) '.[test]'
	touch $@

$(STAMP)-bench: $(STAMP)
	sh scripts/venv.sh $(PYTHON) $(VENV) '.[test,bench]'
	touch $@

$(STAMP)-docs: $(STAMP)
	sh scripts/venv.sh $(PYTHON) $(VENV) '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info results
