"""Both stores keep the contract, the contract notices those that do not, and it is complete."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import pytest

from dash_stash.stores.base import Store
from dash_stash.testing import ContractProof, ManualClock, StoreContract, StoreUnderTest, broken
from dash_stash.testing.contract import cases
from dash_stash.testing.place import BrokenPlace
from dash_stash.testing.wrapped import WrappedStore
from unit.places import PLACES, LocalPlace


class Tested:
    """Gives the contract all stores that there are."""

    @pytest.fixture(params=list(PLACES))
    def store(
        self, request: pytest.FixtureRequest, folder: pathlib.Path, clock: ManualClock
    ) -> Iterator[StoreUnderTest]:
        place = PLACES[request.param](folder, clock)
        yield place
        place.close()


class TestStores(Tested, StoreContract):
    pass


class TestProof(Tested, ContractProof):
    pass


class TestAStoreThatIsOnlyWrapped(StoreContract):
    """Otherwise the wrapping would be what is noticed."""

    @pytest.fixture
    def store(
        self, folder: pathlib.Path, clock: ManualClock, tmp_path: pathlib.Path
    ) -> StoreUnderTest:
        return BrokenPlace(LocalPlace(folder, clock), WrappedStore, tmp_path)


def test_every_case_has_a_store_that_breaks_it() -> None:
    assert [case.__name__ for case, stores in cases().items() if not stores] == []


def test_every_broken_store_breaks_a_case() -> None:
    noticed = {store for stores in cases().values() for store in stores}
    there = {
        one
        for one in vars(broken).values()
        if isinstance(one, type) and issubclass(one, WrappedStore) and one is not WrappedStore
    }
    assert noticed == there


_METHODS = [name for name, method in vars(Store).items() if callable(method) and name[0] != "_"]


@pytest.mark.parametrize("method", _METHODS)
def test_every_bullet_of_the_contract_is_a_case_and_every_case_a_bullet(method: str) -> None:
    """`- it is damaged: None` is a case of `Read` whose name begins with `test_it_is_damaged`."""
    listed = re.findall(r"^ *- (.+?):", getattr(Store, method).__doc__ or "", re.MULTILINE)
    bullets = ["test_" + re.sub(r"\W+", "_", bullet.replace("*", "")) for bullet in listed]
    name = method.title().replace("_", "")
    (group,) = [kind for kind in StoreContract.__mro__ if kind.__name__ == name]
    names = [name for name in vars(group) if name.startswith("test_")]
    assert bullets
    assert [bullet for bullet in bullets if not any(one.startswith(bullet) for one in names)] == []
    assert [one for one in names if not one.startswith(tuple(bullets))] == []
