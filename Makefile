# Nothing but Python >= 3.11, make and a network for pip is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PORT ?= 8888
LAB_ARGS ?=
# The first notebook opens whichever way the browser gets there; nothing is asked of the Internet.
LAB := --LabApp.default_url=/lab/tree/notebooks/00_overview.ipynb --LabApp.news_url=None \
  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly
# Run something with an emulator of its own, which ends with it, and without the user's AWS settings.
APART := PY=$(PY) tests/apart

.PHONY: lab install test check unit rehearse refresh pictures bench bench-tests cost format clean

# `make lab` is what an attendee types: install once, then open the course. The emulator ends with JupyterLab.
lab: install
	@sh -c 'export LOTTERY_LAB_PID=$$$$ JUPYTER_PREFER_ENV_PATH=1; \
	  $(PY) -m lottery_lib emulator start > /dev/null && exec $(PY) -m jupyterlab $(LAB) --ServerApp.port=$(PORT) $(LAB_ARGS)'

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml requirements.lock data/jupyter_server_config.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.12, say." >&2; exit 1; }
	@echo "Installing into $(VENV): about a minute, once."
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(VENV)/share/jupyter/lab/settings && cp data/jupyterlab_overrides.json \
	  $(VENV)/share/jupyter/lab/settings/overrides.json
	@mkdir -p $(VENV)/etc/jupyter && cp data/jupyter_server_config.py $(VENV)/etc/jupyter/
	@$(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	@touch $@

# The gate before each commit.
check: $(VENV)/.tested
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(PY) -m pytest tests/unit

# AWS's own command line, into which a test pastes what `calls` writes. It pins a botocore of its own, so it
# is an environment of its own; version 2 cannot be had from pip.
$(VENV)/awscli/.installed: $(VENV)/.installed
	@$(PY) -m venv $(VENV)/awscli
	@$(VENV)/awscli/bin/python -m pip install --quiet --disable-pip-version-check 'awscli>=1.46,<1.47'
	@touch $@

# An emulator that others wrote, for a second opinion; boto3 is what our functions import there. Without it
# its tests are left out.
$(VENV)/ministack/.installed: $(VENV)/.installed
	@$(PY) -m venv $(VENV)/ministack
	@if $(VENV)/ministack/bin/python -m pip install --quiet --disable-pip-version-check \
	  'ministack>=1.5.33,<1.6' 'boto3>=1.43,<2'; then touch $@; \
	  else echo "MiniStack cannot be installed here." >&2; fi

# Everything: the gate, the emulator, the notebooks (twice, so that what a first run leaves behind is
# noticed), and a real browser where there is one. All of it apart from the user's own emulator and AWS.
test: check $(VENV)/awscli/.installed $(VENV)/ministack/.installed
	$(APART) tests/everything

rehearse: install
	$(PY) -m lottery_lib rehearse

# Run every notebook anew and store what it shows; a second run gives the same bytes.
refresh: $(VENV)/.tested
	$(APART) $(PY) tests/notebooks/refresh.py

# The README's pictures, from a real draw in a real browser.
pictures: $(VENV)/.tested
	$(APART) $(PY) tests/browser/pictures.py

# The kit's figures, side by side, and the README's sentences from them: ten minutes on a quiet machine.
bench: $(VENV)/.tested $(VENV)/ministack/.installed
	$(APART) $(PY) benchmarks/bench.py

# How long `make test` takes, for the table of the next `make bench`.
bench-tests: $(VENV)/.tested
	$(PY) benchmarks/bench.py --tests

# What a run costs on AWS, from the calls that it makes.
cost: $(VENV)/.tested
	$(APART) $(PY) benchmarks/cost.py

format: $(VENV)/.tested
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:
	rm -rf $(VENV) *.egg-info
