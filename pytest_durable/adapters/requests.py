"""requests, by the ``send`` of a session, through which every request goes, also one that follows a redirect.

The session's hooks do not do: they see responses only, and a request that has hooks of its own runs none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_durable.adapters.calls import Calls
from pytest_durable.adapters.http import KEY, has_arrived, request_of

if TYPE_CHECKING:
    import requests


def watch(calls: Calls, session: requests.Session) -> Callable[[], None]:
    """Record the requests of ``session``; returned is how to stop."""
    own = vars(session).get("send")

    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        effect = request_of(request.method or "", request.url or "", request.headers.get(KEY))
        is_effect = effect is not None and calls.begins(effect.name)
        # Looked up at each call: whatever fakes the responses may have patched the class since.
        response = own(request, **options) if own is not None else type(session).send(session, request, **options)
        first = response.history[0] if response.history else response
        if effect is not None and is_effect and has_arrived(first.status_code):
            calls.arrived(effect.name, effect.key, url=request.url, status=first.status_code)
        return response

    session.send = send  # type: ignore[method-assign]  # of this session alone

    def unwatch() -> None:
        if own is not None:
            session.send = own  # type: ignore[method-assign]  # as it was
        else:
            vars(session).pop("send", None)

    return unwatch
