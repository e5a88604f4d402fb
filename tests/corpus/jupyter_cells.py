# %% [markdown]
# # Penguins

# %%
import seaborn as sns
import pandas as pd
import plotly.express as px
from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update

penguins = sns.load_dataset("penguins")
species = list(penguins.species.unique())
penguins["ratio"] = penguins.bill_length_mm / penguins.bill_depth_mm

# %%
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="species"), dcc.Graph(id="scatter"), dcc.Graph(id="violin")])

# %%
@callback(Output("scatter", "figure"), Input("species", "value"))
def scatter(value):
    some = penguins.query("species == @value")
    some["big"] = some["body_mass_g"] > 4000
    if value not in species:
        species.append(value)  # expect: DS106
    return px.scatter(some, x="ratio", y="body_mass_g", color="big")

# %%
@callback(Output("violin", "figure"), Input("species", "value"))
def violin(value):
    data = penguins
    data["chosen"] = data["species"] == value  # expect: DS104
    data.loc[data.sex.isna(), "sex"] = "unknown"  # expect: DS104
    return px.violin(data, y="ratio", color="chosen")

# %%
app.run(jupyter_mode="external")
