"""What connects a Stash to a Dash app: the only package that knows Dash and Flask."""

from dash_stash.plugin.install import install

__all__ = ["install"]
