# One command from a fresh checkout: `make demo`. All that is needed is Python >= 3.11 and make.
# Windows without make: see "python -m alchemer_nb demo" in the README.

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8765
ARGS   ?=
CHECK  ?=
WORKERS ?= 3

# What is compiled is kept, whatever the shell says: tests start many processes.
export PYTHONDONTWRITEBYTECODE =

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo check test test-long live fidelity soak lint bench sandbox docs pictures pins clean

help:
	@echo 'make demo          install into $(VENV), run the quickstart against the sandbox, open JupyterLab'
	@echo 'make demo CHECK=1  the same, but stop before JupyterLab'
	@echo 'make check         the fast tests, side by side'
	@echo 'make test          make check, then kernels, notebooks, a browser, docs, other clients, Binder'
	@echo 'make test-long     what takes minutes, such as a hundred syncs that are killed'
	@echo 'make live          read-only checks of the real Alchemer, with credentials in the environment'
	@echo 'make fidelity      random surveys, each cell beside what a second reader says'
	@echo 'make soak          minutes of troubles: does the store stay right, does nothing grow?'
	@echo 'make lint          ruff (rules and format) and mypy'
	@echo 'make bench         speed and memory, as ratios, against other ways (about ten minutes)'
	@echo 'make sandbox       serve the sandbox on port $(PORT) until interrupted'
	@echo 'make docs          the documentation, with every notebook run: artifacts/docs/html'
	@echo 'make pictures      take the pictures of README and documentation anew'
	@echo 'make pins          write binder/requirements.txt anew, from the newest versions that fit'
	@echo 'make clean         remove $(VENV), caches and artifacts'

demo: $(VENV)/.installed-lab
	@$(BIN)/python -m alchemer_nb demo $(if $(CHECK),--check) $(ARGS)

# Tests that need more than Python. Those of them that measure how soon a cell ends run one by one.
# Every test of these folders is among them: others need not import what they import. And the files
# that hold none of them are imported for the others alone; tests/conftest.py sees to it that a
# file names the marks of its tests.
SLOW_FOLDERS := $(addprefix --ignore=tests/,browser kernels peers wild)
SLOW := kernel or notebook or browser or peers or binder or docs
SLOW_FILES = $(shell grep -rlE --include='test_*.py' 'mark\.($(subst $() or ,|,$(SLOW)))' tests | sort)

check: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(SLOW_FOLDERS) \
	  -m "not long and not ($(SLOW))" $(ARGS)

# With ARGS: those tests alone, one by one.
test: $(if $(ARGS),$(VENV)/.installed-test,check) $(VENV)/.installed-docs
	@$(BIN)/python -m tests.browser.chromium --install
ifeq ($(ARGS),)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	  -m "not long and ($(SLOW)) and not timed" $(SLOW_FILES)
	@$(BIN)/python -m pytest -m "not long and ($(SLOW)) and timed" $(SLOW_FILES)
else
	@$(BIN)/python -m pytest $(ARGS)
endif

# With ARGS: those long tests alone. Without: more examples of what holds for any input, too.
test-long: $(VENV)/.installed-test $(VENV)/.installed-docs
	@$(BIN)/python -m pytest -m long $(ARGS)
ifeq ($(ARGS),)
	@$(BIN)/python -m pytest -n $(WORKERS) -m "hypothesis and not ($(SLOW))" --ignore tests/fuzz \
	  --hypothesis-profile thorough
	@$(BIN)/python -m pytest -n $(WORKERS) -m hypothesis tests/fuzz --hypothesis-profile fuzz
endif

# Read-only checks of the real Alchemer, with ALCHEMER_API_TOKEN and its like in the environment.
# Nothing that they print, also where they fail, is a value of the account or of the environment.
live: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -m live tests/live -s --tb=line --no-showlocals $(ARGS)

# A few of them are part of `make check`. Thousands: make fidelity ARGS="--surveys 2000".
fidelity: $(VENV)/.installed-test
	@$(BIN)/python -m tests.fidelity $(ARGS)

# A round takes some five seconds. Longer: make soak ARGS="--seed 2 --rounds 500".
soak: $(VENV)/.installed-test
	@$(BIN)/python -m tests.soak $(ARGS)

lint: $(VENV)/.installed-lint
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy

bench: $(VENV)/.installed-test
	@$(PIP) --group bench
	@$(BIN)/python -m tests.benchmarks $(ARGS)

sandbox: $(VENV)/.installed-lab
	@$(BIN)/python -m alchemer_nb.sandbox --port $(PORT) $(ARGS)

# A warning is an error, such as a link that leads nowhere. ARGS="-D nb_execution_mode=off" runs no
# notebook.
docs: $(VENV)/.installed-docs
	@$(BIN)/python -m sphinx -q -W --keep-going -b html -d artifacts/docs/doctrees $(ARGS) \
	  docs artifacts/docs/html
	@echo 'Built: artifacts/docs/html/index.html'

pictures: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -q -m browser tests/browser/test_readme_picture.py
	@for name in panel-light panel-dark result-light result-dark; do \
	  cp artifacts/screenshots/$$name.png docs/$$name.png; \
	done

# Binder images rot unless every version is pinned; these are resolved in an empty environment.
pins: $(VENV)/.created
	@$(BIN)/python -m venv --clear $(VENV)/pins
	@$(VENV)/pins/bin/python -m pip install -qq --disable-pip-version-check '.[lab]'
	@$(VENV)/pins/bin/python -m pip freeze --exclude alchemer_nb > binder/requirements.txt
	@rm -rf $(VENV)/pins

clean:
	rm -rf $(VENV) .venv-* artifacts build dist docs/notebooks .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps hang on pyproject.toml, so that nothing is installed twice and a new dependency is
# not forgotten. The package itself is installed in place: an edit needs no new installation.

# An environment that is there serves whatever made it, unless another interpreter is asked for.
version_of = $(shell command -v $(1) >/dev/null && $(1) -V 2>&1)
ifneq ($(origin PYTHON),file)
ifneq ($(call version_of,$(PYTHON)),$(call version_of,$(BIN)/python))
.PHONY: $(VENV)/.created
endif
endif

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo 'alchemer_nb needs Python 3.11 or newer, and there is no "$(PYTHON)" here. Try: make demo PYTHON=/path/to/python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "alchemer_nb needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make demo PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) -V) …"
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo 'The module venv did not work. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@$(PIP) --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.installed-lab: $(VENV)/.created pyproject.toml
	@echo 'Installing alchemer_nb and JupyterLab into $(VENV) …'
	@$(PIP) --editable '.[lab]'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed-lab
	@echo 'Installing what the tests need …'
	@$(PIP) --group test
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-lab
	@echo 'Installing Sphinx …'
	@$(PIP) --group docs
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed-lab
	@echo 'Installing ruff and mypy …'
	@$(PIP) --group lint
	@touch $@
