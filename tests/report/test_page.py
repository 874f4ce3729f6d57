"""The page of HTML: what it shows, that users' text cannot break it, that it is the same for the same run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_durable import DurabilityViolation, FakeDurableContext
from pytest_durable.report.charts import folded
from pytest_durable.report.evidence import Album, Evidence
from pytest_durable.report.page import page
from pytest_durable.report.picture import Bar, Picture, picture_of
from pytest_durable.report.sheet import Sheet, sheets_of
from tests.durable import attempts, fails, returns, seconds

VOID = {"meta", "link", "br"}


class Reader(HTMLParser):
    """Reads a page: its text by class of the element, and whether its elements are closed in order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.wrong: list[str] = []
        self.found: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.links += [str(named[name]) for name in ("href", "src") if name in named]
        self.ids += [str(named["id"])] if "id" in named else []
        if tag not in VOID:
            self.open.append((tag, named))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop()[0] != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        for tag, named in self.open:
            for name in (*(named.get("class") or "").split(), tag):
                self.found.append((name, data))

    def text(self, name: str) -> list[str]:
        """The texts within elements of a class or tag."""
        return [data.strip() for found, data in self.found if found == name and data.strip()]


def violation(ctx: FakeDurableContext, handler: Any, **arguments: Any) -> DurabilityViolation:
    """What ``verify`` finds."""
    with pytest.raises(DurabilityViolation) as caught:
        ctx.verify(handler, **arguments)
    return caught.value


def charges_twice(ctx: FakeDurableContext) -> DurabilityViolation:
    """An ``OutcomeChanged`` under ``charge:body``."""
    charges: list[int] = []

    def handler(event: Any, context: DurableContext) -> int:
        context.step(lambda _: charges.append(1), name="charge")
        context.wait(seconds(300), name="cool-off")
        return context.step(lambda _: len(charges), name="count")

    return violation(ctx, handler, reset=charges.clear)


def sheet(error: BaseException | None, test: str = "test_orders.py::test_it", album: Album | None = None) -> Sheet:
    """The one sheet of a test."""
    (only,) = sheets_of(test, error, None, album or Album())
    return only


def shown(error: BaseException) -> Reader:
    """The page of one failing test."""
    return Reader(page([sheet(error)], "1.0"))


def drawn(ctx: FakeDurableContext, handler: Any, **arguments: Any) -> Picture:
    """The picture of one run."""
    return picture_of(ctx.run(handler, **arguments)._execution)


@pytest.fixture(scope="module")
def twice() -> DurabilityViolation:
    """An ``OutcomeChanged`` under ``charge:body``, to look at."""
    with FakeDurableContext() as context:
        return charges_twice(context)


def test_a_violation_is_shown_with_its_kill_its_command_and_the_fault_free_run(twice: DurabilityViolation) -> None:
    reader = shown(twice)
    assert reader.wrong == [] and reader.open == []
    assert reader.text("h2")[:2] == ["✗ failed", "test_orders.py::test_it"]
    assert reader.text("summary")[0].startswith("How to read")
    assert any(text.startswith("OutcomeChanged: killed at 'charge'") for text in reader.text("summary"))
    assert reader.text("h3") == ["Struck: charge:body", "Without faults"]
    assert reader.text("bad") == ["✗ killed: charge:body"]
    assert "result is 2, and 1 without faults." in "".join(reader.text("details"))


def test_the_places_are_counted_by_kind(twice: DurabilityViolation) -> None:
    one = sheet(twice)
    assert {kind.kind: (len(kind.killed), len(kind.missed)) for kind in one.coverage} == {
        "start": (1, 1),
        "body": (1, 1),
        "stored": (0, 2),
        "suspend": (0, 1),
        "return": (0, 2),
    }
    assert "Struck at 2 of 9 places" in shown(twice).text("caption")


def test_of_several_violations_each_is_shown(ctx: FakeDurableContext) -> None:
    several = ExceptionGroup("Hypothesis found 2 distinct failures", [charges_twice(ctx), charges_twice(ctx)])
    found = sheets_of("t", several, None, Album())
    assert [one.headline.partition(":")[0] for one in found] == ["OutcomeChanged"] * 2


def test_nothing_is_loaded_and_every_link_leads_somewhere(twice: DurabilityViolation) -> None:
    sheets = [sheet(twice, name) for name in "ab"]
    markup = page(sheets, "1.0")
    reader = Reader(markup)
    assert [link for link in reader.links if link != "data:," and link.removeprefix("#") not in reader.ids] == []
    assert len(reader.ids) == len(set(reader.ids))
    assert re.search(r"https?:|url\(|@import|<script", markup) is None


