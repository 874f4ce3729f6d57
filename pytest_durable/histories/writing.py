"""Writing down the histories of the executions of a test, for the code of tomorrow to be held against."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pytest_durable.service.lifecycle import DurableExecution


def write(directory: Path, test: str, executions: Sequence[DurableExecution]) -> None:
    """Write a file for each execution, ``DIRECTORY/HANDLER/TEST.json``, in the form of ``GetDurableExecutionHistory``.

    The same executions give the same files: times are virtual, ids derived, keys sorted. Of several executions of one
    handler in one test the second is ``TEST-2.json``. What was there under these names is replaced, nothing is removed.

    Args:
        directory: is made if there is none.
        test: the node id.
        executions: in the order in which they were started; those of calls on ``durable_ctx`` itself are left out.
    """
    slug = re.sub(r"[^\w.=-]+", "-", test).strip("-")
    counts: dict[str, int] = {}
    for execution in executions:
        if execution.handler.function.__module__ == "pytest_durable.direct":
            continue
        name = re.sub(r"\W+", "-", execution.handler.name).strip("-") or "handler"
        counts[name] = number = counts.get(name, 0) + 1
        path = directory / name / f"{slug}{'' if number == 1 else f'-{number}'}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"Events": execution.history.events()}, indent=1, sort_keys=True)
        path.write_text(f"{text}\n", encoding="utf-8")
