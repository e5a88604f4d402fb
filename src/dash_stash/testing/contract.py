"""The contract of a store as tests, and the proof that each of them can fail."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from dash_stash.errors import StashError
from dash_stash.testing.failing import Fail
from dash_stash.testing.flights import Join
from dash_stash.testing.owners import End, HasEnded, Leave, Touch
from dash_stash.testing.place import BrokenPlace, StoreUnderTest
from dash_stash.testing.reading import List, Read
from dash_stash.testing.tags import Epochs, ForgetTag
from dash_stash.testing.wrapped import WrappedStore
from dash_stash.testing.writing import Commit, Delete

_Case = Callable[..., None]


class StoreContract(
    Read, Join, Commit, Delete, Epochs, ForgetTag, List, End, HasEnded, Touch, Leave, Fail
):
    """Tests what every store must do: one test for each case that `stores.base.Store` lists.

    Subclass it in a test module, and add a fixture `store` that returns an empty
    `StoreUnderTest`.
    """


def cases() -> dict[_Case, tuple[type[WrappedStore], ...]]:
    """Return the cases of the contract, each with the broken stores that it notices."""
    found = (getattr(StoreContract, name) for name in dir(StoreContract))
    return {case: getattr(case, "broken", ()) for case in found if _is_case(case)}


def _is_case(one: object) -> bool:
    return getattr(one, "__name__", "").startswith("test_")


_BROKEN = [(case, kind) for case, kinds in cases().items() for kind in kinds]


class ContractProof:
    """Breaks a store in one way after the other, and tests that the contract notices each.

    Without this proof, a contract could pass because it looks at nothing. Subclass it with the same
    fixture `store` as `StoreContract`.
    """

    @pytest.mark.parametrize(
        ("case", "broken"), _BROKEN, ids=lambda one: one.__name__.removeprefix("test_")
    )
    def test_the_contract_notices_a_store_that(
        self,
        case: _Case,
        broken: type[WrappedStore],
        store: StoreUnderTest,
        tmp_path: pathlib.Path,
    ) -> None:
        with pytest.raises((AssertionError, StashError, pytest.fail.Exception)):
            case(StoreContract(), BrokenPlace(store, broken, tmp_path))
