import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State

class G:
    df = None
    path = ""
    clicks = 0


class g2:
    rows = []


app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Input(id="f", type="text"), html.Button("Go", id="go"), html.Div(id="o"), html.Div(id="n")])

@app.callback(Output("o", "children"), [Input("f", "value")])
def load(path):
    import pandas as pd

    G.path = path  # expect: DS107
    G.df = pd.read_csv(path)  # expect: DS107
    frame = G.df.copy()
    frame["x"] = 1
    return len(frame)


@app.callback(Output("n", "children"), [Input("go", "n_clicks")])
def click(n):
    G.clicks += 1  # expect: DS107
    g2.rows.append(n)  # expect: DS107
    G.df["n"] = n  # expect: DS107
    rows = g2.rows[:]
    rows.append(1)
    return str(rows)

if __name__ == "__main__":
    app.run_server(debug=True)
