"""A small language of workflows, and what turns a program into a handler.

A program is plain data, so that Hypothesis draws, shrinks and prints it; the handler is a function of it alone, its
bodies are idempotent, and a body fails by the number of its attempt, so that it fails alike in every world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import (
    BatchResult,
    CompletionDecision,
    CompletionStatus,
    DurableContext,
    ParallelBranch,
    WithRetryConfig,
    complete_batch,
    continue_batch,
    with_retry,
)
from aws_durable_execution_sdk_python.config import (
    ChildConfig,
    CompletionConfig,
    JitterStrategy,
    MapConfig,
    NestingType,
    ParallelConfig,
)
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitStrategyConfig, create_wait_strategy

from tests.durable import AT_LEAST_ONCE, AT_MOST_ONCE, attempts, seconds

SPARE = 10
"""Attempts that an at-most-once step has to spare: a kill costs it one."""

LARGE = 300_000
"""Characters: more than fit into the checkpoint of a context."""


class Boom(Exception):
    """What a program fails with."""


@dataclass(frozen=True)
class Step:
    """A step that fails ``failures`` times and is tried ``tries`` times.

    Attributes:
        name: None for none, as everywhere.
        value: that it returns.
        failures: attempts that fail.
        tries: at most.
        at_most_once: its semantics; it is then tried `SPARE` times more than it fails.
        caught: whether the program goes on after its error, as everywhere.
    """

    name: str | None
    value: Any
    failures: int = 0
    tries: int = 1
    at_most_once: bool = False
    caught: bool = False


@dataclass(frozen=True)
class Wait:
    """A wait."""

    name: str | None
    seconds: int


@dataclass(frozen=True)
class Poll:
    """A condition that holds at the ``polls``-th poll, of which there are at most ``tries``."""

    name: str | None
    polls: int
    tries: int
    caught: bool = False


@dataclass(frozen=True)
class Child:
    """A child context.

    Attributes:
        name: its name.
        body: what happens in it.
        virtual: whether the SDK stores nothing for it.
        large: whether its result is too large to be stored, so that it is run again over its children.
        fails: whether it fails in the end.
        caught: whether its error is.
    """

    name: str | None
    body: Program
    virtual: bool = False
    large: bool = False
    fails: bool = False
    caught: bool = False


@dataclass(frozen=True)
class Block:
    """A block that is run again as a whole, ``failures`` times, at most ``tries`` times in all."""

    name: str | None
    body: Program
    failures: int = 0
    tries: int = 1
    wrapped: bool = True
    caught: bool = False


@dataclass(frozen=True)
class Completion:
    """When a batch is complete.

    Attributes:
        kind: ``default``, ``all``, ``first`` (success), ``tolerate`` or ``predicate``.
        count: of failures to tolerate, or of successes the predicate waits for.
    """

    kind: str = "default"
    count: int = 0

    @property
    def waits_for_all(self) -> bool:
        """Whether no success ends the batch early."""
        return self.kind not in ("first", "predicate")

    def config(self, default: CompletionConfig) -> CompletionConfig:
        """The SDK's configuration of it."""
        match self.kind:
            case "all":
                return CompletionConfig(tolerated_failure_percentage=100)
            case "first":
                return CompletionConfig(min_successful=1)
            case "tolerate":
                return CompletionConfig(tolerated_failure_count=self.count)
            case "predicate":
                return CompletionConfig(should_complete=self._decide)
        return default

    def _decide(self, status: CompletionStatus) -> CompletionDecision:
        return complete_batch() if status.success_count >= self.count else continue_batch()


@dataclass(frozen=True)
class Batch:
    """A map or a parallel with a program for each item or branch.

    Attributes:
        kind: ``map`` or ``parallel``.
        name: its name.
        branches: the programs.
        limit: of branches at once; None for no limit.
        completion: when it is complete.
        flat: whether the branches have no contexts of their own.
        named: whether the branches have names of their own.
        throws: whether the error of a failed branch is raised.
        caught: whether that error is.
    """

    kind: str
    name: str | None
    branches: tuple[Program, ...]
    limit: int | None = None
    completion: Completion = Completion()
    flat: bool = False
    named: bool = False
    throws: bool = False
    caught: bool = False


Node = Step | Wait | Poll | Child | Block | Batch
Program = tuple[Node, ...]
Handler = Callable[[Any, DurableContext], Any]


def handler_of(program: Program) -> Handler:
    """The handler that runs the program and returns the results of all its operations."""

    def handler(event: Any, context: DurableContext) -> Any:
        return _run(program, context)

    return handler


