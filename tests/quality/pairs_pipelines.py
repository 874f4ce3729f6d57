"""Pipelines and ETL: maps, branches, cursors and watermarks."""

from __future__ import annotations

from functools import partial
from typing import Any

from aws_durable_execution_sdk_python import BatchResult, DurableContext
from aws_durable_execution_sdk_python.config import CompletionConfig, MapConfig, ParallelConfig

from pytest_durable import OutcomeChanged, ReplayDiverged
from tests.durable import returns, seconds
from tests.quality.pair import Handler, Table, World, now

PAIRS = Table()

ORDER = "Decision by completion order of branches"
SHARED = "Mutable list or dict shared by parallel branches"
DATABASE = "Database/API read in the body, then branch"
AT_LEAST_ONCE = "Effect done, success checkpoint lost (at-least-once default)"
CLOSURE = "Closure variable assigned inside a step"
EFFECT = "Side effect outside any step"
SAME_NAME = "Same name, or no name, on several operations"
RANDOM = "uuid/random outside a step"
CLOCK = "Wall clock read outside a step"

ROWS = {"a": 1, "b": 2, "c": 3}


def quoting(name: str, price: int, pause: int, quotes: dict[str, int]) -> Any:
    """A branch that asks for a price, and notes it in ``quotes`` as well."""

    def branch(child: DurableContext) -> Any:
        if pause:
            child.wait(seconds(pause), name="negotiate")
        quotes[name] = child.step(returns(price), name="quote")
        return [name, quotes[name]]

    return branch


@PAIRS.add(ORDER, ReplayDiverged, "")
def winner_is_who_notes_it_first(fixed: bool, world: World) -> Handler:
    """The branches are not run again once all of them are stored."""

    def handler(event: Any, context: DurableContext) -> Any:
        quotes: dict[str, int] = {}
        branches = [quoting("slow", 1, 90, quotes), quoting("quick", 2, 30, quotes)]
        offers = context.parallel(branches, name="quotes").get_results()
        winner = min(offers, key=lambda offer: int(offer[1]))[0] if fixed else next(iter(quotes), "nobody")
        return context.step(returns(f"ordered from {winner}"), name=f"order from {winner}")

    return handler


