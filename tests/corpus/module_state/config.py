TITLE = "Grid"
ACTIVE_TAB = "home"
options = {"tab": None}
