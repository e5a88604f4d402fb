"""The same with dash-stash, as a user would write it."""
