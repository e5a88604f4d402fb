"""Follows expressions and statements, and the functions that they call."""
