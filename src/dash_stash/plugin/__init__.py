"""What connects a Stash to a Dash app: the only package that knows Dash and Flask."""

from dash_stash.plugin.install import check, check_memo, install
from dash_stash.plugin.request import REQUEST

__all__ = ["REQUEST", "check", "check_memo", "install"]
