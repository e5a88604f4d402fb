"""References: short, signed, for one session, and of no use to anybody who changes them."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import pickle
import string
import sys
import types
from typing import Any

import numpy as np
import plotly.utils
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import (
    ConfigError,
    Memo,
    NoSession,
    PartMissing,
    Ref,
    RefExpired,
    RefInvalid,
    Stash,
    StashError,
)
from dash_stash.ref import PREFIX, is_reference
from dash_stash.testing import ManualClock
from support import SECRET
from unit.visiting import visit

ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def ref(stash: Stash) -> Ref[list[int]]:
    return stash.put([1, 2], share=True)


def opens(stash: Stash, text: str) -> bool:
    """Whether the text opens; anything else than a refusal is an error."""
    try:
        return stash.ref(text).get() is not None
    except RefInvalid:
        return False


def test_a_reference_loads_its_value(stash: Stash, ref: Ref[list[int]]) -> None:
    assert ref.get() == stash.ref(str(ref)).get() == [1, 2]


def test_it_is_text_that_fits_anywhere(stash: Stash, ref: Ref[list[int]]) -> None:
    assert isinstance(ref, str)
    assert json.loads(json.dumps({"data": ref})) == {"data": str(ref)}
    assert json.loads(json.dumps(ref, cls=plotly.utils.PlotlyJSONEncoder)) == str(ref)
    assert is_reference(ref)
    assert {str(ref): 1}[ref] == 1


def test_the_reference_of_a_plain_value_is_short(stash: Stash, ref: Ref[list[int]]) -> None:
    assert len(ref) <= 120
    with visit(stash):
        assert len(stash.put(1)) <= 120
        assert len(stash.put({"df_1": 1})["df_1"]) <= 120


def test_the_reference_of_a_memo_functions_value_has_72_characters(stash: Stash) -> None:
    flights = stash.memo(lambda carrier: [carrier])
    with visit(stash):
        assert len(flights.ref("AA")) == len(flights.ref("a long name" * 100)) == 72


def test_two_values_have_two_references(stash: Stash) -> None:
    assert stash.put(1, share=True) != stash.put(1, share=True)


def test_it_leaves_the_process_as_text(stash: Stash, ref: Ref[list[int]]) -> None:
    assert type(pickle.loads(pickle.dumps(ref))) is str
    assert pickle.loads(pickle.dumps(ref)) == ref
    assert stash.put({"ref": ref}, share=True).get() == {"ref": str(ref)}


def test_a_copy_within_the_process_is_still_a_reference(ref: Ref[list[int]]) -> None:
    """Dash and users copy what a component holds."""
    assert copy.copy(ref).get() == copy.deepcopy({"data": [ref]})["data"][0].get() == [1, 2]


# Refusals


def test_every_change_of_one_letter_is_refused(stash: Stash, ref: Ref[list[int]]) -> None:
    for position in range(len(PREFIX), len(ref)):
        for letter in ALPHABET:
            changed = str(ref)[:position] + letter + str(ref)[position + 1 :]
            assert changed == ref or not opens(stash, changed), (position, letter)


@given(st.data())
def test_cut_longer_and_shuffled_ones_are_refused(data: st.DataObject) -> None:
    text = str(_REF)
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    insert = data.draw(st.text(max_size=5) | st.text(ALPHABET, max_size=5))
    changed = text[:start] + insert + text[end:]
    assert changed == text or not opens(_STASH, changed)


@given(st.binary(max_size=200))
def test_random_bytes_never_open(content: bytes) -> None:
    assert not opens(_STASH, PREFIX + base64.urlsafe_b64encode(content).rstrip(b"=").decode())


@given(
    st.text() | st.text(ALPHABET, max_size=100).map(PREFIX.__add__) | st.text().map(PREFIX.__add__)
)
def test_random_text_never_opens(text: str) -> None:
    assert not opens(_STASH, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stash:",
        "stash:A",
        "stash:é" + "A" * 60,
        "stash:" + "A" * 3000,
        "\ud800",
        "stash:\ud800" + "A" * 60,
    ],
)
def test_a_text_that_is_no_reference_is_refused_as_such(stash: Stash, text: str) -> None:
    with pytest.raises(RefInvalid):
        stash.ref(text)


def test_another_deployments_reference_is_forged(folder: object, ref: Ref[list[int]]) -> None:
    other = Stash(url=f"file://{folder}", secret="another secret of 16 bytes")
    with pytest.raises(RefInvalid, match="forged"):
        other.ref(ref)


def test_a_cut_one_is_called_cut(stash: Stash, ref: Ref[list[int]]) -> None:
    with pytest.raises(RefInvalid, match="cut"):
        stash.ref(str(ref)[:40])


def test_a_ref_made_of_text_opens_nothing(stash: Stash, ref: Ref[list[int]]) -> None:
    for use in (Ref.get, stash.memo(lambda r: r.get())):
        with pytest.raises(RefInvalid):
            use(Ref(str(ref)))


# Sessions


def test_it_opens_only_in_the_session_that_it_was_minted_for(stash: Stash) -> None:
    with visit(stash, "mine"):
        ref = stash.put("private")
    with visit(stash, "mine", page="another"):
        assert stash.ref(ref).get() == "private"
    with visit(stash, "another's"), pytest.raises(RefInvalid, match="foreign"):
        stash.ref(ref)
    with pytest.raises(RefInvalid, match="foreign"):
        stash.ref(ref)


def test_a_shared_one_opens_everywhere(stash: Stash) -> None:
    with visit(stash):
        ref = stash.put("public", share=True)
    with visit(stash, "another's"):
        assert stash.ref(ref).get() == "public"
    assert stash.ref(ref).get() == "public"
    assert ref.is_shared


def test_outside_a_session_it_has_to_be_shared(stash: Stash) -> None:
    with pytest.raises(NoSession, match="share=True"):
        stash.put(1)
    assert not list(stash._deployment.store.list())


def test_the_text_shows_nothing_of_the_session_or_the_folder(stash: Stash, folder: object) -> None:
    with visit(stash, "a secret session id"):
        ref = stash.put(1)
    raw = base64.urlsafe_b64decode(str(ref)[len(PREFIX) :] + "==")
    assert b"session" not in raw
    assert str(folder).encode() not in raw


# Parts


def test_a_part_is_a_reference_of_its_own(stash: Stash) -> None:
    ref = stash.put({"df_1": np.arange(3000), "deep": [{"x": 1}]}, share=True)
    assert ref["df_1"].get().sum() == sum(range(3000))
    assert ref["deep"][0]["x"].get() == 1
    assert stash.ref(str(ref["deep"][0])).get() == {"x": 1}
    assert stash.put(["a", "b"], share=True)[1].get() == "b"


def test_parts_keep_whom_they_open_for(stash: Stash) -> None:
    with visit(stash):
        part = stash.put({"a": 1})["a"]
        assert stash.ref(part).get() == 1
    with visit(stash, "another's"), pytest.raises(RefInvalid):
        stash.ref(part)


def test_a_part_of_a_session_cannot_be_taken_by_another(stash: Stash) -> None:
    with visit(stash):
        ref = stash.put({"a": 1})
    part = ref["a"]
    with visit(stash, "another's"):
        for open_part in (part.get, lambda: stash.ref(part), ref["a"].get):
            with pytest.raises(RefInvalid, match="foreign"):
                open_part()
    with visit(stash):
        assert stash.ref(part).get() == part.get() == 1


def test_a_missing_part_is_named(stash: Stash) -> None:
    ref = stash.put({"df_1": 1}, share=True)
    for part in ("df_2", 0):
        with pytest.raises(PartMissing, match="'df_1'"):
            ref[part].get()


def test_a_text_can_still_be_sliced(ref: Ref[list[int]]) -> None:
    assert ref[:6] == "stash:"


def test_a_part_whose_name_is_too_long_is_refused_at_once_or_opens_when_it_comes_back(
    stash: Stash,
) -> None:
    name = "a very long name of a part " * 200
    ref = stash.put({name: 1}, share=True)
    with contextlib.suppress(StashError, ValueError):
        assert is_reference(str(ref[name]))


# Ends


def test_a_put_value_ends_with_its_ttl(stash: Stash, clock: ManualClock) -> None:
    ref = stash.put(1, ttl="10m", share=True)
    clock.now += 599
    assert ref.get() == 1
    clock.now += 1
    with pytest.raises(RefExpired, match="Reload the page"):
        ref.get()


_MUTABLE: list[Any] = [[1, 2], {"a": np.zeros(10)}, {"a": np.zeros(10**5)}]


def test_a_put_value_can_be_deleted_by_whom_it_opens_for(stash: Stash) -> None:
    with visit(stash):
        mine = stash.put([1])
        stash.ref(str(mine)).delete()
        mine.delete()
        with pytest.raises(RefExpired):
            mine.get()
        kept = stash.put([2])
    with visit(stash, session="theirs"):
        with pytest.raises(RefInvalid):
            stash.ref(str(kept)).delete()
        with pytest.raises(RefInvalid):
            type(kept)(str(kept)).delete()
    assert len(stash._deployment.store.list(kind="put")) == 1


def test_a_deleted_value_of_a_memo_function_is_computed_again(stash: Stash) -> None:
    calls = []

    @stash.memo(share=True, ignore="calls")
    def double(n: int) -> int:
        calls.append(n)
        return 2 * n

    ref = double.ref(2)
    ref.delete()
    assert double.peek(2) is None
    assert (ref.get(), double(2), calls) == (4, 4, [2, 2])


def test_a_part_is_not_deleted_alone(stash: Stash) -> None:
    ref = stash.put({"a": 1}, share=True)
    with pytest.raises(ConfigError, match="a part"):
        ref["a"].delete()
    assert ref.get() == {"a": 1}


def test_every_get_is_a_private_copy(stash: Stash) -> None:
    for value in _MUTABLE:
        ref = stash.put(value, share=True)
        changed = ref.get()
        if isinstance(changed, list):
            changed.append(3)
        else:
            changed["a"][:] = 7
            changed["b"] = 1
        assert repr(ref.get()) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "stash: my notes",
        "stash:",
        "stash:short",
        "stash:with space and more",
        "Stash:AAAAAAAAAAAAAAAAAAAAAAAA",
        " stash:AAAAAAAAAAAAAAAAAAAAA",
        "a",
    ],
)
def test_what_somebody_types_does_not_look_like_a_reference(text: str) -> None:
    assert not is_reference(text)


@pytest.fixture(scope="module", autouse=True)
def _shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Make one stash for all examples: Hypothesis does not renew a function's fixtures."""
    global _STASH, _REF  # noqa: PLW0603
    _STASH = Stash(
        url=f"file://{tmp_path_factory.mktemp('refs')}/stash", secret="a secret of at least 16"
    )
    _REF = _STASH.put([1, 2], share=True)


