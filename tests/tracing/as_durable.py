"""Run the orders as a durable function, under the fault plan in the first argument."""

from __future__ import annotations

import sys

from pytest_durable import FakeDurableContext
from tests.tracing.orders import EVENT, RESULT, handler


def main(plan: str = "") -> None:
    with FakeDurableContext() as context:
        assert context.run(handler, EVENT, faults=plan).result == RESULT


if __name__ == "__main__":
    main(*sys.argv[1:])
