"""The death of a child is that of a process, whoever kills it; and it leaves nothing behind."""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, FaultPlan, NotSimulated, UsageError
from pytest_durable.seams import userland
from pytest_durable.service.isolation import child, parent
from tests.durable import returns

GLOBALS: list[int] = []


def test_a_kill_runs_no_finally_and_no_atexit_and_forgets_globals(ctx: FakeDurableContext, tmp_path: Path) -> None:
    def handler(event: Any, context: DurableContext) -> int:
        atexit.register((tmp_path / "atexit").touch)
        GLOBALS.append(1)
        try:
            context.step(returns(1), name="a")
        finally:
            (tmp_path / "finally").touch()
        (tmp_path / "finally").unlink()
        return len(GLOBALS)

    execution = ctx.start(handler, faults="a:body")
    assert [one.killed for one in execution.invocations] == ["a:body"]
    assert list(tmp_path.iterdir()) == []
    assert execution.run().result == 1
    assert GLOBALS == []
    assert list(tmp_path.iterdir()) == []


def ends(how: Callable[[], object], marker: Path) -> Callable[[Any, DurableContext], str]:
    """A handler whose process ends in its first invocation, in the body of a step."""

    def body(step: Any) -> str:
        if not marker.exists():
            marker.touch()
            how()
        return "done"

    return lambda event, context: context.step(body, name="a")


def test_a_child_that_is_killed_does_not_leave_by_itself_meanwhile(
    ctx: FakeDurableContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has something to do at an exit, as coverage.py may, would be cut off in the middle of it."""
    leave = userland.real_exit

    def noted(status: int) -> NoReturn:
        (tmp_path / f"{os.getpid()}").touch()
        leave(status)

    monkeypatch.setattr(child, "real_exit", noted)
    for _ in range(5):
        ctx.start(lambda event, context: context.step(returns(1), name="a"), faults="a:body")
    assert list(tmp_path.iterdir()) == []
    ctx.run(lambda event, context: 1)
    assert len(list(tmp_path.iterdir())) == 1


def crash() -> None:
    faulthandler.disable()  # pytest's would tell of it on the terminal
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (crash, "signal: segmentation fault"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal: killed"),
        (lambda: os._exit(3), "exit status 3"),
        (lambda: os._exit(0), "without providing a reason"),
    ],
)
def test_a_child_that_dies_by_itself_is_invoked_again(
    ctx: FakeDurableContext, tmp_path: Path, how: Callable[[], object], why: str
) -> None:
    execution = ctx.run(ends(how, tmp_path / "was here"))
    assert execution.result == "done"
    error = execution.invocations[0].error
    assert error is not None and error[0] == "Runtime.ExitError" and error[1].endswith(why)


def test_a_child_that_hangs_is_ended_with_where_it_stands(
    ctx: FakeDurableContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "PATIENCE", 0.4)

    def hangs(step: Any) -> NoReturn:
        while True:
            signal.pause()

    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="a thread of the test")
    thread.start()
    try:
        with pytest.raises(NotSimulated, match=r"said nothing for 0\.4 s.*test_death\.py:\d+.*a thread of the test"):
            ctx.run(lambda event, context: context.step(hangs, name="a"))
    finally:
        release.set()
        thread.join()


def test_it_needs_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(UsageError, match=r"this platform has no os\.fork"):
        FakeDurableContext(isolation="process")
    with pytest.raises(UsageError, match="'thread' or 'process', not 'fiber'"):
        FakeDurableContext(isolation="fiber")


def test_a_system_without_another_process(ctx: FakeDurableContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(NotSimulated, match="can start no process: Resource"):
        ctx.run(lambda event, context: 1)


def test_a_direct_call_is_refused(ctx: FakeDurableContext) -> None:
    with pytest.raises(UsageError, match=r"pass it to durable_ctx\.run"):
        ctx.step(returns(1))


def test_a_result_that_cannot_be_sent_is_refused_as_by_the_service(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        return threading.Lock()

    assert ctx.run(handler).status == "FAILED"


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # a path would hold it open


def test_nothing_committed_is_lost_and_nothing_half_done_is_seen(ctx: FakeDurableContext, tmp_path: Path) -> None:
    """Some of the 500 kills that DURABLE_TEST_KILLS=500 makes, in the middle of a transaction, and after it."""
    file = tmp_path / "bank.db"

    def account(sql: str) -> list[Any]:
        connection = sqlite3.connect(file)
        try:
            with connection:
                return connection.execute(sql).fetchall()
        finally:
            connection.close()

    account("create table entries (id text primary key, amount int)")

    def transfer(step: Any) -> None:
        connection = sqlite3.connect(file)
        connection.execute("insert or ignore into entries values ('out', -100)")
        ctx.effects.record("half", key="half")
        connection.execute("insert or ignore into entries values ('in', 100)")
        connection.commit()
        ctx.effects.record("whole", key="whole")

    def handler(event: Any, context: DurableContext) -> None:
        context.step(transfer, name="transfer")

    before = open_files()
    kills = int(os.environ.get("DURABLE_TEST_KILLS", "8"))
    struck = committed = 0
    while struck < kills:
        account("delete from entries")
        for where, rows in (("effect:half", 0), ("effect:whole", 2), ("body", 2), ("stored", 2)):
            execution = ctx.start(handler, faults=FaultPlan.parse(f"transfer:{where}"))
            assert [one.killed for one in execution.invocations] == [f"transfer:{where}"]
            struck += 1
            assert len(account("select * from entries")) == rows, where
            committed += rows > 0
            assert execution.run().status == "SUCCEEDED"
            assert account("select sum(amount), count(*) from entries") == [(0, 2)]
            account("delete from entries")
    assert open_files() == before
    with pytest.raises(ChildProcessError):  # there is no child at all, neither alive nor dead
        os.waitpid(-1, os.WNOHANG)
    told = f"{struck} kills, {committed} of them after a commit: none lost, nothing half-done, no child or pipe left"
    print(told)  # noqa: T201  # what -rP shows
