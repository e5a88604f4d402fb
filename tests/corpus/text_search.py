import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import re
import json

INDEX = {}
STOP = {"the", "a"}
recent = []
with open("docs.json") as handle:
    DOCS = json.load(handle)
for number, doc in enumerate(DOCS):
    for word in re.findall(r"\w+", doc["text"].lower()):
        INDEX.setdefault(word, set()).add(number)

app = dash.Dash(__name__)
app.layout = html.Div([dcc.Input(id="q", type="text"), html.Div(id="o"), html.Div(id="r")])

@app.callback(Output("o", "children"), [Input("q", "value")])
def search(query):
    words = set(re.findall(r"\w+", (query or "").lower())) - STOP
    hits = set.intersection(*(INDEX.get(w, set()) for w in words)) if words else set()
    hits.discard(None)
    results = [DOCS[n] for n in sorted(hits)]
    for result in results:
        result["score"] = 1  # expect: DS104
    results.sort(key=lambda d: d["score"])
    recent.insert(0, query)  # expect: DS106
    return json.dumps(results)


@app.callback(Output("r", "children"), [Input("q", "value")])
def last(query):
    shown = recent[:3]
    shown.append(query)
    STOP.add(query)  # expect: DS106
    return str(shown)

if __name__ == "__main__":
    app.run_server(debug=True)
