"""The speed of dash-stash, measured against others and against the floor: `python -m bench`."""
