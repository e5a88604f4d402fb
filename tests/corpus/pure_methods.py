from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd

class Report:
    TITLE = "Report"

    def __init__(self, frame):
        self.frame = frame.copy()
        self.notes = []
        self._total = None

    def note(self, text):
        self.notes.append(text)
        return self

    @property
    def total(self):
        if self._total is None:
            self._total = self.frame["x"].sum()
        return self._total

    def trimmed(self):
        self.frame = self.frame[self.frame["x"] > 0]
        return self.frame


SOURCE = pd.read_csv("x.csv")
app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="a", type="text"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("a", "value"))
def build(a):
    report = Report(SOURCE)
    report.note(a).note("x")
    report.trimmed()["y"] = 2
    report.frame["z"] = report.total
    report.TITLE = a
    return report.notes


@callback(Output("p", "children"), Input("a", "value"))
def many(a):
    reports = [Report(SOURCE) for _ in range(2)]
    for report in reports:
        report.note(a)
        report.frame.drop(columns="x", inplace=True)
    by_name = {str(n): report for n, report in enumerate(reports)}
    by_name["0"].notes.clear()
    return len(by_name)
