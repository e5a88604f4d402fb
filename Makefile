# make demo   the gallery, at http://127.0.0.1:8050
# make test   everything that must hold, as CI runs it
# make check  style, types, layers, links
# make bench  the speed, against others
#
# Each sets up what it needs in .venv first; PYTHON=python3.12 chooses the interpreter.

.DEFAULT_GOAL := test
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell tools/find-python)

.PHONY: demo test check bench clean floor

demo: $(VENV)/demo
	$(BIN)/dash-stash demo

test: check floor $(VENV)/test
	tools/need-chromium
	$(BIN)/pytest

check: $(VENV)/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/dead_links.py

bench: $(VENV)/bench
	$(BIN)/python -m bench

# The oldest Dash that is supported, in an environment of its own.
floor: $(VENV)-floor/test
	$(VENV)-floor/bin/pytest -q tests/unit

clean:
	rm -rf $(VENV) $(VENV)-floor

$(BIN)/pip:
	tools/make-venv $(PYTHON) $(VENV)

$(VENV)/demo: $(BIN)/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[demo]"
	touch $@

$(VENV)/test: $(VENV)/demo
	$(BIN)/pip install --quiet --constraint constraints.txt --group test --group check
	touch $@

$(VENV)/bench: $(VENV)/test
	$(BIN)/pip install --quiet --constraint constraints.txt --group bench
	touch $@

$(VENV)-floor/test: pyproject.toml constraints.txt
	tools/make-venv $(PYTHON) $(VENV)-floor
	$(VENV)-floor/bin/pip install --quiet --editable ".[pandas]" --group test "dash[async]==3.2.0" "pandas<3" "plotly<7"
	touch $@
