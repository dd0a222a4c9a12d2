# What a fresh machine needs: Python >= 3.11 with pip, apt-get, make. Everything goes into .venv here.
# Paths are relative throughout, so that the checkout may lie in a folder with a space in its name.

PYTHON ?= python3
# Any build of that version will do. PyPI's wheel for Linux brings CUDA along, some GB more than the
# CPU-only one; pip's own settings (such as PIP_EXTRA_INDEX_URL) tell where to find the latter.
TORCH ?= torch==2.13.0
# Extra arguments of pytest, such as ARGS="-k link".
ARGS ?=
# Benchmarks whose tables to renew, such as PART="emission proof"; all of them if empty.
PART ?=

BIN := .venv/bin
RUN := $(BIN)/python -m
# ccache halves the compilation of the tests. The last two are for waves in FST.
APT := iverilog g++ make perl ccache libusb-1.0-0 libftdi1-2 liblz4-dev zlib1g-dev

.PHONY: help setup demo check test lint slow docs results clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo   set up, then train, check, build and run the demonstration'
	@echo 'make check  set up, then run linters, types, layout and model tests: a minute, no simulator'
	@echo 'make test   set up, then run linters and all tests'
	@echo 'make slow   set up, then run the long tests (large chips, long training)'
	@echo 'make docs   set up, then build the site: build/site/index.html'
	@echo 'make results  set up, then measure and write the tables of docs/results.md: a day, resumable;'
	@echo '            PART=emission measures that part only'
	@echo 'make setup  only set up; does nothing if nothing changed'
	@echo 'make clean  remove everything that was built, except .venv'

setup: .venv/ready

demo: setup
	$(RUN) lutformer demo

# Two workers with as many threads as cores each spend their time waiting for each other.
check test slow results: export OMP_NUM_THREADS := 1

check: setup lint
	$(RUN) pytest -n 2 tests/test_layout.py tests/model $(ARGS)

test: setup lint
	$(RUN) pytest -n 2 $(ARGS)

slow: setup
	$(RUN) pytest -m slow $(ARGS)

docs: setup
	$(RUN) sphinx -W --keep-going -d build/site/.doctrees docs build/site

results: setup
	$(RUN) benchmarks.results $(or $(PART),--all)

lint: setup
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) pyright

clean:
	rm -rf build .pytest_cache .ruff_cache
	find hdl model sim boards src tests -name __pycache__ -prune -exec rm -rf {} +

# The stamp is written last: an interrupted set-up starts again.
.venv/ready: pyproject.toml requirements.lock setup.sh
	sh setup.sh '$(PYTHON)' '$(TORCH)' '$(APT)'
	touch $@
