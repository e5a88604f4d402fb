import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import pandas as pd

app = dash.Dash(__name__)
server = app.server
df = pd.read_csv("gapminder.csv")
PAGE_SIZE = 5
operators = [["ge ", ">="], ["lt ", "<"]]
app.layout = html.Div([dash_table.DataTable(id="t"), html.Div(id="n")])

def split(part):
    for kinds in operators:
        for kind in kinds:
            if kind in part:
                name, value = part.split(kind, 1)
                return name.strip(), kinds[0], value
    return [None] * 3


@app.callback(
    Output("t", "data"),
    [Input("t", "page_current"), Input("t", "sort_by")],
    [State("t", "filter_query")],
)
def table(page, sort_by, query):
    dff = df
    for part in (query or "").split(" && "):
        name, operator, value = split(part)
        if operator == "ge ":
            dff = dff.loc[dff[name] >= float(value)]
    if sort_by:
        dff = dff.sort_values([c["column_id"] for c in sort_by])
    return dff.iloc[page * PAGE_SIZE : (page + 1) * PAGE_SIZE].to_dict("records")


@app.callback(Output("n", "children"), [Input("t", "page_current")])
def count(page):
    df["page"] = page  # expect: DS104
    operators.reverse()  # expect: DS106
    return len(df)

if __name__ == "__main__":
    app.run_server(debug=True)
