from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update


class Form:
    def __init__(self, fields=[]):
        self.fields = list(fields)

    def check(self, values, errors=[]):
        for name, value in zip(self.fields, values):
            if not value:
                errors.append(name)
        return errors

    def merge(self, values, into={}):
        return {**into, **dict(zip(self.fields, values))}


def style(kind, base={"color": "black"}):
    base["font"] = kind
    return base


def padded(kind, base={"color": "black"}):
    base = dict(base)
    base["padding"] = kind
    return base


app = Dash(__name__)
form = Form(["name", "mail"])
app.layout = html.Div([dcc.Input(id="name", type="text"), dcc.Input(id="mail", type="text"), html.Div(id="ok"), html.Div(id="box")])

@callback(Output("ok", "children"), Input("name", "value"), Input("mail", "value"))
def validate(name, mail):
    wrong = form.check([name, mail])  # expect: DS108
    values = form.merge([name, mail])
    values["ok"] = not wrong
    return str(values)


@callback(Output("box", "style"), Input("name", "value"))
def box(name):
    return {**style(name), **padded(name)}  # expect: DS108
