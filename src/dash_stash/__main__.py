"""`python -m dash_stash` is `dash-stash`."""

from dash_stash.cli import main

main(prog_name="dash-stash")
