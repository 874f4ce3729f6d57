"""botocore, and boto3 on top of it, by the events of a client.

``provide-client-params`` is the first event of a call and has the parameters as the user gave them, before botocore
makes up an idempotency token of its own; ``after-call`` comes once, after all retries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_durable.adapters import dynamodb
from pytest_durable.adapters.calls import Calls
from pytest_durable.adapters.http import has_arrived
from pytest_durable.adapters.operations import changes_the_world, key_of


def watch(calls: Calls, client: Any) -> Callable[[], None]:
    """Record the mutating calls of ``client``; returned is how to stop."""
    tables = dynamodb.Tables(client)
    mark = object()  # by which this watcher finds its effect in what botocore hands from event to event

    def before(params: Mapping[str, Any], model: Any, context: dict[Any, Any], **_: Any) -> None:
        if not changes_the_world(model, params):
            return
        name = f"{model.service_model.service_name}.{model.name}"
        if calls.begins(name):
            context[mark] = name, _key(tables, model, params), dict(params)

    def after(http_response: Any, context: dict[Any, Any], **_: Any) -> None:
        effect = context.pop(mark, None)
        if effect is not None and has_arrived(http_response.status_code):
            name, key, params = effect
            calls.arrived(name, key, **params)  # no operation has a parameter that is called "key"

    events = client.meta.events
    handlers: dict[str, Callable[..., None]]
    handlers = {f"provide-client-params.{_service(client)}": before, f"after-call.{_service(client)}": after}
    for event, handler in handlers.items():
        events.register(event, handler)

    def unwatch() -> None:
        for event, handler in handlers.items():
            events.unregister(event, handler)

    return unwatch


def _service(client: Any) -> str:
    return str(client.meta.service_model.service_id.hyphenize())


def _key(tables: dynamodb.Tables, model: Any, params: Mapping[str, Any]) -> str | None:
    if model.service_model.service_name == "dynamodb" and model.name in dynamodb.WRITES:
        return tables.key_of(model.name, params)
    return key_of(model, params)
