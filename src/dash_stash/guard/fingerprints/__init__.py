"""Fingerprints: enough of a value to tell later whether, and where, it has changed."""
