from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd
import plotly.express as px

raw = pd.read_excel("survey.xlsx", sheet_name=None)
answers = raw["answers"]
people = raw["people"].set_index("id")
ORDER = {"size": ["s", "m", "l"]}
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="c"), dcc.Graph(id="g"), html.Div(id="n"), html.Div(id="o")])

@callback(Output("g", "figure"), Input("c", "value"))
def pivot(c):
    table = answers.pivot_table(index=c, values="v", aggfunc="mean")
    table.columns = ["mean"]
    table["share"] = table["mean"] / table["mean"].sum()
    answers["c"] = answers["v"].map({"a": 1})  # expect: DS104
    return px.bar(table, y="share", category_orders=ORDER)


@callback(Output("n", "children"), Input("c", "value"))
def merge(c):
    both = people.join(answers.set_index("id"))
    both["x"] = 1
    people["seen"] = True  # expect: DS104
    people.index.name = c  # expect: DS105
    raw["answers"] = both  # expect: DS104
    return len(both)


@callback(Output("o", "children"), Input("c", "value"))
def order(c):
    orders = {**ORDER, c: []}
    orders[c].append("x")
    sizes = sorted(ORDER["size"])
    sizes.append("xl")
    ORDER["size"].append("xl")  # expect: DS106
    return str(sizes)