@PAIRS.add(ORDER, ReplayDiverged, "", event={"tags": ["x", "y", "z"]})
def tags_in_the_order_of_arrival(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        arrived: list[str] = []

        def tag(child: DurableContext, name: str, index: int, items: Any) -> str:
            child.wait(seconds(30 - 10 * index), name="pause")
            arrived.append(name)
            return name

        batch: BatchResult[str] = context.map(event["tags"], tag, name="tags")
        tags = batch.get_results() if fixed else arrived
        return {"tags": tags}

    return handler


@PAIRS.add(ORDER, ReplayDiverged, "ask/parallel-branch-1:start")
def answers_in_the_order_of_arrival(fixed: bool, world: World) -> Handler:
    """Without a kill, the first to arrive is the first of the list."""

    def handler(event: Any, context: DurableContext) -> Any:
        arrived: list[str] = []

        def ask(name: str) -> Any:
            def branch(child: DurableContext) -> str:
                answer: str = child.step(returns(name), name=f"ask {name}")
                if name not in arrived:
                    arrived.append(answer)
                return answer

            return branch

        batch = context.parallel([ask("a"), ask("b")], name="ask")
        first = arrived[0] if arrived and not fixed else batch.get_results()[0]
        return context.step(returns(f"thanks, {first}"), name=f"thank {first}")

    return handler


@PAIRS.add(SHARED, OutcomeChanged, "quotes/parallel-branch-0:stored")
def cheapest_of_a_shared_dict(fixed: bool, world: World) -> Handler:
    """Everything that uses the dict is in a step, so that only a kill can show what it has lost."""

    def handler(event: Any, context: DurableContext) -> Any:
        quotes: dict[str, int] = {}
        branches = [quoting("cheap", 1, 0, quotes), quoting("dear", 2, 0, quotes)]
        one_by_one = ParallelConfig(max_concurrency=1)
        offers = dict(context.parallel(branches, name="quotes", config=one_by_one).get_results())

        def choose(step: Any) -> Any:
            known = offers if fixed else quotes
            return min(known, key=lambda name: known[name], default="nobody")

        return context.step(choose, name="choose")

    return handler


@PAIRS.add(SHARED, OutcomeChanged, "load/map-item-0:stored", event={"rows": [1, 2]})
def total_added_up_by_items(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        total = [0]

        def load(child: DurableContext, row: int, index: int, items: Any) -> int:
            total[0] += child.step(returns(row), name="insert")
            return row

        rows: list[int] = context.map(
            event["rows"], load, name="load", config=MapConfig(max_concurrency=1)
        ).get_results()
        return context.step(lambda step: sum(rows) if fixed else total[0], name="report")

    return handler


@PAIRS.add(SHARED, ReplayDiverged, "", event={"orders": ["a", "b"]})
def worklist_emptied_by_items(fixed: bool, world: World) -> Handler:
    """The items leave the list that the rest of the handler is driven by."""

    def handler(event: Any, context: DurableContext) -> Any:
        waiting = list(event["orders"])

        def ship(child: DurableContext, order: str, index: int, items: Any) -> str:
            if not fixed:
                waiting.remove(order)
            stored: str = child.step(returns(order), name="ship")
            return stored

        shipped: list[str] = context.map(event["orders"], ship, name="ship all").get_results()
        for order in [name for name in waiting if name not in shipped] if fixed else waiting:
            context.step(returns("sorry"), name=f"apologise {order}")
        return shipped

    return handler


@PAIRS.add(DATABASE, ReplayDiverged, "")
def rows_after_a_watermark(fixed: bool, world: World) -> Handler:
    """The load moves the watermark that the list of rows is read by."""

    def new_rows(step: Any = None) -> list[str]:
        return [name for name in ROWS if ROWS[name] > int(world.table.get("watermark", 0))]

    def load(child: DurableContext, name: str, index: int, items: Any) -> Any:
        def insert(step: Any) -> str:
            world.table[name] = ROWS[name]
            world.table["watermark"] = max(ROWS[name], int(world.table.get("watermark", 0)))
            return name

        return child.step(insert, name="insert")

    def handler(event: Any, context: DurableContext) -> Any:
        rows = context.step(new_rows, name="extract") if fixed else new_rows()
        context.map(rows, load, name="load")
        context.wait(seconds(60), name="settle")
        return context.step(lambda step: sorted(world.table), name="verify")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "load:body")
def rows_appended(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        rows = context.step(returns(sorted(ROWS.items())), name="extract")

        def load(step: Any) -> None:
            stored = world.table.setdefault("rows", [])
            stored.extend(row for row in rows if not fixed or row not in stored)

        context.step(load, name="load")
        return context.step(lambda step: len(world.table["rows"]), name="verify")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "load:body")
def watermark_moved_by_the_load(fixed: bool, world: World) -> Handler:
    """The second run of the body starts where the first one ended, and notes that it has loaded nothing."""

    def handler(event: Any, context: DurableContext) -> Any:
        def read(step: Any = None) -> int:
            return int(world.table.get("watermark", 0))

        since = context.step(read, name="watermark") if fixed else None

        def load(step: Any) -> None:
            after = read() if since is None else since
            new = {name: number for name, number in ROWS.items() if number > after}
            world.table.update(new)
            world.table["watermark"] = max(ROWS.values())
            world.table["loaded"] = len(new)

        context.step(load, name="load")
        return context.step(lambda step: world.table["loaded"], name="report")

    return handler


@PAIRS.add(AT_LEAST_ONCE, OutcomeChanged, "load/map-item-1/insert:body", event={"batches": [[1], [2, 3]]})
def one_bad_loader_among_good_ones(fixed: bool, world: World) -> Handler:
    """Only batches of several rows are loaded without a key."""

    def handler(event: Any, context: DurableContext) -> Any:
        def load(child: DurableContext, rows: list[int], index: int, items: Any) -> Any:
            key = f"batch {index}" if fixed or len(rows) == 1 else None
            return child.step(lambda step: world.bank.charge(sum(rows), key), name="insert")

        context.map(event["batches"], load, name="load")
        return context.step(lambda step: world.bank.balance, name="verify")

    return handler


@PAIRS.add(CLOSURE, OutcomeChanged, "page:stored", event={"pages": 3})
def cursor_moved_by_a_step(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        cursor = 0

        def fetch(step: Any) -> int:
            nonlocal cursor
            cursor += 1
            return cursor

        def fetch_after(after: int, step: Any) -> int:
            return after + 1

        pages: list[int] = []
        for _ in range(event["pages"]):
            body = partial(fetch_after, pages[-1] if pages else 0) if fixed else fetch
            pages.append(context.step(body, name="page"))
        return pages

    return handler


@PAIRS.add(CLOSURE, ReplayDiverged, "")
def loop_ended_by_a_variable(fixed: bool, world: World) -> Handler:
    """On replay no body runs, and the loop goes on as long as there is a result to be had."""

    def handler(event: Any, context: DurableContext) -> Any:
        fetched: list[int] = []

        def fetch(step: Any) -> int:
            fetched.append(len(fetched))
            return len(fetched)

        pages = 0
        while (pages if fixed else len(fetched)) < 3 and pages < 10:
            context.step(returns(pages) if fixed else fetch, name="page")
            pages += 1
        return pages

    return handler


@PAIRS.add(EFFECT, OutcomeChanged, "batches/map-item-0/transform:start", event={"batches": [1, 2]})
def progress_counted_by_items(fixed: bool, world: World) -> Handler:
    """An item's function is no step: it begins anew until it is stored."""

    def handler(event: Any, context: DurableContext) -> Any:
        def work(child: DurableContext, batch: int, index: int, items: Any) -> Any:
            if fixed:
                child.step(lambda step: world.table.update({f"batch {index}": "begun"}), name="note")
            else:
                world.count("begun")
            return child.step(returns(batch), name="transform")

        context.map(event["batches"], work, name="batches", config=MapConfig(max_concurrency=1))
        return context.step(lambda step: len(world.table) if fixed else world.table["begun"], name="report")

    return handler


@PAIRS.add(RANDOM, ReplayDiverged, "", event={"rows": 4})
def rows_sampled_in_the_body(fixed: bool, world: World) -> Handler:
    def handler(event: Any, context: DurableContext) -> Any:
        def sample(step: Any = None) -> list[int]:
            return [now().microsecond + now().second * 7 + now().minute * 11, event["rows"]]

        rows = context.step(sample, name="sample") if fixed else sample()
        context.map(rows, lambda child, row, index, items: child.step(returns(index), name="check"), name="checks")
        context.wait(seconds(61), name="settle")
        return context.step(returns("checked"), name="report")

    return handler


@PAIRS.add(CLOCK, ReplayDiverged, "")
def partition_of_the_hour(fixed: bool, world: World) -> Handler:
    """The branches are another list in the next hour."""

    def handler(event: Any, context: DurableContext) -> Any:
        def load(name: str) -> Any:
            return lambda child: child.step(returns(name), name=f"load {name}")

        hour = context.step(lambda step: now().hour, name="hour") if fixed else now().hour
        branches = [load("orders"), load("stock")][: 1 + hour % 2]
        context.parallel(branches, name="loads")
        context.wait(seconds(3_600), name="next hour")
        return context.step(returns("loaded"), name="report")

    return handler


@PAIRS.add(SAME_NAME, ReplayDiverged, "")
def unnamed_steps_in_a_changing_order(fixed: bool, world: World) -> Handler:
    """Every step is the same function without a name: only the answers tell that they were mixed up."""

    def handler(event: Any, context: DurableContext) -> Any:
        answers: dict[str, str] = {}
        names = sorted(ROWS) if fixed or now().hour % 2 == 0 else sorted(ROWS, reverse=True)
        for name in names:

            def check(step: Any, name: str = name) -> str:
                return f"checked {name}"

            answers[name] = context.step(check)
        return answers

    return handler


@PAIRS.add(SHARED, OutcomeChanged, "race/parallel-branch-1:stored")
def first_answer_wins_in_a_variable(fixed: bool, world: World) -> Handler:
    """The twin takes the winner from the batch, which is stored."""

    def handler(event: Any, context: DurableContext) -> Any:
        quotes: dict[str, int] = {}
        config = ParallelConfig(completion_config=CompletionConfig(min_successful=1))
        branches = [quoting("slow", 1, 600, quotes), quoting("quick", 2, 30, quotes)]
        batch = context.parallel(branches, name="race", config=config)
        stored = dict(batch.get_results())
        return context.step(lambda step: dict(stored if fixed else quotes), name="choose")

    return handler


@PAIRS.add(SHARED, OutcomeChanged, "quotes/parallel-branch-1/quote:start")
def quotes_of_branches_that_wait(fixed: bool, world: World) -> Handler:
    """A branch that is stored before the last invocation is not run in it: the dict has lost what it noted.

    Slower fault-free runs lose it as well; a replay is to blame for that, not chance.
    """

    def handler(event: Any, context: DurableContext) -> Any:
        quotes: dict[str, int] = {}

        def ask(name: str, price: int) -> Any:
            def branch(child: DurableContext) -> Any:
                child.wait(seconds(30), name="negotiate")
                quotes[name] = child.step(returns(price), name="quote")
                return [name, quotes[name]]

            return branch

        offers = dict(context.parallel([ask("cheap", 1), ask("dear", 2)], name="quotes").get_results())

        def choose(step: Any) -> Any:
            known = offers if fixed else quotes
            return min(known, key=lambda name: known[name], default="nobody")

        return context.step(choose, name="choose")

    return handler
