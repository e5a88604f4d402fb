"""For tests: the contract of a store, stores that break it, and a clock that you set by hand.

If you write a store, subclass `StoreContract` and `ContractProof`; docs/stores.md shows how.
"""

try:
    import numpy as np  # noqa: F401 (the modules below need it)
    import pytest
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "dash_stash.testing needs pytest and NumPy: pip install pytest numpy", name=error.name
    ) from error

_CONTRACT = ("calls", "reading", "flights", "writing", "tags", "owners", "failing", "contract")

# Without this, a case that fails would not show what it compared.
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _CONTRACT))

from dash_stash.testing.clock import ManualClock  # noqa: E402 (asserts are rewritten at import)
from dash_stash.testing.contract import ContractProof, StoreContract  # noqa: E402
from dash_stash.testing.place import LIMITS, SEALING_KEY, StoreUnderTest  # noqa: E402

__all__ = [
    "LIMITS",
    "SEALING_KEY",
    "ContractProof",
    "ManualClock",
    "StoreContract",
    "StoreUnderTest",
]
