import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import pandas as pd

app = dash.Dash(__name__)
datos = pd.read_csv("ventas.csv", encoding="latin-1")
filtro = None
app.layout = html.Div([dcc.Dropdown(id="region"), dcc.Graph(id="grafico"), html.Button("Boton", id="boton"), html.Div(id="texto")])

@app.callback(Output("grafico", "figure"), [Input("region", "value")])
def actualizar_grafico(region):
	global filtro
	filtro = datos[datos["region"] == region]  # expect: DS101
	datos["total"] = datos["precio"] * datos["cantidad"]  # expect: DS104
	return {"data": [{"x": filtro["mes"], "y": filtro["total"]}]}


@app.callback(Output("texto", "children"), [Input("boton", "n_clicks")])
def mostrar(n):
	resumen = datos.groupby("region").sum()
	resumen["n"] = n
	return str(resumen)

if __name__ == "__main__":
    app.run_server(debug=True)
