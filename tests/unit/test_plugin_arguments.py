"""References in the arguments of callbacks: values arrive in their place, in every form."""

from __future__ import annotations

import enum
import gzip
import sys
import types
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NewType, Optional

import dash
import numpy as np
import pandas as pd
import pytest
from dash import ALL, MATCH, Dash, Input, Output, Patch, State, ctx, html, no_update, set_props
from dash._utils import AttributeDict
from dash.exceptions import PreventUpdate

from dash_stash import Ref, RefInvalid, Stash
from dash_stash.plugin.arguments import ArgumentResolver
from dash_stash.testing import ManualClock
from servers import Server
from support import SECRET
from unit.pages import Page

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForTypes

VALUE = {"df": [1, 2, 3]}

Code = NewType("Code", str)


class Carrier(enum.StrEnum):
    """One of a few texts."""

    AA = "AA"


@pytest.fixture
def stash(app: Dash, url: str, clock: ManualClock) -> Stash:
    return Stash(app, url, secret=SECRET, clock=clock)


@pytest.fixture
def ref(stash: Stash) -> Ref[Any]:
    return stash.put(VALUE, share=True)


def seen(value: Any) -> str:
    """What a callback got, as text that tells references, values and plain text apart."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(seen, value))}]"
    if isinstance(value, dict) and value != VALUE:
        return f"{{{', '.join(f'{name}: {seen(child)}' for name, child in value.items())}}}"
    return (
        "value"
        if value == VALUE
        else "ref"
        if isinstance(value, Ref)
        else "text"
        if isinstance(value, str)
        else repr(value)
    )


# Forms of arguments


def test_positional_arguments_and_states(app: Dash, ref: str) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"), State("c", "data"))
    def use(a: Any, b: Any, c: Any) -> str:
        return seen([a, b, c])

    assert (
        Page(app).call(
            "out.data", ("a", "data", str(ref)), ("b", "data", 5), state=[("c", "data", str(ref))]
        )
        == "[value, 5, value]"
    )


def test_keyword_arguments(app: Dash, ref: str) -> None:
    @app.callback(
        Output("out", "data"),
        inputs={"x": Input("a", "data")},
        state={"y": State("b", "data"), "z": State("c", "data")},
    )
    def use(x: Any, *, y: str, z: Ref[Any]) -> str:
        return seen([x, y, z])

    states = [("b", "data", str(ref)), ("c", "data", str(ref))]
    assert Page(app).call("out.data", ("a", "data", str(ref)), state=states) == "[value, text, ref]"


def test_nested_groupings(app: Dash, ref: str) -> None:
    @app.callback(
        Output("out", "data"),
        inputs={
            "both": (Input("a", "data"), Input("b", "data")),
            "named": {"one": Input("c", "data"), "two": State("d", "data")},
        },
    )
    def use(both: Any, named: Any) -> str:
        return seen([both, named])

    page, props = Page(app), [(name, "data", str(ref)) for name in "abcd"]
    assert (
        page.call("out.data", *props[:3], state=props[3:])
        == "[[value, value], {one: value, two: value}]"
    )


def test_a_grouping_whose_annotation_says_so_stays_references(app: Dash, ref: str) -> None:
    @app.callback(
        Output("out", "data"),
        inputs={"both": (Input("a", "data"), Input("b", "data")), "other": Input("c", "data")},
    )
    def use(both: tuple[Ref[Any], Ref[Any]], other: Any) -> str:
        return seen([both, other])

    assert (
        Page(app).call("out.data", *[(name, "data", str(ref)) for name in "abc"])
        == "[[ref, ref], value]"
    )


def test_a_list_or_tuple_of_inputs(app: Dash, ref: str) -> None:
    @app.callback(
        Output("out", "data"), [Input("a", "data"), Input("b", "data")], [State("c", "data")]
    )
    def use(a: Any, b: Ref[Any], c: str) -> str:
        return seen([a, b, c])

    page = Page(app)
    assert (
        page.call(
            "out.data",
            ("a", "data", str(ref)),
            ("b", "data", str(ref)),
            state=[("c", "data", str(ref))],
        )
        == "[value, ref, text]"
    )


def test_one_input_that_is_no_list(app: Dash, ref: str) -> None:
    @app.callback(output=Output("out", "data"), inputs=Input("a", "data"))
    def use(a: Any) -> str:
        return seen(a)

    assert Page(app).call("out.data", ("a", "data", str(ref))) == "value"


def test_star_arguments(app: Dash, ref: str) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"), Input("c", "data"))
    def use(first: str, *rest: Any) -> str:
        return seen([first, *rest])

    assert (
        Page(app).call("out.data", *[(name, "data", str(ref)) for name in "abc"])
        == "[text, value, value]"
    )


def test_star_keyword_arguments(app: Dash, ref: str) -> None:
    @app.callback(Output("out", "data"), inputs={"x": Input("a", "data"), "y": Input("b", "data")})
    def use(**named: Any) -> str:
        return seen(named)

    assert (
        Page(app).call("out.data", *[(name, "data", str(ref)) for name in "ab"])
        == "{x: value, y: value}"
    )


def test_star_arguments_are_annotated_one_by_one(app: Dash, ref: str) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"))
    def use(*rest: Ref[Any]) -> str:
        return seen(rest)

    assert Page(app).call("out.data", *[(name, "data", str(ref)) for name in "ab"]) == "[ref, ref]"


def test_the_annotation_of_star_arguments_is_about_each_of_them(app: Dash, ref: str) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"))
    def use(*pairs: tuple[str, Any]) -> str:
        return seen(pairs)

    pairs: list[Any] = [(name, "data", [str(ref), str(ref)]) for name in "ab"]
    assert Page(app).call("out.data", *pairs) == "[[text, value], [text, value]]"


def test_all_of_a_pattern(app: Dash, ref: str) -> None:
    @app.callback(
        Output("out", "data"),
        Input({"kind": "store", "n": ALL}, "data"),
        State({"kind": "other", "n": ALL}, "data"),
    )
    def use(stores: list[Any], others: list[Ref[Any]]) -> str:
        return seen([stores, others])

    stores, others = (
        [({"kind": kind, "n": n}, "data", str(ref)) for n in range(2)]
        for kind in ("store", "other")
    )
    assert Page(app).call("out.data", stores, state=[others]) == "[[value, value], [ref, ref]]"
    assert Page(app).call("out.data", stores[:1], state=[[]]) == "[[value], []]"


def test_the_match_of_a_pattern(app: Dash, ref: str) -> None:
    @app.callback(
        Output({"kind": "out", "n": MATCH}, "data"), Input({"kind": "store", "n": MATCH}, "data")
    )
    def use(store: Any) -> str:
        return seen(store)

    body = {
        "output": '{"kind":"out","n":MATCH}.data'.replace("MATCH", '["MATCH"]'),
        "outputs": {"id": {"kind": "out", "n": 1}, "property": "data"},
        "inputs": [{"id": {"kind": "store", "n": 1}, "property": "data", "value": str(ref)}],
        "changedPropIds": ['{"kind":"store","n":1}.data'],
        "state": [],
    }
    answer = Page(app).browser.post("/_dash-update-component", json=body).get_json()
    assert answer["response"] == {'{"kind":"out","n":1}': {"data": "value"}}


def test_references_inside_lists_and_dicts(app: Dash, ref: str) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"))
    def use(a: Any, b: dict[str, Ref[Any]]) -> str:
        return seen([a, b])

    nested = [str(ref), {"x": [str(ref), "typed"], "y": 1}]
    assert (
        Page(app).call("out.data", ("a", "data", nested), ("b", "data", {"k": str(ref)}))
        == "[[value, {x: [value, text], y: 1}], {k: ref}]"
    )


def test_each_argument_gets_a_copy_of_its_own(app: Dash, stash: Stash) -> None:
    ref = stash.put(np.zeros(10**5), share=True)

    @app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"))
    def use(a: Any, b: Any) -> list[float]:
        a[:] = 1
        return [float(a.sum()), float(b.sum())]

    for _ in range(2):
        assert Page(app).call("out.data", ("a", "data", str(ref)), ("b", "data", str(ref))) == [
            10**5,
            0,
        ]


def test_parts_load_alone(app: Dash, stash: Stash) -> None:
    ref = stash.put({"df_1": np.zeros(3000), "df_2": pd.DataFrame({"a": [5]})}, share=True)

    @app.callback(Output("out", "data"), Input("a", "data"))
    def use(frame: pd.DataFrame) -> int:
        return int(frame["a"].iloc[0])

    assert Page(app).call("out.data", ("a", "data", str(ref["df_2"]))) == 5


# Annotations


def _annotated(annotation: Any) -> Callable[[Any], str]:
    def use(value: Any) -> str:
        return seen(value)

    use.__annotations__ = {"value": annotation, "return": str}
    return use


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Ref, "ref"),
        (Ref[Any], "ref"),
        (Ref[dict[str, int]], "ref"),
        (Ref | None, "ref"),
        (Ref[Any] | None, "ref"),
        (Optional[Ref], "ref"),  # noqa: UP045 (users write it)
        (Annotated[Ref, "documented"], "ref"),
        (str, "text"),
        (str | None, "text"),
        (Optional[str], "text"),  # noqa: UP045 (users write it)
        (Annotated[str, "documented"], "text"),
        (Literal["a", "b"], "text"),
        (Literal["a", "b"] | None, "text"),
        (Code, "text"),
        (Carrier, "text"),
        ("Literal['a']", "text"),
        (Any, "value"),
        (object, "value"),
        (dict, "value"),
        (dict[str, Any], "value"),
        (pd.DataFrame | None, "value"),
        (str | list, "value"),
        (str | list[int] | None, "value"),
        (str | dict[str, Any], "value"),
        (str | int, "value"),
        (Literal["a", 1], "value"),
        ("str | list", "value"),
        (None, "value"),
        ("Ref", "ref"),
        ("Ref[Any] | None", "ref"),
        ("str", "text"),
        ("dict[str, Any]", "value"),
    ],
    ids=str,
)
def test_the_annotation_decides_what_arrives(
    app: Dash, ref: str, annotation: Any, expected: str
) -> None:
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(annotation))
    assert Page(app).call("out.data", ("a", "data", str(ref))) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (list[Ref[Any]], "[ref, ref]"),
        (Sequence[Ref[Any]], "[ref, ref]"),
        (tuple[Ref[Any], ...], "[ref, ref]"),
        (list[Any], "[value, value]"),
        (list, "[value, value]"),
        (list[str], "[text, text]"),
        (tuple[str, ...], "[text, text]"),
        (tuple[str, str], "[text, text]"),
        (Sequence[str], "[text, text]"),
        (Iterable[str | None], "[text, text]"),
        (Collection[Code], "[text, text]"),
        (set[Literal["a", "b"]], "[text, text]"),
        (list[Carrier] | None, "[text, text]"),
        (list[str | int], "[value, value]"),
        (list[str | list[Any]], "[value, value]"),
        (list[str] | Any, "[text, text]"),
        (list[str] | dict[str, Any], "[value, value]"),
        ("Sequence[str]", "[text, text]"),
    ],
    ids=str,
)
def test_so_does_that_of_a_lists_items(app: Dash, ref: str, annotation: Any, expected: str) -> None:
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(annotation))
    assert Page(app).call("out.data", ("a", "data", [str(ref), str(ref)])) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("Ref", "ref"),
        ("Ref[Any]", "ref"),
        ("Ref | None", "ref"),
        ("list[Ref]", "ref"),
        ("str", "text"),
        ("Optional[str]", "text"),
        ("Any", "value"),
    ],
)
def test_a_name_that_only_type_checkers_know_spoils_no_other_annotation(
    app: Dash, ref: str, annotation: str, expected: str
) -> None:
    def use(value: Any, other: OnlyForTypes) -> str:
        return seen(value)

    use.__annotations__["value"] = annotation
    app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"))(use)
    assert Page(app).call("out.data", ("a", "data", str(ref)), ("b", "data", 1)) == expected


def test_ref_imported_only_for_type_checkers_is_known(app: Dash, ref: str) -> None:
    module = types.ModuleType("typed_only")
    source = """
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import pandas as pd
    from dash_stash import Ref
