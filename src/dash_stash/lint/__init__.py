"""`dash-stash check`: reads an app's source, and finds callbacks that change what others share."""