def test_the_same_run_gives_the_same_bytes(ctx: FakeDurableContext, twice: DurabilityViolation) -> None:
    again = charges_twice(ctx)
    first = page([sheet(twice, "a"), sheet(again, "b")], "1.0")
    second = page([sheet(twice, "b"), sheet(again, "a")], "1.0")
    assert first == second


def test_a_sheet_survives_its_way_through_json(twice: DurabilityViolation) -> None:
    one = sheet(twice)
    text = one.to_json()
    assert "\n" not in text
    assert Sheet.from_json(text) == one


NASTY = st.text(min_size=1, max_size=30) | st.sampled_from(
    [
        "</style><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "a&amp;b",
        "\u202egnp",
        "\x00\x1b[31m",
        "--></p>",
    ]
)


@pytest.fixture(scope="module")
def plain() -> Reader:
    """The page of a test that calls nothing by an unusual name."""
    return page_of("name", "result", "message")


def page_of(name: str, result: str, message: str) -> Reader:
    return Reader(page([sheet(AssertionError(message), name, album_of(name, result))], "1.0"))


@settings(max_examples=30)
@given(name=NASTY, result=NASTY, message=NASTY)
def test_whatever_users_call_things_is_text_on_the_page(plain: Reader, name: str, result: str, message: str) -> None:
    nasty = page_of(name, result, message)
    assert nasty.wrong == [] and nasty.open == []
    assert (nasty.ids, nasty.links) == (plain.ids, plain.links)


def album_of(name: str, result: str) -> Album:
    """One run of a handler with one step of that name and result."""
    album = Album()
    with FakeDurableContext() as context:
        try:
            execution = context.run(lambda event, context: context.step(returns(result), name=name))
        except UnicodeEncodeError:  # a lone surrogate, which cannot be stored
            execution = context.run(lambda event, context: context.step(returns(1), name="plain"))
        album.add(Evidence(execution._execution))
    return album


def test_what_cannot_be_written_is_spelled_out() -> None:
    markup = page([Sheet("test_\udc80\x1b[0m\u202e", "passed")], "1.0")
    assert r"test_\udc80\x1b[0m\u202e" in markup
    markup.encode("utf-8")


def test_an_address_in_a_message_does_not_make_another_page() -> None:
    error = AssertionError("<object at 0x7f00deadbeef> is not 1\n\n + more")
    one = sheet(error, album=album_of("a", "b"))
    assert (one.headline, one.details) == ("AssertionError: <object at 0x…> is not 1", (" + more",))


# --- pictures ---------------------------------------------------------------------------------------------------------


def bars(picture: Picture, number: int) -> dict[str, Bar]:
    """The bars of one invocation by path."""
    return {bar.path: bar for bar in picture.invocations[number - 1].bars}