_STASH: Stash
_REF: Ref[list[int]]


# A lifetime of its own


def test_a_reference_with_a_lifetime_opens_until_that_is_over(
    stash: Stash, ref: Ref[list[int]], clock: ManualClock
) -> None:
    short = ref.lasting("10m")
    assert (stash.ref(short).get(), stash.ref(short[0]).get()) == ([1, 2], 1)
    assert len(short) <= 120
    clock.now += 599
    assert stash.ref(short).get() == [1, 2]
    clock.now += 1
    for text in (short, short[0], short.lasting("1h")):
        with pytest.raises(RefExpired, match="limited time only"):
            stash.ref(text)
    assert stash.ref(ref).get() == [1, 2]


def test_the_error_says_where_a_reference_was_used_and_why_it_was_refused(stash: Stash) -> None:
    with visit(stash):
        ref = stash.ref(str(stash.put("mine")))
    with visit(stash, "another's"), pytest.raises(RefInvalid) as foreign:
        ref.get()
    assert foreign.value.reason == "foreign"
    with visit(stash):
        text = str(stash.put("mine"))
        forged = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
        with pytest.raises(RefInvalid) as refused:
            stash.ref(forged)
    told = refused.value
    assert (told.reason, told.prop) == ("forged", "the text given to stash.ref()")


