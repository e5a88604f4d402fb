"""Finds callbacks that change what they do not own, in source code that is not run: `dash-stash check`."""
