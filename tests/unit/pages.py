"""A browser, as far as Dash's protocol goes, in this process: pages, cookies and callbacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from dash import Dash
from werkzeug.test import Cookie, TestResponse

Prop = tuple[Any, str, Any]
"""A component's id, its property, and the value of that."""


class Page:
    """One load of a page of the app; `another` loads one more in the same browser."""

    def __init__(self, app: Dash, path: str = "/", browser: Any = None) -> None:
        self.app, self.browser = app, browser or app.server.test_client()
        self.loaded = self.browser.get(path)
        self.markup = self.loaded.get_data(as_text=True)
        self.ids: str = self.markup.partition('data-ids="')[2].partition('"')[0]
        self.id, self.tab, self.session = self._split(self.ids or "..")

    @staticmethod
    def _split(ids: str) -> tuple[str, str, str]:
        page, tab, session = ids.split(".")
        return page, tab, session

    def another(self) -> Page:
        """Load the page in another tab."""
        return Page(self.app, browser=self.browser)

    def reloaded(self) -> Page:
        """Load the page again in this tab."""
        page = self.another()
        page.tab = self.tab
        return page

    @property
    def cookie(self) -> Cookie:
        """The one cookie that the browser has."""
        (only,) = self.browser._cookies.values()
        return cast(Cookie, only)

    def take(self, cookie: Cookie) -> None:
        """Let the browser have this cookie."""
        self.browser.set_cookie(cookie.key, cookie.value)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Dash-Stash": f"{self.id}.{self.tab}"} if self.id else {}

    def tell(self, what: str) -> TestResponse:
        """Say "leave" or "stay", as the page's script does."""
        response: TestResponse = self.browser.post(
            f"/_dash-stash/{what}", data=f"{self.id}.{self.tab}"
        )
        return response

    def layout(self) -> Any:
        return self.browser.get("/_dash-layout", headers=self.headers).get_json()

    def post(
        self,
        outputs: str | Sequence[str],
        *inputs: Prop | list[Prop],
        state: Sequence[Prop | list[Prop]] = (),
    ) -> TestResponse:
        """Call the callback that has these outputs, each "id.property"."""
        several = not isinstance(outputs, str)
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        specs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
        first = inputs[0][0] if isinstance(inputs[0], list) else inputs[0]
        body = {
            "output": f"..{'...'.join(names)}.." if several else names[0],
            "outputs": specs if several else specs[0],
            "inputs": list(map(_sent, inputs)),
            "state": list(map(_sent, state)),
            "changedPropIds": [f"{_id(first[0])}.{first[1]}"],
        }
        response: TestResponse = self.browser.post(
            "/_dash-update-component", json=body, headers=self.headers
        )
        return response

    def call(
        self,
        outputs: str | Sequence[str],
        *inputs: Prop | list[Prop],
        state: Sequence[Prop | list[Prop]] = (),
    ) -> Any:
        """Call a callback and return what it put into its output, or outputs."""
        response = self.post(outputs, *inputs, state=state)
        assert response.status_code == 200, response.get_data(as_text=True)[-2000:]
        answer = response.get_json()["response"]
        values = [
            answer.get(identifier, {}).get(prop)
            for identifier, prop in (name.rsplit(".", 1) for name in _names(outputs))
        ]
        return values[0] if isinstance(outputs, str) else values


def _names(outputs: str | Sequence[str]) -> list[str]:
    return [outputs] if isinstance(outputs, str) else list(outputs)


def _id(identifier: Any) -> str:
    return (
        identifier
        if isinstance(identifier, str)
        else json.dumps(identifier, sort_keys=True, separators=(",", ":"))
    )


def _sent(prop: Prop | list[Prop]) -> Any:
    if isinstance(prop, list):
        return [_sent(one) for one in prop]
    return {"id": prop[0], "property": prop[1], "value": prop[2]}
