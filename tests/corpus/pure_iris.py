from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import plotly.express as px
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

iris = px.data.iris()
COLUMNS = list(iris.columns[:4])
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="x"), dcc.Dropdown(id="y"), dcc.Slider(0, 10, id="k"), dcc.Graph(id="g"), html.Div(id="n")])

@callback(Output("g", "figure"), Input("x", "value"), Input("y", "value"), Input("k", "value"))
def cluster(x, y, k):
    frame = iris.loc[:, [x, y]].copy()
    scaler = StandardScaler()
    values = scaler.fit_transform(frame)
    model = KMeans(n_clusters=k)
    model.fit(values)
    frame["cluster"] = model.labels_
    fig = px.scatter(frame, x=x, y=y, color="cluster")
    fig.update_traces(marker={"size": 12})
    fig.update_layout(transition_duration=300)
    fig.layout.title = f"{k} clusters"
    fig["layout"]["title"] = "x"
    return fig


@callback(Output("y", "options"), Input("x", "value"))
def options(x):
    rest = [c for c in COLUMNS if c != x]
    rest.insert(0, rest.pop())
    return rest
