from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import uuid
from dash import MATCH


class PagerAIO(html.Div):
    opened = 0
    pages = {}

    class ids:
        button = lambda aio_id: {"component": "PagerAIO", "subcomponent": "button", "aio_id": aio_id}
        text = lambda aio_id: {"component": "PagerAIO", "subcomponent": "text", "aio_id": aio_id}

    ids = ids

    def __init__(self, aio_id=None, props=None):
        aio_id = aio_id or str(uuid.uuid4())
        props = props.copy() if props else {}
        props["n_clicks"] = 0
        super().__init__([html.Button(id=self.ids.button(aio_id), **props), html.P(id=self.ids.text(aio_id))])

    @callback(Output(ids.text(MATCH), "children"), Input(ids.button(MATCH), "n_clicks"))
    def turn(n):
        PagerAIO.opened += 1  # expect: DS107
        PagerAIO.pages[n] = PagerAIO.opened  # expect: DS107
        return f"page {n}"


app = Dash(__name__)
app.layout = html.Div([PagerAIO("a"), PagerAIO("b")])
