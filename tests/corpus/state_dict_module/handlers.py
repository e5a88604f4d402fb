from shared import APP_DATA as data


def handle(value):
    data["value"] = value
    data["log"].append(value)
    local = {"value": value}
    local["log"] = []
    return local
