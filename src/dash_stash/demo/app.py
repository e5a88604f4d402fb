"""The app itself: `gunicorn dash_stash.demo.app:server`."""

from __future__ import annotations

import dash
import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, callback, clientside_callback
from dash.exceptions import PreventUpdate

from dash_stash.demo import columns, measure, shell
from dash_stash.demo.base import cache, stash
from dash_stash.demo.chapters import CHAPTERS, Chapter

dmc.pre_render_color_scheme()
app = Dash(
    __name__,
    use_pages=True,
    pages_folder="",
    title="dash-stash",
    update_title="",
    suppress_callback_exceptions=True,
)
app.index_string = app.index_string.replace("<html>", '<html lang="en">').replace(
    "{%favicon%}", '<link rel="icon" type="image/svg+xml" href="/assets/logo.svg">'
)
server = app.server
stash.init_app(app)
cache.init_app(server)
measure.report(server)

dash.register_page(
    "overview", path="/", title="dash-stash", layout=lambda **_: shell.overview(CHAPTERS)
)
for chapter, following in zip(CHAPTERS, [*CHAPTERS[1:], None], strict=True):
    dash.register_page(
        chapter.page,
        path=f"/{chapter.page}",
        title=f"{chapter.short} · dash-stash",
        layout=lambda chapter=chapter, following=following, **_: columns.page(chapter, following),
    )

    @callback(
        Output("_pages_location", "href", allow_duplicate=True),
        Output("_pages_location", "refresh", allow_duplicate=True),
        Input(f"{chapter.page}-reset", "n_clicks"),
        prevent_initial_call=True,
    )
    def start_afresh(clicks: int | None, chapter: Chapter = chapter) -> tuple[str, bool]:
        """Forget what both columns have stored, and load the page again."""
        if not clicks:
            raise PreventUpdate  # the button has only just appeared
        chapter.start_afresh()
        return f"/{chapter.page}", True


app.layout = shell.around_pages(CHAPTERS)

# The navigation of a small screen opens at once, however busy the workers are, and closes when the
# viewer has chosen a page.
clientside_callback(
    """(opened, path, navbar) => {
        const open = opened && dash_clientside.callback_context.triggered_id === "burger";
        return [{...navbar, collapsed: {mobile: !open}}, open];
    }""",
    Output("shell", "navbar"),
    Output("burger", "opened"),
    Input("burger", "opened"),
    Input("_pages_location", "pathname"),
    State("shell", "navbar"),
    prevent_initial_call=True,
)

# On a worker's first page load Dash races with itself (plotly/dash #3971): load one before any
# visitor does.
server.test_client().get("/")