def test_a_reference_in_a_value_opens_what_it_stands_for(stash: Stash) -> None:
    inner = stash.put({"a": [1, 2]}, share=True)
    outer = stash.put({"inner": inner}, share=True)
    assert stash.ref(str(outer)).get()["inner"]["a"][1].get() == 2


def test_a_value_that_this_program_cannot_read_is_told_as_what_it_is(
    stash: Stash, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("an_app_before_the_deploy")
    exec("class Cart: ...", vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    ref = stash.put(module.Cart(), share=True)
    monkeypatch.delitem(sys.modules, module.__name__)
    with pytest.raises(RefExpired, match=r"a value given to stash.put\(\).*cannot read it"):
        ref.get()


def test_a_reference_to_a_function_that_is_gone_names_it(
    stash: Stash, url: str, clock: ManualClock
) -> None:
    @stash.memo(share=True)
    def departed() -> int:
        return 1

    ref = departed.ref()
    departed.forget()
    with pytest.raises(RefExpired, match=r"a value of \S*departed\(\)"):
        Stash(url=url, secret=SECRET, clock=clock).ref(str(ref)).get()


def test_of_many_closures_of_one_function_a_reference_finds_its_own(stash: Stash) -> None:
    def make(factor: int) -> Memo[[int], int]:
        return stash.memo(share=True)(lambda n: n * factor)

    memos = [make(factor) for factor in range(8)]
    refs = [memo.ref(5) for memo in memos]
    for memo in memos:
        memo.forget()
    assert [ref.get() for ref in refs] == [5 * factor for factor in range(8)]
