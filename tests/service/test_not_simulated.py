"""Operations that are not simulated end the test with a clear word, not with a failed execution."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from pytest_durable import FakeDurableContext, NotSimulated


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
