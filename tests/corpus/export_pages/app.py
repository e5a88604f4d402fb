from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import dash

app = Dash(__name__, use_pages=True)
app.layout = dash.page_container
