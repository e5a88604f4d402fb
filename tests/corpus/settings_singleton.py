from dataclasses import dataclass, field

from dash import Dash, Input, Output, callback, dcc, html


@dataclass
class Settings:
    theme: str = "light"
    page_size: int = 20
    hidden: list = field(default_factory=list)


class Registry:
    active = None
    users = {}

    @classmethod
    def login(cls, name):
        cls.active = name
        cls.users[name] = True

    @staticmethod
    def count():
        return len(Registry.users)


settings = Settings()
app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="name"), dcc.RadioItems(["light", "dark"], id="theme"), html.Div(id="page"), html.Div(id="hi")])


@callback(Output("page", "className"), Input("theme", "value"))
def choose_theme(theme):
    settings.theme = theme  # expect: DS105
    settings.hidden.append(theme)  # expect: DS106
    mine = Settings(theme=theme)
    mine.page_size = 50
    mine.hidden.append("x")
    return settings.theme


@callback(Output("hi", "children"), Input("name", "value"))
def hello(name):
    Registry.login(name)  # expect: DS107, DS107
    Registry.active = name.title()  # expect: DS107
    return f"{Registry.active}, {Registry.count()} users"