def may_fail(node: Node) -> bool:
    """Whether an error may leave the node."""
    if isinstance(node, Wait) or node.caught:
        return False
    match node:
        case Step(failures=failures, tries=tries, at_most_once=at_most_once):
            return failures >= tries and not at_most_once
        case Poll(polls=polls, tries=tries):
            return polls > tries
        case Child(body=body, fails=fails):
            return fails or any(map(may_fail, body))
        case Block(body=body, failures=failures, tries=tries):
            return failures >= tries or any(map(may_fail, body))
    return node.throws and any(may_fail(inner) for branch in node.branches for inner in branch)


def suspensions(program: Program) -> int:
    """How often the program is suspended, at most."""
    return sum(map(_suspensions, program))


def _suspensions(node: Node) -> int:
    match node:
        case Step(failures=failures, tries=tries, at_most_once=at_most_once):
            return failures if at_most_once else min(failures, tries - 1)
        case Wait():
            return 1
        case Poll(polls=polls, tries=tries):
            return min(polls, tries) - 1
        case Child(body=body):
            return suspensions(body)
        case Block(body=body, tries=tries):
            return tries * (suspensions(body) + 1) - 1
    return sum(map(suspensions, node.branches))


def _run(program: Program, context: DurableContext) -> list[Any]:
    return [_perform(node, context) for node in program]


def _perform(node: Node, context: DurableContext) -> Any:
    if isinstance(node, Wait):
        return context.wait(seconds(node.seconds), name=node.name)
    if not node.caught:
        return _operation(node, context)
    try:
        return _operation(node, context)
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


def _operation(node: Step | Poll | Child | Block | Batch, context: DurableContext) -> Any:
    match node:
        case Step():
            return _step(node, context)
        case Poll():
            return context.wait_for_condition(_count, _condition(node), name=node.name)
        case Child():
            config = ChildConfig[Any](is_virtual=node.virtual)
            result = context.run_in_child_context(partial(_child, node), name=node.name, config=config)
            return [len(part) if isinstance(part, str) else part for part in result]
        case Block():
            retry = WithRetryConfig[Any](
                retry_strategy=partial(_again, node.tries), wrap_with_run_in_child_context=node.wrapped
            )
            block: Any = partial(_block, node)
            return with_retry(context, block, retry, name=node.name)
    return _batch(node, context)


def _step(node: Step, context: DurableContext) -> Any:
    def body(step: Any) -> Any:
        if step.attempt <= node.failures:
            raise Boom("step")
        return node.value

    tries = node.failures + SPARE if node.at_most_once else node.tries
    semantics = AT_MOST_ONCE if node.at_most_once else AT_LEAST_ONCE
    return context.step(body, name=node.name, config=attempts(tries, 1, semantics))


def _count(state: int, check: Any) -> int:
    return state + 1


def _condition(node: Poll) -> WaitForConditionConfig[int]:
    strategy: WaitStrategyConfig[int] = WaitStrategyConfig(
        should_continue_polling=lambda state: state < node.polls,
        max_attempts=node.tries,
        initial_delay=seconds(1),
        jitter_strategy=JitterStrategy.NONE,
    )
    return WaitForConditionConfig(wait_strategy=create_wait_strategy(strategy), initial_state=0)


def _child(node: Child, context: DurableContext) -> list[Any]:
    results = _run(node.body, context)
    if node.fails:
        raise Boom("child")
    return [*results, "x" * LARGE] if node.large else results


def _again(tries: int, error: Exception, attempt: int) -> RetryDecision:
    return RetryDecision.retry(seconds(1)) if attempt < tries else RetryDecision.no_retry()


def _block(node: Block, context: DurableContext, attempt: int) -> list[Any]:
    results = _run(node.body, context)
    if attempt <= node.failures:
        raise Boom("block")
    return results


def _batch(node: Batch, context: DurableContext) -> Any:
    nesting = NestingType.FLAT if node.flat else NestingType.NESTED
    result: BatchResult[Any]
    if node.kind == "map":
        result = context.map(
            range(len(node.branches)),
            lambda inner, item, index, items: _run(node.branches[item], inner),
            name=node.name,
            config=MapConfig[int](
                max_concurrency=node.limit,
                completion_config=node.completion.config(CompletionConfig()),
                nesting_type=nesting,
                item_namer=(lambda item, index: f"item {item}") if node.named else None,
            ),
        )
    else:
        functions = [partial(_run, branch) for branch in node.branches]
        result = context.parallel(
            [ParallelBranch[Any](function, name="branch" if node.named else None) for function in functions],
            name=node.name,
            config=ParallelConfig(
                max_concurrency=node.limit,
                completion_config=node.completion.config(CompletionConfig(tolerated_failure_count=0)),
                nesting_type=nesting,
            ),
        )
    if node.throws:
        result.throw_if_error()
    items = [[item.index, item.status.value, item.result, item.error and item.error.message] for item in result.all]
    return [result.completion_reason.value, items]
