from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd


class Node:
    def __init__(self, name, children=[]):
        self.name = name
        self.children = children

    def add(self, child):
        self.children.append(child)


def build(name, nodes=[]):
    nodes.append(Node(name, []))
    return nodes


def count(words, seen=dict(), total=0):
    for word in words:
        seen[word] = seen.get(word, 0) + 1
        total += 1
    return total


app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="w", type="text"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("w", "value"))
def words(text):
    build("x", [])
    build(text)  # expect: DS108
    return count(text.split())  # expect: DS108


@callback(Output("p", "children"), Input("w", "value"))
def each(text, last=[None], log=list()):
    last[0] = text  # expect: DS108
    log.append(text)  # expect: DS108
    leaf = Node(text, [])
    leaf.add(Node("x", []))
    return leaf.name
