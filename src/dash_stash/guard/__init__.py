"""Finds callbacks that change what they do not own, while the app runs in debug mode."""
