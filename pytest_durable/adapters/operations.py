"""Operations of AWS: which of them change the world, and what makes two calls the same, from the service's model.

The model says it by the traits of the operation (``readonly``, ``idempotent``) and of its parameters
(``idempotencyToken``), and by the HTTP method of services whose protocol is REST. Most models have no traits yet; then
the first word of the operation's name decides, which AWS gives by rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_durable.adapters.sql import is_read

_READS = re.compile(
    "Check|Count|Describe|Discover|Download|Estimate|Filter|Get|Head|Is|List|Lookup|Poll|Preview|Query|Receive|Retrieve"
    "|Scan|Search|Select|Validate|View"
)
_COMPUTES = re.compile(
    "Analyze|Assume|Calculate|Classify|Compare|Contains|Converse|Decode|Decrypt|Derive|Detect|Encrypt|Generate|Re"
    "|Recognize|Rerank|Sign|Simulate|Synthesize|Test|Translate|Verify"
)
"""First words of operations that answer from what they are given, and leave nothing behind but a bill."""

_COMPUTING = ("ApplyGuardrail", "InvokeEndpoint", "InvokeModel")
_SETS = re.compile(
    "Associate|Cancel|Delete|Deregister|Detach|Disable|Disassociate|Enable|Remove|Set|Stop|Tag|Terminate|Untag|Update"
)
"""First words of operations that ask for a state, which asking twice does not change."""

_MAKES = re.compile("Add|Create|Import|Ingest|Invoke|Publish|Run|Send|Start|Submit")
"""First words of operations that make something new, also where it is done by PUT."""

_FIRST = re.compile(r"(?:Batch|Transact|Admin)?([A-Z][a-z0-9]*)")
_TOKENS = re.compile(
    "CallerReference|ClientRequestToken|ClientToken|CreationToken|IdempotencyToken|MessageDeduplicationId",
    re.IGNORECASE,
)
"""Parameters that AWS documents as such where the model lacks the trait."""

_STATEMENTS = ("Statement", "sql")


def _trait(model: Any, name: str) -> bool:
    return bool(model._operation_model.get(name))  # botocore reads the model whole, and offers other traits only


def _is_rest(model: Any) -> bool:
    return str(model.service_model.metadata.get("protocol", "")).startswith("rest")


def _word(name: str) -> str:
    found = _FIRST.match(name)
    return found[1] if found is not None else name


def changes_the_world(model: Any, params: Mapping[str, Any]) -> bool:
    """Whether an operation of a botocore model may change anything, called with these parameters."""
    if _trait(model, "readonly"):
        return False
    if _is_rest(model) and model.http.get("method") in ("GET", "HEAD"):
        return False
    word = _word(model.name)
    if word == "Execute":  # of SQL
        statement = next((params[name] for name in _STATEMENTS if isinstance(params.get(name), str)), None)
        return statement is None or not is_read(statement)
    leaves_nothing = _READS.fullmatch(word) or _COMPUTES.fullmatch(word) or model.name.startswith(_COMPUTING)
    return not leaves_nothing


def key_of(model: Any, params: Mapping[str, Any]) -> str | None:
    """What makes a second call of an operation the same as the first; None if nothing does.

    It is the idempotency token, if the user gave one. Without one it is, for an operation that may be repeated by its
    nature, what it is done to: the parameters in the path of the URL, or else all of them. A token that botocore makes
    up is fresh on each call, and none.
    """
    shape = model.input_shape
    members: Mapping[str, Any] = {} if shape is None else shape.members
    tokens = [name for name in members if name in model.idempotent_members or _TOKENS.fullmatch(name)]
    is_made = _MAKES.fullmatch(_word(model.name)) is not None
    if is_made and _trait(model, "idempotent"):
        tokens += [name for name in members if name.lower() == "name"]
    given = [params[name] for name in tokens if name in params]
    if given:
        return text_of(given[0])
    if tokens:
        return None
    entries = _tokens_of_entries(members, params)
    if entries is not None:
        return entries
    may_repeat = _trait(model, "idempotent") or _SETS.fullmatch(_word(model.name)) is not None
    path = [name for name, member in members.items() if member.serialization.get("location") == "uri"]
    if _is_rest(model) and path:
        if may_repeat or (not is_made and model.http.get("method") in ("PUT", "DELETE")):
            return text_of({name: params.get(name) for name in path})
        return None
    return text_of(params) if may_repeat else None


def _tokens_of_entries(members: Mapping[str, Any], params: Mapping[str, Any]) -> str | None:
    """The tokens of all entries of a batch; None if there are none, or one has none."""
    for name, member in members.items():
        if member.type_name != "list" or member.member.type_name != "structure" or not params.get(name):
            continue
        token = next((one for one in member.member.members if _TOKENS.fullmatch(one)), None)
        if token is not None and all(token in entry for entry in params[name]):
            return text_of([entry[token] for entry in params[name]])
    return None


def text_of(value: Any) -> str:
    """A parameter as text, the same in every process."""
    if isinstance(value, Mapping):
        return ", ".join(sorted(f"{name}={_inner(one)}" for name, one in value.items()))
    if isinstance(value, list | tuple):
        return ", ".join(map(_inner, value))
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(_inner, value)))
    text = str(value)
    return type(value).__name__ if " at 0x" in text else text  # an address is another one each time


def _inner(value: Any) -> str:
    return f"({text_of(value)})" if isinstance(value, Mapping | list | tuple | set | frozenset) else text_of(value)
