"""Finds callbacks that change what they do not own: before running (`dash-stash check`) and while developing (the guard)."""
