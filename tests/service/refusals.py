"""What the service says to every update that an operation's state does not allow, and to every malformed request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from aws_durable_execution_sdk_python.lambda_service import OperationUpdate, StepOptions

from tests.service.journals import ERROR, callback, invoke, retry, update, wait

CLOSED_STEP = {
    "START": "Invalid current STEP state to start.",
    "SUCCEED": "Invalid current STEP state to close.",
    "FAIL": "Invalid current STEP state to close.",
    "RETRY": "Invalid current STEP state to re-attempt.",
}
CLOSED_CONTEXT = {
    "START": "Cannot start a CONTEXT that already exist.",
    "SUCCEED": "Invalid current CONTEXT state to close.",
    "FAIL": "Invalid current CONTEXT state to close.",
}
WAIT_EXISTS = "Cannot start a WAIT that already exist."
CALLBACK_EXISTS = "Cannot start a CALLBACK that already exist."
INVOKE_EXISTS = "Cannot start a CHAINED_INVOKE operation that already exists."
NOTHING_TO_CANCEL = "Cannot cancel a WAIT that does not exist or has already completed."

UPDATES: dict[tuple[str, str], OperationUpdate] = {
    ("STEP", "START"): update("STEP", "START"),
    ("STEP", "SUCCEED"): update("STEP", "SUCCEED", payload="1"),
    ("STEP", "FAIL"): update("STEP", "FAIL", error=ERROR),
    ("STEP", "RETRY"): retry(error=ERROR),
    ("WAIT", "START"): wait(),
    ("WAIT", "CANCEL"): update("WAIT", "CANCEL"),
    ("CONTEXT", "START"): update("CONTEXT", "START"),
    ("CONTEXT", "SUCCEED"): update("CONTEXT", "SUCCEED", payload="1"),
    ("CONTEXT", "FAIL"): update("CONTEXT", "FAIL", error=ERROR),
    ("CALLBACK", "START"): callback(),
    ("CHAINED_INVOKE", "START"): invoke(),
}
"""A well-formed update for every legal action of every type."""


class Transition(NamedTuple):
    """What one action does to an operation of one type in one status: the next status, or else the refusal."""

    kind: str
    status: str | None
    action: str
    leads_to: str | None
    refusal: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}-{self.status}-{self.action}"


def _rows(kind: str, statuses: str, **outcomes: str) -> list[Transition]:
    """For each status (``none`` for no operation) one transition by each action."""
    return [
        Transition(
            kind,
            None if status == "none" else status,
            action,
            outcome if outcome.isupper() else None,
            None if outcome.isupper() else outcome,
        )
        for status in statuses.split()
        for action, outcome in outcomes.items()
    ]


TRANSITIONS = [
    *_rows("STEP", "none READY", START="STARTED", SUCCEED="SUCCEEDED", FAIL="FAILED", RETRY="PENDING"),
    *_rows("STEP", "STARTED", START=CLOSED_STEP["START"], SUCCEED="SUCCEEDED", FAIL="FAILED", RETRY="PENDING"),
    *_rows("STEP", "PENDING SUCCEEDED FAILED", **CLOSED_STEP),
    *_rows("WAIT", "none", START="STARTED", CANCEL=NOTHING_TO_CANCEL),
    *_rows("WAIT", "STARTED", START=WAIT_EXISTS, CANCEL="CANCELLED"),
    *_rows("WAIT", "SUCCEEDED CANCELLED", START=WAIT_EXISTS, CANCEL=NOTHING_TO_CANCEL),
    *_rows("CONTEXT", "none", START="STARTED", SUCCEED="SUCCEEDED", FAIL="FAILED"),
    *_rows("CONTEXT", "STARTED", START=CLOSED_CONTEXT["START"], SUCCEED="SUCCEEDED", FAIL="FAILED"),
    *_rows("CONTEXT", "SUCCEEDED FAILED", **CLOSED_CONTEXT),
    *_rows("CALLBACK", "none", START="STARTED"),
    *_rows("CALLBACK", "STARTED SUCCEEDED FAILED TIMED_OUT", START=CALLBACK_EXISTS),
    *_rows("CHAINED_INVOKE", "none", START="STARTED"),
    *_rows("CHAINED_INVOKE", "STARTED SUCCEEDED FAILED TIMED_OUT STOPPED", START=INVOKE_EXISTS),
]


class Refusal(NamedTuple):
    """A request that is refused, whatever else it holds.

    Attributes:
        stored: type and status of the operation ``op`` that exists; None if none does.
        updates: the request.
        words: the service's answer.
    """

    name: str
    stored: tuple[str, str] | None
    updates: Sequence[OperationUpdate]
    words: str

    def __str__(self) -> str:
        return self.name


STARTED_STEP = ("STEP", "STARTED")
STARTED_CONTEXT = ("CONTEXT", "STARTED")
DONE = update("EXECUTION", "SUCCEED", "result", payload="1")
BOTH: dict[str, Any] = {"error": ERROR, "payload": "1"}
NO_PAYLOAD = "Cannot provide a Payload for FAIL action."
NO_ERROR = "Cannot provide an Error for SUCCEED action."
BAD_ACTION = "Invalid action for the given operation type."
SAME_ID = "Cannot checkpoint multiple operations with the same ID."
BAD_PARENT = "Invalid parent operation id."

REQUESTS = [
    Refusal("two EXECUTION updates", None, [DONE, DONE], "Cannot checkpoint multiple EXECUTION updates."),
    Refusal(
        "EXECUTION before another update",
        None,
        [DONE, update("STEP", "START")],
        "EXECUTION checkpoint must be the last update.",
    ),
    Refusal("a step started twice", None, [update("STEP", "START"), update("STEP", "START")], SAME_ID),
    Refusal("a context started twice", None, [update("CONTEXT", "START"), update("CONTEXT", "START")], SAME_ID),
    Refusal(
        "a step closed twice",
        STARTED_STEP,
        [update("STEP", "SUCCEED", payload="1"), update("STEP", "SUCCEED", payload="1")],
        SAME_ID,
    ),
    Refusal(
        "a step started, closed and closed",
        None,
        [update("STEP", "START"), update("STEP", "FAIL", error=ERROR), update("STEP", "FAIL", error=ERROR)],
        SAME_ID,
    ),
    Refusal("a step retried and started", STARTED_STEP, [retry(), update("STEP", "START")], SAME_ID),
    Refusal("a wait started twice", None, [wait(), wait()], SAME_ID),
    Refusal("a wait started and cancelled", None, [wait(), update("WAIT", "CANCEL")], SAME_ID),
    Refusal("a parent that does not exist", None, [update("STEP", "START", parent_id="nobody")], BAD_PARENT),
    Refusal("a parent that is a step", STARTED_STEP, [update("STEP", "START", "child", parent_id="op")], BAD_PARENT),
    Refusal(
        "a parent that starts as a step in the same request",
        None,
        [update("STEP", "START"), update("STEP", "START", "child", parent_id="op")],
        BAD_PARENT,
    ),
    Refusal(
        "a parent that starts later in the same request",
        None,
        [update("STEP", "START", "child", parent_id="op"), update("CONTEXT", "START")],
        BAD_PARENT,
    ),
    Refusal("a parent that is the execution", None, [update("STEP", "START", parent_id="execution")], BAD_PARENT),
    Refusal("another type", STARTED_STEP, [update("CONTEXT", "SUCCEED")], "Inconsistent operation type."),
    Refusal("a step cancelled", STARTED_STEP, [update("STEP", "CANCEL")], BAD_ACTION),
    Refusal("a step that does not exist cancelled", None, [update("STEP", "CANCEL")], BAD_ACTION),
    Refusal("a step failed with a payload", STARTED_STEP, [update("STEP", "FAIL", **BOTH)], NO_PAYLOAD),
    Refusal("a step succeeded with an error", STARTED_STEP, [update("STEP", "SUCCEED", **BOTH)], NO_ERROR),
    Refusal(
        "a step retried without options",
        STARTED_STEP,
        [update("STEP", "RETRY", error=ERROR)],
        "Invalid StepOptions for the given action.",
    ),
    Refusal(
        "a step retried with error and payload",
        STARTED_STEP,
        [update("STEP", "RETRY", step_options=StepOptions(1), **BOTH)],
        "Cannot provide both error and payload to RETRY a STEP.",
    ),
    *(
        Refusal(f"a wait told to {action}", ("WAIT", "STARTED"), [update("WAIT", action)], BAD_ACTION)
        for action in ("SUCCEED", "FAIL", "RETRY")
    ),
    *(
        Refusal(f"a context told to {action}", STARTED_CONTEXT, [update("CONTEXT", action)], BAD_ACTION)
        for action in ("RETRY", "CANCEL")
    ),
    Refusal("a context failed with a payload", STARTED_CONTEXT, [update("CONTEXT", "FAIL", **BOTH)], NO_PAYLOAD),
    Refusal("a context succeeded with an error", STARTED_CONTEXT, [update("CONTEXT", "SUCCEED", **BOTH)], NO_ERROR),
    Refusal("a new context failed with a payload", None, [update("CONTEXT", "FAIL", **BOTH)], NO_PAYLOAD),
    Refusal("a new context succeeded with an error", None, [update("CONTEXT", "SUCCEED", **BOTH)], NO_ERROR),
    *(
        Refusal(f"the execution told to {action}", None, [update("EXECUTION", action, "result")], BAD_ACTION)
        for action in ("START", "RETRY", "CANCEL")
    ),
    Refusal("the execution failed with a payload", None, [update("EXECUTION", "FAIL", "result", **BOTH)], NO_PAYLOAD),
    Refusal(
        "the execution succeeded with an error", None, [update("EXECUTION", "SUCCEED", "result", **BOTH)], NO_ERROR
    ),
    *(
        Refusal(f"a {kind} told to {action}", (kind, "STARTED"), [update(kind, action)], BAD_ACTION)
        for kind in ("CALLBACK", "CHAINED_INVOKE")
        for action in ("SUCCEED", "FAIL", "RETRY", "CANCEL")
    ),
    *(
        Refusal(f"a new {kind} told to {action}", None, [update(kind, action)], BAD_ACTION)
        for kind in ("CALLBACK", "CHAINED_INVOKE")
        for action in ("SUCCEED", "CANCEL")
    ),
    Refusal("a callback started twice", None, [callback(), callback()], SAME_ID),
    Refusal("an invoke started twice", None, [invoke(), invoke()], SAME_ID),
    Refusal("a callback below a step", STARTED_STEP, [callback("child", parent_id="op")], BAD_PARENT),
    Refusal("an invoke below a callback", ("CALLBACK", "STARTED"), [invoke("child", parent_id="op")], BAD_PARENT),
    Refusal(
        "a callback that was an invoke", ("CHAINED_INVOKE", "STARTED"), [callback()], "Inconsistent operation type."
    ),
    Refusal("an invoke that was a callback", ("CALLBACK", "STARTED"), [invoke()], "Inconsistent operation type."),
    Refusal(
        "an invoke without options",
        None,
        [update("CHAINED_INVOKE", "START")],
        "Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.",
    ),
    Refusal(
        "an invoke that exists before its options",
        ("CHAINED_INVOKE", "STARTED"),
        [update("CHAINED_INVOKE", "START")],
        INVOKE_EXISTS,
    ),
    # Which of two refusals comes first.
    Refusal(
        "EXECUTION twice before a parent",
        None,
        [update("STEP", "START", parent_id="x"), DONE, DONE],
        "Cannot checkpoint multiple EXECUTION updates.",
    ),
    Refusal(
        "EXECUTION place before a parent",
        None,
        [DONE, update("STEP", "START", parent_id="x")],
        "EXECUTION checkpoint must be the last update.",
    ),
    Refusal(
        "a later parent before an earlier state",
        STARTED_STEP,
        [update("STEP", "START"), wait("other", parent_id="x")],
        BAD_PARENT,
    ),
    Refusal("the same id before its parent", None, [wait(), wait(parent_id="x")], SAME_ID),
    Refusal("the type before the action", STARTED_STEP, [update("WAIT", "RETRY")], "Inconsistent operation type."),
    Refusal("the action before the state", ("STEP", "SUCCEEDED"), [update("STEP", "CANCEL")], BAD_ACTION),
    Refusal(
        "the state before the payload", ("STEP", "SUCCEEDED"), [update("STEP", "FAIL", **BOTH)], CLOSED_STEP["FAIL"]
    ),
    Refusal("the state before the options", ("STEP", "PENDING"), [update("STEP", "RETRY")], CLOSED_STEP["RETRY"]),
    Refusal(
        "the state before the request's own updates",
        STARTED_STEP,
        [update("STEP", "START"), update("STEP", "SUCCEED", payload="1")],
        CLOSED_STEP["START"],
    ),
]

ACCOUNT = "123456789012"
BAD_TENANT = "TenantId must be 1 to 256 characters matching [a-zA-Z0-9._:/=+-@ ]."
INPUT_TOO_LARGE = "CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes."
OTHER_ACCOUNT = "Cannot start a CHAINED_INVOKE on a function in another account."
OTHER_REGION = "Cannot start a CHAINED_INVOKE on a function in another region."

INVOKES = [
    Refusal("a payload above 1 MiB", None, [invoke(payload="x" * 1_048_577)], INPUT_TOO_LARGE),
    Refusal("a payload above 1 MiB in bytes", None, [invoke(payload="ø" * 524_289)], INPUT_TOO_LARGE),
    *(
        Refusal(f"the target {target!r}", None, [invoke(target=target)], f"Invalid function ARN '{target}'")
        for target in ("bad name!", "a:b:c", "arn:aws:lambda:orders", "x" * 257)
    ),
    *(
        Refusal(f"the tenant {tenant!r}", None, [invoke(tenant_id=tenant)], BAD_TENANT)
        for tenant in ("a\nb", "ø", "x" * 257)
    ),
    Refusal(
        "another account", None, [invoke(target="arn:aws:lambda:us-east-1:999999999999:function:orders")], OTHER_ACCOUNT
    ),
    Refusal(
        "another region", None, [invoke(target=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders")], OTHER_REGION
    ),
]
"""What the service refuses of a chained invoke by its options and its payload; empty ones boto3 does not send."""
