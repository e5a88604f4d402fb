selection = None
history = []


def reset():
    global selection
    selection = None
    history.clear()


def select(value):
    global selection
    selection = value
    return selection


def read():
    return selection