def test_bars_are_where_the_operations_were(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        context.step(returns(1), name="a")
        context.wait(seconds(300), name="pause")
        context.step(returns(2), name="b")

    picture = drawn(ctx, handler, faults="b:body")
    first, pause, again = bars(picture, 1)["a"], bars(picture, 1)["pause"], bars(picture, 2)["pause"]
    assert first.first < first.last < pause.first <= pause.last < again.first
    assert pause.waits and pause.until == picture.micros[picture.invocations[1].first] == pytest.approx(
        300_000_000, abs=10**6
    )
    assert not again.waits and again.words == ("replayed",)
    killed = bars(picture, 2)["b"]
    assert killed.last == picture.invocations[1].last and picture.invocations[1].fault == "b:body"
    assert picture.ended == picture.micros[-1]


def test_a_retry_waits_for_its_next_attempt(ctx: FakeDurableContext) -> None:
    failing = fails(ConnectionError("down"))
    picture = drawn(ctx, lambda event, context: context.step(failing, name="a", config=attempts(2, delay=60)))
    first = bars(picture, 1)["a"]
    assert first.words == ("ran", "again in 60 s") and first.waits
    assert first.until == picture.micros[bars(picture, 2)["a"].first]
    assert picture.status == "FAILED" and "down" in picture.error


def test_an_invoked_function_stands_between_the_invocations_of_its_caller(ctx: FakeDurableContext) -> None:
    from aws_durable_execution_sdk_python import durable_execution

    ctx.register("pay", durable_execution(lambda event, context: context.step(returns(1), name="book")))
    picture = drawn(ctx, lambda event, context: context.invoke("pay", {}, name="payment"))
    assert [one.label for one in picture.invocations] == ["invocation 1", "payment/invocation 1", "invocation 2"]
    moments = [(one.first, one.last) for one in picture.invocations]
    assert moments == sorted(moments)


def test_effects_are_marked_where_they_were_done(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        ctx.effects.record("mail.send", key="<mail>", to="a@b")
        context.step(lambda _: ctx.effects.record("bank.charge", key="order-7", amount=100), name="charge")

    execution = ctx.run(handler, faults="charge:body")
    picture = picture_of(execution._execution)
    assert [[mark.label for mark in one.effects] for one in picture.invocations] == [
        ["mail.send(to='a@b'), key '<mail>'"]
    ] * 2
    charged = [[mark.label for mark in bars(picture, number)["charge"].effects] for number in (1, 2)]
    assert charged == [["bank.charge(amount=100), key 'order-7'"]] * 2
    album = Album()
    album.add(Evidence(execution._execution))
    assert Sheet.from_json(sheet(None, album=album).to_json()) == sheet(None, album=album)
    assert Reader(page([sheet(None, album=album)], "1.0")).text("chart").count("◆") == 4


def test_many_operations_are_a_few_lines(ctx: FakeDurableContext) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for number in range(200):
            context.step(returns(number), name=f"item-{number}")

    picture = drawn(ctx, handler, faults="item-100:stored")
    lines = [list(folded(one.bars)) for one in picture.invocations]
    assert [len(line) for line in lines] == [7, 8]
    assert lines[1][0].label == "101 operations"  # type: ignore[union-attr]  # it is a fold


def test_what_is_more_than_a_page_can_hold_is_counted(ctx: FakeDurableContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_durable.report.picture.MOST_OPERATIONS", 40)
    monkeypatch.setattr("pytest_durable.report.picture.MOST_INVOCATIONS", 15)

    def handler(event: Any, context: DurableContext) -> None:
        for number in range(50):
            context.step(returns(number), name=f"item-{number}")

    assert drawn(ctx, handler).invocations[0].left_out == 10

    def waits(event: Any, context: DurableContext) -> None:
        for number in range(20):
            context.wait(seconds(1), name=f"pause-{number}")

    picture = drawn(ctx, waits, faults="pause-10:suspend")
    assert (len(picture.invocations), picture.left_out) == (11, 10)
    assert [one.fault for one in picture.invocations].count("pause-10:suspend") == 1


def test_what_ran_again_is_never_folded() -> None:
    quiet = Bar("a", ("replayed",), "", False, 1, 1)
    alarm = Bar("b", ("RAN AGAIN", "stored"), "x.py:1", True, 2, 3)
    assert [part for part in folded([quiet] * 5 + [alarm] + [quiet] * 5) if isinstance(part, Bar)] == [alarm]


def test_an_album_keeps_the_latest_and_counts_the_rest(ctx: FakeDurableContext) -> None:
    album = Album()
    for number in range(8):
        album.add(Evidence(ctx.run(lambda event, context: event, number)._execution))
    found = sheet(None, album=album)
    assert [one.picture.result for one in found.drawn] == ["3", "4", "5", "6", "7"]
    assert found.left_out == 3
    assert "3 more executions are not shown." in Reader(page([found], "1.0")).text("quiet")


# --- colours ----------------------------------------------------------------------------------------------------------


def palettes() -> list[dict[str, str]]:
    """The colours of the three palettes, the later ones over the first."""
    css = files("pytest_durable.report").joinpath("page.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    found = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", root)) for root in roots]
    return [{**found[0], **one} for one in found]


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("number", range(3), ids=["light", "dark", "print"])
def test_text_and_marks_stand_out_from_what_is_behind_them(number: int) -> None:
    colours = palettes()[number]
    texts = [(name, ground) for name in ("ink", "quiet", "bad") for ground in ("paper", "band")]
    texts += [("bad", "alarm"), ("ink", "alarm"), ("ink", "card"), ("good", "paper"), ("ran", "paper")]
    marks = [(name, ground) for name in ("ran", "wait", "quiet") for ground in ("paper", "band")]
    assert [pair for pair in texts if contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    assert [pair for pair in marks if contrast(colours[pair[0]], colours[pair[1]]) < 3] == []
