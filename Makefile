# You need only Python >= 3.11, make and a network for pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PORT ?= 8888
LAB_ARGS ?=
# JupyterLab always opens the first notebook. It sends no request to the Internet.
LAB := --LabApp.default_url=/lab/tree/notebooks/00_overview.ipynb --LabApp.news_url=None \
  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly
# Runs a command with an emulator of its own and without your AWS settings. The emulator ends with the command.
APART := PY=$(PY) tests/apart

.PHONY: lab install test test-all check unit rehearse refresh pictures bench bench-tests cost format clean

# Attendees type `make lab`. It installs once, then opens the course. The emulator ends with JupyterLab.
lab: install
	@sh -c 'export LOTTERY_LAB_PID=$$$$ JUPYTER_PREFER_ENV_PATH=1; \
	  $(PY) -m lottery_lib emulator start > /dev/null && exec $(PY) -m jupyterlab $(LAB) --ServerApp.port=$(PORT) $(LAB_ARGS)'

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml requirements.lock data/jupyter_server_config.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make install PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Installing into $(VENV). This takes about a minute, once."
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(VENV)/share/jupyter/lab/settings && cp data/jupyterlab_overrides.json \
	  $(VENV)/share/jupyter/lab/settings/overrides.json
	@mkdir -p $(VENV)/etc/jupyter && cp data/jupyter_server_config.py $(VENV)/etc/jupyter/
	@$(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	@touch $@

# Run this before each commit.
check: $(VENV)/.tested
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(PY) -m pytest tests/unit -n 2

# AWS's own command line. A test runs the commands that `calls` writes with it. It pins its own version of
# botocore, so it has its own environment. pip has no version 2.
$(VENV)/awscli/.installed: $(VENV)/.installed
	@$(PY) -m venv $(VENV)/awscli
	@$(VENV)/awscli/bin/python -m pip install --quiet --disable-pip-version-check 'awscli>=1.46,<1.47'
	@touch $@

# MiniStack, an emulator that others wrote: see docs/second_opinion.md. Our functions import boto3 there. If pip
# cannot install MiniStack, `make test-all` leaves out its tests.
$(VENV)/ministack/.installed: $(VENV)/.installed
	@$(PY) -m venv $(VENV)/ministack
	@if $(VENV)/ministack/bin/python -m pip install --quiet --disable-pip-version-check \
	  'ministack>=1.5.33,<1.6' 'boto3>=1.43,<2'; then touch $@; \
	  else echo "MiniStack cannot be installed here." >&2; fi

# Runs what a change can break: `make check`, the emulator, the notebooks, and a real browser if there is one. Your own
# emulator and your AWS settings are not touched.
test: check
	$(APART) tests/everything short

# Runs `make test`, and all tests that take long: each interruption, AWS's command line, MiniStack, the notebooks again.
test-all: test $(VENV)/awscli/.installed $(VENV)/ministack/.installed
	$(APART) tests/everything long

rehearse: install
	$(PY) -m lottery_lib rehearse

# Runs every notebook and stores its outputs. A second run gives the same bytes.
refresh: $(VENV)/.tested
	$(APART) $(PY) tests/notebooks/refresh.py

# Makes the README's pictures from a real draw in a real browser.
pictures: $(VENV)/.tested
	$(APART) $(PY) tests/browser/pictures.py

# Measures the kit and writes the README's sentences. It takes ten minutes; use a machine that does nothing else.
bench: $(VENV)/.tested $(VENV)/ministack/.installed
	$(APART) $(PY) benchmarks/bench.py

# Measures how long `make test` takes. The next `make bench` puts this into its table.
bench-tests: $(VENV)/.tested
	$(PY) benchmarks/bench.py --tests

# Calculates what a run costs on AWS from the calls that it makes.
cost: $(VENV)/.tested
	$(APART) $(PY) benchmarks/cost.py

format: $(VENV)/.tested
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:
	rm -rf $(VENV) *.egg-info
