"""Keys: equal arguments make equal keys, in every process and on every machine.

What a function could tell apart makes others.

Two values can be told apart if they differ in type, `==`, `repr`, order (of a dict, not of a set),
documented attributes or the order of an array in memory. Identity, aliasing and capacity do not
count.
"""

from dash_stash.keys.sink import KEY_SIZE, NoKey, digest, public_name
from dash_stash.keys.values import of_value

__all__ = ["KEY_SIZE", "NoKey", "digest", "of_value", "public_name"]
