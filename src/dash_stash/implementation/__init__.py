"""What a function does: the digest of its code, of the app's code that it calls, and of its data.

A key contains it, so a value is computed anew when an edit could have changed it. How the parts
work together, from the top:

- `digests` answers for one function, and remembers the answer for as long as it holds;
- `walk` goes through all functions and classes of the app that the function may run;
- `constants` decides which variables are constants, and so belong to what the code says;
- `bindings` reads from a module's source what its names are bound to, and which it changes;
- `syntax` parses the source, and finds the definition that a code object was compiled from.
"""

from dash_stash.implementation.digests import is_settled, of_classes, of_function, unseen

__all__ = ["is_settled", "of_classes", "of_function", "unseen"]
