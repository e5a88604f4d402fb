"""What a function does: the digest of its code, of the app's code that it calls, and of its data.

A key contains it, so a value is computed again when an edit could have changed it. From the top:

- `digests` answers for one function, and remembers the answer for as long as it holds;
- `walk` goes through all functions and classes of the app that the function may run: `callables`
  says what runs when something is called, `imports` what an `import` inside a function means;
- `values` makes the digests of the constants that the walk finds;
- `constants` decides which variables are constants, and `changes` which objects some code changes;
- `bindings` reads from the source of a module what its names are bound to;
- `syntax` parses sources, and finds the definition that a code object was compiled from.
"""

from dash_stash.implementation.digests import is_settled, of_classes, of_function, unseen

__all__ = ["is_settled", "of_classes", "of_function", "unseen"]
