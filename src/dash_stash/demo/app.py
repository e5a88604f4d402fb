"""The app itself: `gunicorn dash_stash.demo.app:server`."""

from __future__ import annotations

import dash
import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, callback
from dash.exceptions import PreventUpdate

from dash_stash.demo import measure, shell
from dash_stash.demo.base import cache, stash
from dash_stash.demo.chapters import CHAPTERS

dmc.pre_render_color_scheme()
app = Dash(__name__, use_pages=True, pages_folder="", title="dash-stash", update_title="", suppress_callback_exceptions=True)
server = app.server
stash.init_app(app)
cache.init_app(server)
measure.report(server)

dash.register_page("overview", path="/", title="dash-stash", layout=lambda: shell.overview(CHAPTERS))
for chapter in CHAPTERS:
    dash.register_page(
        chapter.page,
        path=f"/{chapter.page}",
        title=f"{chapter.short} · dash-stash",
        layout=lambda chapter=chapter, **_: shell.page(chapter),
    )

    @callback(
        Output("_pages_location", "href", allow_duplicate=True),
        Output("_pages_location", "refresh", allow_duplicate=True),
        Input(f"{chapter.page}-reset", "n_clicks"),
        prevent_initial_call=True,
    )
    def start_afresh(clicks: int | None, chapter: shell.Chapter = chapter) -> tuple[str, bool]:
        """Forget what both columns have stored, and load the page again."""
        if not clicks:
            raise PreventUpdate  # the button has only just appeared
        chapter.chapter.forget()
        chapter.stash.forget()
        measure.reset(chapter.page)
        return f"/{chapter.page}", True


app.layout = shell.frame(CHAPTERS)


@callback(
    Output("shell", "navbar"),
    Output("burger", "opened"),
    Input("burger", "opened"),
    Input("_pages_location", "pathname"),
    State("shell", "navbar"),
    prevent_initial_call=True,
)
def open_navigation(opened: bool, _path: str, navbar: dict[str, object]) -> tuple[dict[str, object], bool]:  # noqa: FBT001 (Dash passes it)
    """Open the navigation of a small screen, and close it when a page was chosen."""
    opened = opened and dash.ctx.triggered_id == "burger"
    return {**navbar, "collapsed": {"mobile": not opened}}, opened


# On a worker's first page load Dash races with itself (plotly/dash #3971): let that be over before anybody comes.
server.test_client().get("/")
