from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

model = joblib.load("model.joblib")
regression = LinearRegression()
forest = None
scores = {}
X = pd.read_csv("x.csv")
app = Dash(__name__)
app.layout = html.Div([dcc.Slider(0, 10, id="depth"), html.Button("Train", id="train"), html.Div(id="acc"), dcc.Input(id="age", type="text"), html.Div(id="pred")])

@callback(Output("acc", "children"), Input("train", "n_clicks"), State("depth", "value"))
def train(_, depth):
    global forest
    forest = RandomForestClassifier(max_depth=depth)  # expect: DS101
    forest.fit(X, X["y"])  # expect: DS106
    local = RandomForestClassifier()
    local.fit(X, X["y"])
    scores[depth] = local.score(X, X["y"])  # expect: DS104
    regression.fit(X, X["y"])  # expect: DS106
    return scores[depth]


@callback(Output("pred", "children"), Input("age", "value"))
def predict(age):
    row = X.iloc[[0]].copy()
    row["age"] = age
    return str(model.predict(row)[0])
