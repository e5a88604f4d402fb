APP_DATA = {"df": None, "log": []}


def update(**values):
    APP_DATA.update(values)


def snapshot():
    return dict(APP_DATA)
