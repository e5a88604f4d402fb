from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import base64
import io

import matplotlib
import matplotlib.pyplot as plt
import seaborn as sns

matplotlib.use("Agg")
app = Dash(__name__)
app.layout = html.Div([dcc.RadioItems(["a", "b"], "a", id="kind"), html.Div(id="img"), dcc.Dropdown(id="style"), html.Div(id="big")])

@callback(Output("img", "children"), Input("kind", "value"))
def image(kind):
    sns.set_theme(style="whitegrid")  # expect: DS111
    plt.rcParams["font.size"] = 20  # expect: DS111
    fig, ax = plt.subplots()
    ax.plot([1, 2, 3])
    ax.set_title(kind)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png")
    buffer.seek(0)
    plt.close(fig)
    return html.Img(src="data:image/png;base64," + base64.b64encode(buffer.read()).decode())


@callback(Output("big", "children"), Input("style", "value"))
def big(style):
    plt.style.use(style)  # expect: DS111
    fig = plt.figure()
    fig.savefig("assets/plot.png")  # expect: DS112
    with plt.style.context("ggplot"):
        fig.gca().plot([1])
    return html.Img(src="/assets/plot.png")
