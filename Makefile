# make demo     the gallery, at http://127.0.0.1:8050
# make quick    the tests that need no server, browser or other process
# make test     everything that must hold, as CI runs it
# make check    style, types, layers, links
# make matrix   the tests with all versions of Python, Dash and pandas that are supported
# make mutants  whether the tests notice a change of the code; MODULES="keys ref.py" names some
# make bench    the speed, against others
# make clean    away with all that these have made
#
# Each sets up what it needs, in .venv; PYTHON=python3.12 chooses the interpreter.

.DEFAULT_GOAL := test
.PHONY: demo quick test check short matrix mutants bench browser redis clean
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/bin
INSTALL := pip install --quiet --build-constraint constraints.txt --constraint
NOX := PATH="$$(tools/pythons):$$PATH" $(BIN)/nox

demo: .venv/demo
	$(BIN)/dash-stash demo

quick: .venv/test
	$(BIN)/pytest -q --numprocesses 2 -m "not slow and not thorough" tests/unit

test: browser redis check short
	$(BIN)/pytest -q --numprocesses 2 tests/unit
	tools/with-mounts $(BIN)/pytest --ignore tests/unit

check: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/dead_links.py

# Of the environments in noxfile.py those that differ most from .venv.
short: redis .venv/test
	$(NOX) --session "tests(oldest)" -- unit
	$(NOX) --session "tests(pre-release)" -- quick
	$(NOX) --session "tests(without pandas)"

matrix: redis .venv/test
	$(NOX)

mutants: .venv/test
	$(BIN)/python tools/mutants.py $(MODULES)

bench: .venv/bench
	$(BIN)/python -m bench

browser:
	tools/need-browser

redis:
	tools/need-redis

clean:
	rm -rf .venv .nox .mutants .hypothesis .*_cache dist bench/results

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
