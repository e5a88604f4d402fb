# coding: utf-8

# In[1]:


import pandas as pd
import plotly.express as px
from jupyter_dash import JupyterDash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output


# In[2]:


cases = pd.read_csv("https://example.org/covid.csv")
cases["date"] = pd.to_datetime(cases["date"])
cases.fillna(0, inplace=True)
cases.head()


# In[3]:


app = JupyterDash(__name__)
app.layout = html.Div([dcc.Dropdown(id="country", options=[{"label": c, "value": c} for c in cases.country.unique()]), dcc.Graph(id="graph"), dcc.Graph(id="bars")])


# In[4]:


@app.callback(Output("graph", "figure"), [Input("country", "value")])
def update_figure(country):
    one = cases[cases.country == country]
    one.sort_values("date", inplace=True)
    cases["smooth"] = cases["new"].rolling(7).mean()  # expect: DS104
    return px.line(one, x="date", y="new")


@app.callback(Output("bars", "figure"), [Input("country", "value")])
def update_bars(country):
    cases.sort_values("new", ascending=False, inplace=True)  # expect: DS106
    cases.columns = [c.lower() for c in cases.columns]  # expect: DS105
    return px.bar(cases.head(10), x="country", y="new")


# In[5]:


app.run_server(mode="inline")
