"""What connects a Stash to a Dash app: the only package that knows Dash and Flask."""

from dash_stash.plugin.install import check, install

__all__ = ["check", "install"]
