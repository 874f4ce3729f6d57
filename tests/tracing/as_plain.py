"""Run the orders as plain calls: no SDK, no threads, no simulation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.tracing.orders import EVENT, RESULT, handler


class PlainContext:
    """Calls what it is given."""

    def step(self, func: Any, name: str, config: Any = None) -> Any:
        return func(SimpleNamespace(attempt=1))

    def wait(self, duration: Any, name: str) -> None:
        pass

    def run_in_child_context(self, func: Any, name: str) -> Any:
        return func(self)

    def map(self, inputs: Any, func: Any, name: str) -> Any:
        results = [func(self, item, index, inputs) for index, item in enumerate(inputs)]
        return SimpleNamespace(get_results=lambda: results)

    def parallel(self, functions: Any, name: str) -> Any:
        results = [function(self) for function in functions]
        return SimpleNamespace(get_results=lambda: results)


def main() -> None:
    context: Any = PlainContext()
    assert handler(EVENT, context) == RESULT


if __name__ == "__main__":
    main()
