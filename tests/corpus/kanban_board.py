from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import uuid
from collections import OrderedDict, namedtuple

Card = namedtuple("Card", "id text")
board = OrderedDict((name, []) for name in ("todo", "doing", "done"))
archive = OrderedDict()
app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="text", type="text"), html.Button("Add", id="add"), html.Div(id="board"), dcc.Dropdown(id="move")])

def find(card_id):
    for name, cards in board.items():
        for card in cards:
            if card.id == card_id:
                return name, card
    return None, None


@callback(Output("board", "children"), Input("add", "n_clicks"), State("text", "value"))
def add(_, text):
    board["todo"].append(Card(str(uuid.uuid4()), text))  # expect: DS106
    columns = {name: len(cards) for name, cards in board.items()}
    columns["all"] = sum(columns.values())
    return str(columns)


@callback(Output("move", "options"), Input("move", "value"))
def move(card_id):
    name, card = find(card_id)
    board[name].remove(card)  # expect: DS106
    archive[card.id] = card  # expect: DS104
    archive.move_to_end(card.id)  # expect: DS106
    changed = card._replace(text="x")
    return [changed.text]
