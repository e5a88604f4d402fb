# make demo   the gallery, at http://127.0.0.1:8050
# make test   everything that must hold, as CI runs it
# make check  style, types, layers, links
# make bench  the speed, against others
# make clean  away with all that these have made
#
# Each sets up what it needs, in .venv; PYTHON=python3.12 chooses the interpreter.

.DEFAULT_GOAL := test
.PHONY: demo test check floor bench browser redis clean
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/bin
INSTALL := pip install --quiet --build-constraint constraints.txt --constraint

demo: .venv/demo
	$(BIN)/dash-stash demo

test: browser redis check floor
	tools/with-mounts $(BIN)/pytest

check: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/dead_links.py

# The oldest Dash that is supported, in an environment of its own.
floor: .venv-floor/test
	.venv-floor/bin/pytest -q tests/unit

bench: .venv/bench
	$(BIN)/python -m bench

browser:
	tools/need-browser

redis:
	tools/need-redis

clean:
	rm -rf .venv .venv-floor .hypothesis .*_cache dist bench/results

# What has been installed is noted by empty files in the environments.

%/made:
	tools/make-venv $*
	touch $@

.venv/demo: .venv/made pyproject.toml constraints.txt
	$(BIN)/$(INSTALL) constraints.txt --editable ".[demo]"
	touch $@

.venv/test: .venv/demo
	$(BIN)/$(INSTALL) constraints.txt --group test --group check
	touch $@

.venv/bench: .venv/test
	$(BIN)/$(INSTALL) constraints.txt --group bench
	touch $@

.venv-floor/test: .venv-floor/made pyproject.toml constraints.txt
	grep -v ^dash== constraints.txt >.venv-floor/constraints.txt
	.venv-floor/bin/$(INSTALL) .venv-floor/constraints.txt --editable ".[pandas]" --group test dash==3.2.0
	touch $@
