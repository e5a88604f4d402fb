import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import pandas as pd
df = pd.read_csv("x.csv")
cache = {"all": df}
app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Dropdown(id="c"), dcc.RadioItems(["a", "b"], "a", id="d"), html.Div(id="o"), html.Div(id="p")])

@app.callback(Output("o", "children"), [Input("c", "value"), Input("d", "value")])
def maybe(c, d):
    frame = df
    if c:
        frame = df[df["c"] == c]
    frame["share"] = frame["n"] / frame["n"].sum()  # expect: DS104
    view = df.copy() if d == "a" else df.head()
    view["x"] = 1
    return str(frame)


@app.callback(Output("p", "children"), [Input("c", "value"), Input("d", "value")])
def either(c, d):
    table = cache.get(c, df)
    if d:
        table.drop(columns="n", inplace=True)  # expect: DS106
    sorted_table = table.sort_values("c") if c else table.copy()
    sorted_table.loc[0] = 1
    text = c or "none"
    text += "!"
    return text

if __name__ == "__main__":
    app.run_server(debug=True)
