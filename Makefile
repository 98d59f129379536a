# You need only Python >= 3.11, make and a network for pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PORT ?= 8888
LAB_ARGS ?=
# `make wheelhouse STICK=/media/stick` writes the packages for machines without a network: all of this system and this
# Python. There, `make lab WHEELHOUSE=/media/stick` installs them.
STICK ?= .
WHEELHOUSE ?=
# JupyterLab always opens the first notebook of your own copies.
# `make lab COURSE=notebooks` is for who changes the course: it opens the notebooks that git tracks.
COURSE := work
LAB = --LabApp.default_url=/lab/tree/$(COURSE)/00_overview.ipynb
# Runs a command with an emulator of its own and without your AWS settings. The emulator ends with the command.
APART := PY=$(PY) tests/apart

# Python stores what it compiles. Without that, each of a hundred processes would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: lab lab-zh install project hub wheelhouse locks test test-all check static unit lessons rehearse refresh translations templates site pictures bench bench-tests cost fidelity gate format clean

# Attendees type `make lab`. It installs once, then opens the course. The emulator ends with JupyterLab.
# `make lab-zh` is the same in Chinese: the notebooks, JupyterLab's menus, and `lottery` in its terminals. An English
# notebook stays English, because a kernel has the language of its folder.
lab-zh: COURSE := work/zh
lab-zh: export JUPYTER_CONFIG_PATH := $(CURDIR)/data/lab_zh
lab-zh: export LANGUAGE := zh_CN
lab lab-zh: install
	@$(PY) -m lottery_lib notebooks > /dev/null
	@sh -c 'export LOTTERY_LAB_PID=$$$$ JUPYTER_PREFER_ENV_PATH=1; \
	  $(PY) -m lottery_lib emulator start > /dev/null && exec $(PY) -m jupyterlab $(LAB) --ServerApp.port=$(PORT) $(LAB_ARGS)'

install: $(VENV)/.installed

# It says first what is missing. pip checks each file that it fetches against the lock. Then it installs this project,
# and fetches nothing for it.
PIP := -m pip install --quiet --disable-pip-version-check
LOCKED := $(PIP) --require-hashes --requirement

$(VENV)/.installed: pyproject.toml emulator/pyproject.toml states_language/pyproject.toml requirements.lock data/install.py $(wildcard data/jupyter* data/ipython*)
	@$(PYTHON) data/install.py $(VENV) $(if $(WHEELHOUSE),"$(WHEELHOUSE)")
	@$(MAKE) --no-print-directory project
	@touch $@

# JupyterLab's settings and the project itself, where its packages are. Binder and conda begin here: see postBuild.
project:
	@mkdir -p $(VENV)/share/jupyter/lab/settings && cp data/jupyterlab_overrides.json \
	  $(VENV)/share/jupyter/lab/settings/overrides.json
	@mkdir -p $(VENV)/etc/jupyter/custom && cp data/jupyter_server_config.py $(VENV)/etc/jupyter/
	@cp data/jupyterlab_custom.css $(VENV)/etc/jupyter/custom/custom.css
	@mkdir -p $(VENV)/etc/jupyter/labconfig && cp data/jupyterlab_page_config.json \
	  $(VENV)/etc/jupyter/labconfig/page_config.json
	@mkdir -p $(VENV)/etc/ipython && cp data/ipython_kernel_config.py $(VENV)/etc/ipython/
	@$(PY) $(PIP) --no-deps --no-build-isolation --editable ./states_language --editable ./emulator --editable .

# JupyterHub for a class on one machine: see docs/classroom.md. It needs Node.js and npm. People who share this
# environment cannot write into it, so the kit's own modules are compiled here.
hub: $(VENV)/hub/.installed

