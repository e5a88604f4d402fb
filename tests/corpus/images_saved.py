from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import os
import uuid

import matplotlib.pyplot as plt
from wordcloud import WordCloud

ASSETS = "assets"
app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="text", type="text"), html.Div(id="img"), html.Button("Go", id="go"), html.Div(id="o")])

def draw(words, target):
    fig, ax = plt.subplots()
    ax.bar(words, range(len(words)))
    fig.savefig(target)
    plt.close(fig)


@callback(Output("img", "children"), Input("text", "value"))
def cloud(text):
    name = f"{uuid.uuid4()}.png"
    draw(text.split(), os.path.join(ASSETS, name))
    draw(text.split(), os.path.join(ASSETS, "bars.png"))  # expect: DS112
    plt.savefig("assets/last.png")  # expect: DS112
    return html.Img(src="/assets/" + name)


@callback(Output("o", "children"), Input("go", "n_clicks"))
def remove(_):
    for name in os.listdir(ASSETS):
        os.remove(os.path.join(ASSETS, name))
    os.rename("assets/bars.png", "assets/old.png")  # expect: DS112
    return "removed"
