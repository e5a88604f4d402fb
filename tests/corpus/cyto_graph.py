import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import networkx as nx

app = dash.Dash(__name__)
server = app.server
graph = nx.karate_club_graph()
elements = [{"data": {"id": str(n)}} for n in graph.nodes]
styles = {"node": {"color": "red"}}
app.layout = html.Div([dcc.Dropdown(id="node"), dcc.Input(id="color", type="text"), html.Div(id="cy"), html.Div(id="style")])

@app.callback(Output("cy", "children"), [Input("node", "value")])
def add(node):
    graph.add_node(node)  # expect: DS106
    elements.append({"data": {"id": node}})  # expect: DS106
    local = graph.copy()
    local.add_edge(0, node)
    elements[0]["data"]["label"] = node  # expect: DS104
    return str(local.number_of_edges())


@app.callback(Output("style", "children"), [Input("color", "value")])
def restyle(color):
    style = styles["node"]
    style["color"] = color  # expect: DS104
    merged = {**styles, "edge": {}}
    merged["edge"]["color"] = color
    return str(merged)

if __name__ == "__main__":
    app.run_server(debug=True)
