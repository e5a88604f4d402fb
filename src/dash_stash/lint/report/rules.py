"""The rules: their codes, names, and what each says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dash_stash import mutations


@dataclass(frozen=True)
class Rule:
    """A rule of the linter."""

    code: str
    name: str
    says: str
    """What was found, in the words of a message."""
    repair: str
    """What to do, in one sentence."""


RULES: Final = {
    rule.code: rule
    for rule in (
        Rule(
            mutations.GLOBAL_REBOUND,
            "global-rebound",
            "rebinds the module-level variable {name}",
            "Keep it per user with stash.session[...], or compute it with @stash.memo.",
        ),
        Rule(
            mutations.NONLOCAL_REBOUND,
            "nonlocal-rebound",
            "rebinds {name} of the function that registers the callback",
            "Keep it per user with stash.session[...], or compute it with @stash.memo.",
        ),
        Rule(
            mutations.AUGMENTED,
            "augmented",
            "adds to {name}, which all callbacks share",
            "Count with stash.app.modify(...) or stash.session.modify(...).",
        ),
        Rule(
            mutations.ITEM_ASSIGNED,
            "item-assigned",
            "assigns items of {name}, which all callbacks share",
            "Change a copy, or keep it in stash.session[...].",
        ),
        Rule(
            mutations.ATTRIBUTE_ASSIGNED,
            "attribute-assigned",
            "assigns an attribute of {name}, which all callbacks share",
            "Change a copy, or keep it in stash.session[...].",
        ),
        Rule(
            mutations.MUTATING_CALL,
            "mutating-call",
            "changes {name}, which all callbacks share",
            "Change a copy, or keep it in stash.session[...].",
        ),
        Rule(
            "DS107",
            "class-attribute",
            "changes the class attribute {name}",
            "Keep it per user with stash.session[...].",
        ),
        Rule(
            mutations.MUTABLE_DEFAULT,
            "mutable-default",
            "changes the default value of the parameter {name}, which all calls share",
            "Use None as the default and make a new object in the function.",
        ),
        Rule(
            "DS109",
            "cached-result-mutated",
            "changes the cached result of {name}(), which all callers share",
            "Use @stash.memo: each caller gets a private copy.",
        ),
        Rule(
            "DS110",
            "per-worker-cache",
            "fills the cache {name}, of which each worker process has its own",
            "Use @stash.memo: all workers share one cache.",
        ),
        Rule(
            "DS111",
            "process-state",
            "changes {name}, the state of this whole worker process",
            "Set it once at start-up, or pass the value on as an argument.",
        ),
        Rule(
            "DS112",
            "fixed-file",
            "writes a file at a fixed path, which all users share",
            "Use stash.put(...), or a temporary file of its own.",
        ),
        Rule(
            "DS113",
            "memo-impure",
            "makes a cached result depend on {name}, which is not part of its key",
            "Pass it to the cached function as an argument.",
        ),
    )
}
"""The rules by their codes."""