def use(value: Ref[pd.DataFrame]):
    return type(value).__name__
"""
    sys.modules["typed_only"] = module
    exec(source, vars(module))
    app.callback(Output("out", "data"), Input("a", "data"))(module.use)
    assert Page(app).call("out.data", ("a", "data", str(ref))) == "Ref"
    del sys.modules["typed_only"]


def test_a_parameter_annotated_ref_loads_nothing(app: Dash, stash: Stash) -> None:
    memo = stash.memo(share=True)(lambda: 1)
    ref = memo.ref()
    memo.forget()

    @app.callback(Output("out", "data"), Input("a", "data"))
    def use(value: Ref[int]) -> Ref[int]:
        return value

    assert Page(app).call("out.data", ("a", "data", str(ref))) == str(ref)
    assert memo.peek() is None


def test_a_ref_in_a_callback_can_be_opened_and_taken_apart(app: Dash, ref: str) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"))
    def use(value: Ref[dict[str, list[int]]]) -> list[Any]:
        return [value.get(), value["df"].get(), value["df"]]

    loaded, part, text = Page(app).call("out.data", ("a", "data", str(ref)))
    assert (loaded, part) == (VALUE, [1, 2, 3])
    assert text.startswith("stash:")


# What callbacks return


def test_references_go_out_in_every_way(app: Dash, stash: Stash, ref: Ref[Any]) -> None:
    @app.callback(
        Output("a", "data"),
        Output("b", "children"),
        Output("c", "data"),
        Output("d", "data"),
        Input("go", "n_clicks"),
    )
    def use(_: int) -> tuple[Any, ...]:
        patch = Patch()
        patch["signal"] = ref
        return ref, html.Div(ref), {"nested": [ref]}, patch

    a, b, c, d = Page(app).call(["a.data", "b.children", "c.data", "d.data"], ("go", "n_clicks", 1))
    assert (a, b["props"]["children"], c) == (str(ref), str(ref), {"nested": [str(ref)]})
    assert d["operations"][0]["params"]["value"] == str(ref)
    assert stash.ref(a).get() == VALUE


def test_outputs_that_are_not_updated_stay(app: Dash, ref: Ref[Any]) -> None:
    @app.callback(Output("a", "data"), Output("b", "data"), Input("go", "data"))
    def use(_: Any) -> tuple[Any, ...]:
        return ref, no_update

    assert Page(app).call(["a.data", "b.data"], ("go", "data", str(ref))) == [str(ref), None]


def test_an_update_can_be_prevented(app: Dash, ref: Ref[Any]) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"), prevent_initial_call=True)
    def use(_: Any) -> None:
        raise PreventUpdate

    assert Page(app).post("out.data", ("a", "data", str(ref))).status_code == 204


def test_props_that_are_set_take_references(app: Dash, ref: Ref[Any]) -> None:
    @app.callback(Input("a", "data"))
    def use(value: Any) -> None:
        set_props("signal", {"data": ref if value == VALUE else None})

    (output,) = Page(app).browser.get("/_dash-dependencies").get_json()
    body = {
        "output": output["output"],
        "outputs": None,
        "inputs": [{"id": "a", "property": "data", "value": str(ref)}],
        "changedPropIds": ["a.data"],
        "state": [],
    }
    answer = Page(app).browser.post("/_dash-update-component", json=body).get_json()
    assert answer["sideUpdate"] == {"signal": {"data": str(ref)}}


def test_the_context_goes_on_showing_the_reference(app: Dash, ref: Ref[Any]) -> None:
    @app.callback(
        Output("out", "data"),
        inputs={"a": Input("a", "data"), "b": Input("b", "data")},
        state={"s": State("s", "data")},
    )
    def use(a: Any, b: Any, s: Any) -> Any:
        shown = {
            "triggered": ctx.triggered,
            "inputs": ctx.inputs,
            "states": ctx.states,
            "list": ctx.inputs_list,
            "grouping": [ctx.args_grouping["a"]["value"], ctx.args_grouping["s"]["value"]],
            "id": ctx.triggered_id,
        }
        return [seen([a, b, s]), shown]

    got, shown = Page(app).call(
        "out.data",
        ("a", "data", str(ref)),
        ("b", "data", [str(ref)]),
        state=[("s", "data", str(ref))],
    )
    assert got == "[value, [value], value]"
    assert shown["triggered"] == [{"prop_id": "a.data", "value": str(ref)}]
    assert shown["inputs"] == {"a.data": str(ref), "b.data": [str(ref)]}
    assert shown["states"] == {"s.data": str(ref)}
    assert shown["list"][0]["value"] == str(ref)
    assert shown["grouping"] == [str(ref), str(ref)]
    assert shown["id"] == "a"


# What cannot be had


@pytest.fixture
def dead(app: Dash, stash: Stash, clock: ManualClock) -> dict[str, str]:
    """References that open nothing for a page that is loaded later, by what has become of them."""

    @app.callback(Output("made", "data"), Input("make", "n_clicks"))
    def make(_: int) -> Any:
        return stash.put("private")

    expired = stash.put(1, ttl=60, share=True)
    clock.now += 60
    return {
        "forged": "stash:" + "A" * 80,
        "foreign": Page(app).call("made.data", ("make", "n_clicks", 1)),
        "expired": str(expired),
        "missing": str(stash.put({"a": 1}, share=True)["b"]),
    }


_EVERY = ("forged", "foreign", "expired", "missing")


@pytest.mark.parametrize("cause", _EVERY)
@pytest.mark.parametrize(
    "annotation",
    [
        dict | None,
        Optional[pd.DataFrame],  # noqa: UP045 (users write it)
        Optional[Any],  # noqa: UP045 (as above)
        Annotated[dict[str, Any] | None, "documented"],
        "pd.DataFrame | None",
        "OnlyForTypes | None",
        "only.for_types.Frame[int] | None",
        "Union[None, OnlyForTypes]",
    ],
    ids=str,
)
def test_a_parameter_that_may_be_none_gets_none_for_what_cannot_be_had(
    app: Dash, ref: str, dead: dict[str, str], cause: str, annotation: Any
) -> None:
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(annotation))
    page = Page(app)
    assert page.call("out.data", ("a", "data", dead[cause])) == "None"
    assert page.call("out.data", ("a", "data", {"deep": [dead[cause]]})) == "None"
    assert page.call("out.data", ("a", "data", str(ref))) == "value"


@pytest.mark.parametrize("cause", _EVERY)
@pytest.mark.parametrize(
    "annotation",
    [Any, object, None, dict, pd.DataFrame, "OnlyForTypes", list[dict[str, Any]]],
    ids=str,
)
def test_any_other_parameter_does_not(
    app: Dash, dead: dict[str, str], cause: str, annotation: Any
) -> None:
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(annotation))
    assert Page(app).post("out.data", ("a", "data", dead[cause])).status_code in (403, 410)


def test_in_a_list_or_dict_each_element_is_none_by_itself(
    app: Dash, ref: str, dead: dict[str, str]
) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"), Input("b", "data"), Input("c", "data"))
    def use(
        a: list[dict[str, Any] | None],
        b: dict[str, Ref[Any] | None],
        c: list[dict[str, Any]] | None,
    ) -> str:
        return seen([a, b, c])

    listed = [str(ref), dead["expired"], dead["forged"]]
    named = {"x": dead["foreign"], "y": str(ref)}
    shown = Page(app).call(
        "out.data", ("a", "data", listed), ("b", "data", named), ("c", "data", listed)
    )
    assert shown == "[[value, None, None], {x: None, y: ref}, None]"


def test_in_a_grouping_each_place_has_its_own_annotation(
    app: Dash, ref: str, dead: dict[str, str]
) -> None:
    @app.callback(
        Output("out", "data"),
        inputs={"both": (Input("a", "data"), Input("b", "data"), Input("c", "data"))},
    )
    def use(both: tuple[Ref[Any], dict[str, Any] | None, str]) -> str:
        return seen(both)

    shown = Page(app).call(
        "out.data",
        ("a", "data", str(ref)),
        ("b", "data", dead["forged"]),
        ("c", "data", dead["forged"]),
    )
    assert shown == "[ref, None, text]"


def test_a_reference_that_may_be_none_is_none_where_it_is_refused_and_comes_where_its_value_is_gone(
    app: Dash, dead: dict[str, str]
) -> None:
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(Ref[Any] | None))
    page = Page(app)
    shown = [page.call("out.data", ("a", "data", dead[cause])) for cause in _EVERY]
    assert shown == ["None", "None", "ref", "ref"]


def test_text_that_may_be_none_stays_text(app: Dash, dead: dict[str, str]) -> None:
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(str | None))
    assert Page(app).call("out.data", ("a", "data", dead["forged"])) == "text"


def test_a_functions_own_error_is_not_none(app: Dash, stash: Stash) -> None:
    fails: list[int] = []

    @stash.memo(share=True, ignore="fails")
    def load() -> int:
        if fails:
            raise ValueError("mine")
        return 1

    ref = load.ref()
    load.forget()
    fails.append(1)
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(dict | None))
    assert Page(app).post("out.data", ("a", "data", str(ref))).status_code == 500


@pytest.mark.parametrize("url", ["server"], indirect=True)
def test_a_store_that_is_away_is_not_none(app: Dash, ref: str, server: Server) -> None:
    app.callback(Output("out", "data"), Input("a", "data"))(_annotated(dict | None))
    page = Page(app)
    with server.stopped():
        assert page.post("out.data", ("a", "data", str(ref))).status_code == 503


def test_a_compressed_request_is_looked_into(app: Dash, ref: str) -> None:
    """Dash 4.5 lets a browser compress what it sends.

    Older ones do not read it, so that the search alone is tested.
    """
    received: list[Any] = []
    app.callback(Output("out", "data"), Input("a", "data"))(received.append)
    resolve = app._execute_callback
    with app.server.test_request_context(
        method="POST", data=gzip.compress(b"..."), headers={"Content-Encoding": "gzip"}
    ):
        context = AttributeDict(
            inputs_list=[{"id": "a", "property": "data", "value": str(ref)}], states_list=[]
        )
        context.background_callback_manager, context.updated_props = None, {}
        app._setup_server()
        called = resolve(
            app.callback_map["out.data"]["callback"],
            [str(ref)],
            {"id": "out", "property": "data"},
            context,
        )
        called()
    assert received == [VALUE]


def test_the_references_of_a_background_callback_stay_references(
    app: Dash, stash: Stash, ref: str
) -> None:
    """It runs in another process, which opens them."""
    app.callback(Output("out", "data"), Input("a", "data"))(lambda value: value)
    app._setup_server()
    callback = app.callback_map["out.data"]
    context = AttributeDict(inputs_list=[{"id": "a", "property": "data"}], states_list=[])
    for background, expected in ((None, [VALUE]), ({"interval": 1000}, [str(ref)])):
        callback["background"] = background
        arguments = ArgumentResolver(app, stash._deployment.references)
        assert arguments.resolve(callback["callback"], [str(ref)], context) == expected


# Text and refusals


@pytest.mark.parametrize(
    "text",
    [
        "stash: my notes",
        "stash:",
        "stash:short",
        "a stash:AAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "stash:ä" + "A" * 60,
    ],
)
def test_text_that_only_begins_like_a_reference_stays_text(
    app: Dash, stash: Stash, text: str
) -> None:
    @app.callback(Output("out", "data"), Input("a", "value"))
    def use(value: Any) -> Any:
        return value

    assert Page(app).call("out.data", ("a", "value", text)) == text


def test_text_that_looks_like_a_reference_stays_text_where_text_is_expected(
    app: Dash, ref: Ref[Any]
) -> None:
    @app.callback(Output("out", "data"), Input("a", "value"))
    def use(value: str) -> list[str]:
        return [type(value).__name__, value]

    for text in ("stash:" + "A" * 80, str(ref)):
        assert Page(app).call("out.data", ("a", "value", text)) == ["str", text]


@pytest.mark.parametrize("text", ["stash:" + "A" * 80, "stash:" + "A" * 20, "stash:" + "-" * 1000])
@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: [1, {"x": text}]])
def test_a_forged_reference_is_refused_and_the_callback_does_not_run(
    app: Dash, stash: Stash, text: str, wrap: Any
) -> None:
    ran = []

    @app.callback(Output("out", "data"), Input("a", "data"))
    def use(value: Any) -> None:
        ran.append(value)

    response = Page(app).post("out.data", ("a", "data", wrap(text)))
    assert response.status_code == 403
    assert "'a.data'" in response.get_data(as_text=True)
    assert not ran


def test_another_sessions_reference_is_refused(app: Dash, stash: Stash) -> None:
    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def make(_: int) -> Any:
        return stash.put("private")

    @app.callback(Output("shown", "data"), Input("out", "data"))
    def show(value: Any) -> Any:
        return value

    @app.callback(Output("kept", "data"), Input("out", "data"))
    def keep(value: Ref[Any]) -> Any:
        return value

    mine, theirs = Page(app), Page(app)
    text = mine.call("out.data", ("go", "n_clicks", 1))
    assert (
        mine.call("shown.data", ("out", "data", text))
        == mine.another().call("shown.data", ("out", "data", text))
        == "private"
    )
    for output in ("shown.data", "kept.data"):
        response = theirs.post(output, ("out", "data", text))
        assert response.status_code == 403
        assert "foreign" in response.get_data(as_text=True)


def test_a_reference_whose_value_is_gone_answers_410(
    app: Dash, stash: Stash, clock: ManualClock
) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"))
    def use(value: Any) -> Any:
        return value

    ref = stash.put(1, ttl=60, share=True)
    assert Page(app).call("out.data", ("a", "data", str(ref))) == 1
    clock.now += 60
    response = Page(app).post("out.data", ("a", "data", str(ref)))
    assert response.status_code == 410
    assert "Reload the page" in response.get_data(as_text=True)


def test_references_can_be_opened_by_hand_from_text(app: Dash, stash: Stash, ref: Ref[Any]) -> None:
    @app.callback(Output("out", "data"), Input("a", "value"))
    def use(text: str) -> Any:
        try:
            return stash.ref(text).get()
        except RefInvalid as error:
            return error.reason

    assert Page(app).call("out.data", ("a", "value", str(ref))) == VALUE
    assert Page(app).call("out.data", ("a", "value", "stash:" + "A" * 80)) == "forged"
    assert Page(app).call("out.data", ("a", "value", "hello")) == "no reference"


# Callbacks of every kind


def test_a_callback_without_references_gets_its_arguments_untouched(
    app: Dash, stash: Stash
) -> None:
    @app.callback(Output("out", "data"), Input("a", "data"))
    def use(value: Any) -> Any:
        return value

    rows = [{"n": n, "text": "x" * 100} for n in range(1000)]
    assert Page(app).call("out.data", ("a", "data", rows)) == rows


def test_global_callbacks_registered_before_the_stash_work(url: str) -> None:
    @dash.callback(Output("global-out", "data"), Input("global-a", "data"))
    def use(value: Any) -> str:
        return seen(value)

    app = Dash(__name__)
    app.layout = html.Div()
    stash = Stash(url=url, secret=SECRET)
    stash.init_app(app)
    ref = stash.put(VALUE, share=True)
    assert Page(app).call("global-out.data", ("global-a", "data", str(ref))) == "value"


def test_async_callbacks(app: Dash, url: str) -> None:
    app = Dash(__name__, use_async=True)
    app.layout = html.Div()
    stash = Stash(app, url, secret=SECRET)
    square = stash.memo(_square)

    @app.callback(Output("out", "data"), Input("a", "data"), State("b", "data"))
    async def use(value: Any, kept: Ref[Any]) -> Any:
        stash.session["n"] = await square(3)
        return [seen(value), seen(kept), stash.session["n"], stash.put(1)]

    ref = str(stash.put(VALUE, share=True))
    page = Page(app)
    *got, minted = page.call("out.data", ("a", "data", ref), state=[("b", "data", ref)])
    assert got == ["value", "ref", 9]
    assert minted.startswith("stash:")


async def _square(n: int) -> int:
    return n * n


def test_sync_callbacks_of_an_async_app(url: str) -> None:
    app = Dash(__name__, use_async=True)
    app.layout = html.Div()
    stash = Stash(app, url, secret=SECRET)

    @app.callback(Output("out", "data"), Input("a", "data"))
    def use(value: Any) -> Any:
        return [seen(value), stash.page.modify("n", lambda n: n + 1, default=0)]

    ref = str(stash.put(VALUE, share=True))
    page = Page(app)
    assert [page.call("out.data", ("a", "data", ref)) for _ in range(2)] == [
        ["value", 1],
        ["value", 2],
    ]


def test_a_memo_function_can_be_a_callback(app: Dash, stash: Stash, ref: Ref[Any]) -> None:
    calls = []

    @app.callback(Output("out", "data"), Input("a", "data"))
    @stash.memo(ignore="calls")
    def use(value: Any) -> Any:
        calls.append(value)
        return [seen(value), len(calls)]

    page = Page(app)
    assert (
        page.call("out.data", ("a", "data", str(ref)))
        == page.call("out.data", ("a", "data", str(ref)))
        == ["value", 1]
    )
