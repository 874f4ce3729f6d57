"""Operations that are not simulated end the test with a clear word, not with a failed execution."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, NotSimulated


def creates_a_callback(event: Any, context: DurableContext) -> Any:
    try:
        return context.create_callback(name="approval").result()
    except Exception:
        return None


def waits_for_a_callback(event: Any, context: DurableContext) -> Any:
    return context.wait_for_callback(lambda callback_id, _: None, name="approval")


def invokes_in_a_branch(event: Any, context: DurableContext) -> Any:
    return context.parallel([lambda branch: branch.invoke("other", {})]).get_results()


@pytest.mark.parametrize("handler", [creates_a_callback, waits_for_a_callback, invokes_in_a_branch])
@pytest.mark.parametrize("method", ["run", "verify"])
def test_it_is_refused_by_name_and_line(handler: Any, method: str) -> None:
    with FakeDurableContext() as context:
        with pytest.raises(NotSimulated, match=r"(callback|invoke) at test_not_simulated.py:\d+: .* not simulated yet"):
            getattr(context, method)(handler)
        assert context.run(lambda event, inner: 7).result == 7


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("method", ["run", "verify"])
def test_a_durable_call_in_a_thread_of_the_users_own_is_refused(method: str) -> None:
    def handler(event: Any, context: DurableContext) -> list[int]:
        results: list[int] = []
        thread = threading.Thread(target=lambda: results.append(context.step(lambda _: 1, name="a")))
        thread.start()
        thread.join()
        return results

    with FakeDurableContext() as context:
        with pytest.raises(NotSimulated, match="step was called from a thread that the code under test started"):
            getattr(context, method)(handler)
        assert context.run(lambda event, inner: 7).result == 7
