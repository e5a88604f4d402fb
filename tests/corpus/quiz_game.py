from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import random

app = Dash(__name__)
score = 0
asked = set()
question = None
QUESTIONS = [{"q": "2+2", "a": "4"}, {"q": "3*3", "a": "9"}]
app.layout = html.Div([html.Button("Next", id="next"), html.Div(id="q"), dcc.Input(id="a", type="text"), html.Div(id="s")])

@callback(Output("q", "children"), Input("next", "n_clicks"))
def ask(_):
    global question
    left = [each for each in QUESTIONS if each["q"] not in asked]
    if not left:
        asked.clear()  # expect: DS106
        left = QUESTIONS
    question = random.choice(left)  # expect: DS101
    asked.add(question["q"])  # expect: DS106
    random.shuffle(QUESTIONS)  # expect: DS106
    return question["q"]


@callback(Output("s", "children"), Input("a", "n_submit"), State("a", "value"))
def answer(_, text):
    global score
    if question and text == question["a"]:
        score += 1  # expect: DS103
    points = score
    points += 10
    return points