$(VENV)/hub/.installed: $(VENV)/.installed $(wildcard data/hub/*)
	@$(PY) $(LOCKED) data/hub/jupyterhub.lock
	@mkdir -p $(VENV)/hub && cp data/hub/package.json data/hub/package-lock.json $(VENV)/hub/
	@npm ci --prefix $(VENV)/hub --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(PY) -m compileall -q lottery_lib lottery_party lottery_course emulator/sfn_emulator states_language
	@touch $@

$(VENV)/.tested: $(VENV)/.installed requirements-dev.lock
	$(PY) $(LOCKED) requirements-dev.lock
	@touch $@

wheelhouse: install
	@$(PY) data/wheelhouse.py "$(STICK)"

# Makes the locks again for all systems: `make locks` with the versions that they have, if pyproject.toml allows them;
# `make locks UPGRADE=--upgrade` with the newest.
UPGRADE ?=
LOCK = $(VENV)/tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-annotate --no-header --no-emit-package sfn-emulator --no-emit-package states-language $(UPGRADE)
BACKEND := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])
locks: $(VENV)/tools/.installed
	$(PYTHON) -c '$(BACKEND)' | $(LOCK) pyproject.toml - --output-file requirements.lock
	$(LOCK) requirements.lock pyproject.toml --extra dev --output-file requirements-dev.lock
	echo 'awscli>=1.46,<1.47' | $(LOCK) - --output-file tests/kit/awscli.lock
	echo 'aws-sam-cli>=1.170,<2' | $(LOCK) - --output-file tests/kit/samcli.lock
	printf 'ministack>=1.5.33,<1.6\nboto3>=1.43,<2' | $(LOCK) - --output-file tests/second/ministack.lock
	printf 'uv>=0.13,<0.14\ncheck-jsonschema>=0.39,<0.40\njupyter-repo2docker>=2026.4' | $(LOCK) - --output-file tests/machine/tools.lock
	printf 'jupyterhub>=6.1.1,<7\njupyterhub-idle-culler>=2,<3' | $(LOCK) - --constraint requirements.lock \
	  --output-file data/hub/jupyterhub.lock
	npm install --prefix data/hub --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
	printf 'sphinx>=9.0,<9.1\nmyst-nb>=1.4,<2\nsphinx-book-theme>=1.4,<2\njsonata-python>=0.7.1,<0.8\ngraphviz>=0.21,<0.22\ntraitlets>=5,<6' | $(LOCK) - --output-file docs/site/site.lock
	npm install --prefix tests/machine/pyodide --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
	npm install --prefix docs/site --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
	$(subst 3.11,3.13,$(LOCK)) emulator/fidelity/requirements.txt --output-file emulator/fidelity/requirements.lock

# Run this before each commit. Both halves run at the same time.
check: $(VENV)/.tested
	@$(MAKE) --no-print-directory --jobs 2 static unit

static: $(VENV)/.tested
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(BIN)/lint-imports --config emulator/.importlinter
	$(BIN)/lint-imports --config states_language/.importlinter

unit: $(VENV)/.tested
	$(PY) -m pytest tests/unit -n 2 -p no:nbval -m "not long"
	$(PY) -m pytest states_language/tests -n 2 -p no:nbval -m "not long"
	$(PY) -m pytest emulator/tests/unit -n 2 -p no:nbval -m "not long"

# AWS's own command line. A test runs the commands that `calls` writes with it. It pins its own version of
# botocore, so it has its own environment. pip has no version 2.
$(VENV)/awscli/.installed: $(VENV)/.installed tests/kit/awscli.lock
	@$(PY) -m venv $(VENV)/awscli
	@$(VENV)/awscli/bin/python $(LOCKED) tests/kit/awscli.lock
	@touch $@

# AWS's own command line for projects of SAM. A test deploys one with it. The lock has all that it needs, and pip must not
# look further: it finds no hash for a dependency with an extra.
$(VENV)/samcli/.installed: $(VENV)/.installed tests/kit/samcli.lock
	@$(PY) -m venv $(VENV)/samcli
	@$(VENV)/samcli/bin/python $(PIP) --no-deps --require-hashes --requirement tests/kit/samcli.lock
	@touch $@

# What reads files for other machines: uv the locks, repo2docker what Binder gets, check-jsonschema GitHub's workflow.
$(VENV)/tools/.installed: tests/machine/tools.lock
	@$(PYTHON) -m venv $(VENV)/tools
	@$(VENV)/tools/bin/python $(LOCKED) tests/machine/tools.lock
	@touch $@

# MiniStack, an emulator that others wrote: see docs/second_opinion.md. Our functions import boto3 there. If pip
# cannot install MiniStack, `make test-all` leaves out its tests.
$(VENV)/ministack/.installed: $(VENV)/.installed tests/second/ministack.lock
	@$(PY) -m venv $(VENV)/ministack
	@if $(VENV)/ministack/bin/python $(LOCKED) tests/second/ministack.lock; then touch $@; \
	  else echo "MiniStack cannot be installed here." >&2; fi

# Runs what a change can break: `make check`, the emulator, the notebooks, and a real browser. Without a browser, its last
# line says what it left out. Your own emulator and your AWS settings are not touched.
test: check
	$(APART) tests/everything short

# Runs `make test`, and all tests that take long: each interruption, AWS's command lines, MiniStack, the notebooks in kernels.
test-all: test $(if $(shell command -v npm;),site $(VENV)/pyodide/.installed) $(VENV)/awscli/.installed $(VENV)/samcli/.installed $(VENV)/ministack/.installed $(VENV)/tools/.installed
	$(APART) tests/everything long

# Runs the cells of all lessons without a kernel. CI does it, and the unit tests, with Debian's Python, too.
lessons: $(VENV)/.tested
	env -u CI -u BUILD_NUMBER $(APART) $(PY) -m pytest tests/notebooks/test_checks.py -n 2 -p no:nbval -m "not long"

rehearse: install
	$(PY) -m lottery_lib rehearse

# Runs every notebook and stores its outputs. A second run gives the same bytes.
refresh: $(VENV)/.tested
	$(APART) $(PY) tests/notebooks/refresh.py

# Brings the catalogues of the other languages up to date, and writes their notebooks and documents from them.
translations: $(VENV)/.tested
	$(PY) translations/catalogues.py

# Writes the templates of `lottery export` from the plan. A test compares them.
templates: $(VENV)/.tested
	$(PY) data/sam_templates.py

# Builds the course as pages, in all languages, and says where they begin.
site: $(VENV)/site/.installed
	@PYTHONPATH=. $(VENV)/site/bin/python docs/site/course_site.py

# The Python of a browser. A test runs state machines in it.
$(VENV)/pyodide/.installed: $(VENV)/.installed tests/machine/pyodide/package-lock.json
	@mkdir -p $(VENV)/pyodide && cp tests/machine/pyodide/package.json tests/machine/pyodide/package-lock.json $(VENV)/pyodide/
	@npm ci --prefix $(VENV)/pyodide --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# What builds the pages: Sphinx, and Mermaid from npm.
$(VENV)/site/.installed: docs/site/site.lock docs/site/package-lock.json
	@$(PYTHON) -m venv $(VENV)/site
	@$(VENV)/site/bin/python $(LOCKED) docs/site/site.lock
	@cp docs/site/package.json docs/site/package-lock.json $(VENV)/site/
	@npm ci --prefix $(VENV)/site --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Makes the pictures of the README and the docs from real draws in a real browser, in all languages.
pictures: $(VENV)/.tested
	$(APART) $(PY) -m pytest -q -p no:nbval -m browser tests/browser/pictures.py

# Measures the kit and writes the README's sentences. It takes ten minutes; use a machine that does nothing else.
bench: $(VENV)/.tested $(VENV)/ministack/.installed
	PYTHONPATH=tests:emulator/tests $(APART) $(PY) benchmarks/bench.py

# Measures how long `make test` takes, and puts this into the table of `make bench` and into the README.
bench-tests: $(VENV)/.tested
	PYTHONPATH=tests:emulator/tests $(PY) benchmarks/bench.py --tests

# Calculates what a run costs on AWS from the calls that it makes.
cost: $(VENV)/.tested
	$(APART) $(PY) benchmarks/cost.py

# Runs the tests that others recorded on AWS against this emulator, moto and MiniStack, and writes the record:
# emulator/docs/fidelity.md says what you need. `make fidelity CHECKOUT=/path/to/localstack ONLY=--ours` only shows.
CHECKOUT ?= ../localstack
FIDELITY_PYTHON ?= python3.13
ONLY ?=
fidelity: $(VENV)/.tested $(VENV)/ministack/.installed $(VENV)/fidelity/.installed
	PYTHONPATH=emulator/fidelity $(APART) $(PY) emulator/fidelity/measure.py $(CHECKOUT) \
	  --python $(VENV)/fidelity/bin/python --ministack $(VENV)/ministack/bin/ministack $(ONLY)

# Runs the same tests against the interpreter alone, without an emulator, and shows what differs. It takes a minute or two.
gate: $(VENV)/.tested $(VENV)/fidelity/.installed
	PYTHONPATH=emulator/fidelity $(PY) emulator/fidelity/measure.py $(CHECKOUT) --gate --python $(VENV)/fidelity/bin/python

$(VENV)/fidelity/.installed: emulator/fidelity/requirements.lock
	@$(FIDELITY_PYTHON) -m venv $(VENV)/fidelity
	@$(VENV)/fidelity/bin/python $(LOCKED) emulator/fidelity/requirements.lock
	@touch $@

format: $(VENV)/.tested
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:
	rm -rf $(VENV) *.egg-info
