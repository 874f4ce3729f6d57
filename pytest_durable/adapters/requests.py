"""requests, by the ``send`` of a session, through which every request goes, also one that follows a redirect.

The session's hooks do not do: they see responses only, and a request that has hooks of its own runs none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_durable.adapters.calls import Calls
from pytest_durable.adapters.http import KEY, has_arrived, request_of

if TYPE_CHECKING:
    import requests


def watch(calls: Calls, session: requests.Session) -> Callable[[], None]:
    """Record the requests of ``session``; returned is how to stop."""
    own = vars(session).get("send")

    def original(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        # Looked up at each call: whatever fakes the responses may have patched the class since.
        return type(session).send(session, request, **options) if own is None else own(request, **options)

    session.send = partial(sending(calls, original), session)  # type: ignore[method-assign]  # of this session alone

    def unwatch() -> None:
        if own is not None:
            session.send = own  # type: ignore[method-assign]  # as it was
        else:
            vars(session).pop("send", None)

    return unwatch


Send = Callable[..., "requests.Response"]


def sending(calls: Calls, original: Send) -> Send:
    """``original``, a method ``send`` of sessions, which records what it sends."""

    def send(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        effect = request_of(request.method or "", request.url or "", request.headers.get(KEY))
        is_effect = effect is not None and calls.begins(effect.name)
        response = original(self, request, **options)
        first = response.history[0] if response.history else response  # redirects come by here as well, each by itself
        if effect is not None and is_effect and has_arrived(first.status_code):
            calls.arrived(effect.name, effect.key, url=request.url)
        return response

    return send
