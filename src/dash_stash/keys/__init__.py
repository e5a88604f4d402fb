"""Keys: equal values have equal keys, in every process and on every machine.

Values that a function could tell apart have different keys. It could if they differ in type, `==`,
`repr`, order (of a dict, not of a set), documented attributes, or the order of an array in memory.
Identity, aliasing and capacity do not count.

`values` finds the writer for a value, by its type. The writers (`plain` for the language, `objects`
for enums, dataclasses and named tuples, and a module for each library) write the value's chunks
into a `sink`, which hashes them.
"""

from dash_stash.keys.sink import KEY_SIZE, NoKey, digest, public_name
from dash_stash.keys.values import of_value

__all__ = ["KEY_SIZE", "NoKey", "digest", "of_value", "public_name"]
