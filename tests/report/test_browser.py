"""The page in a real browser: on a desk, on a phone, in the dark, on paper, without a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_durable import FakeDurableContext
from pytest_durable.report.page import page
from tests.report.browser import CHROMIUM, Frame, asked, printed_pages
from tests.report.test_page import charges_twice, sheet

DESK, PHONE, DARK = "desk", "phone", "dark"
FRAMES = {DESK: Frame(1_440), PHONE: Frame(360), DARK: Frame(1_440, "dark")}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def markup() -> str:
    """A page of two failing tests."""
    with FakeDurableContext() as context:
        violation = charges_twice(context)
    names = ("test_orders.py::test_it", "tests/of/a/longer/path/test_orders.py::TestOrders::test_survives[a-1-True]")
    return page([sheet(violation, name) for name in names], "1.0")


@pytest.fixture(scope="module")
def seen(markup: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser says of it in each frame."""
    return asked(tmp_path_factory.mktemp("browser"), markup, FRAMES)


@pytest.mark.parametrize("frame", [DESK, PHONE])
def test_nothing_is_wider_than_the_window_and_nothing_is_loaded(seen: dict[str, Any], frame: str) -> None:
    assert seen[frame]["overflow"] <= 0 and seen[frame]["loaded"] == 0


def test_the_fault_free_run_is_beside_the_other_on_a_desk_and_below_it_on_a_phone(seen: dict[str, Any]) -> None:
    left, right, *_ = seen[DESK]["runs"]
    assert left[2] <= right[0] and left[1] == right[1]
    above, below, *_ = seen[PHONE]["runs"]
    assert above[3] <= below[1] and above[0] == below[0]


def test_names_are_beside_their_bars_on_a_desk_and_above_them_on_a_phone(seen: dict[str, Any]) -> None:
    pairs = list(zip(seen[DESK]["names"], seen[DESK]["tracks"], strict=True))
    assert pairs and all(name[2] <= track[0] for name, track in pairs)
    pairs = list(zip(seen[PHONE]["names"], seen[PHONE]["tracks"], strict=True))
    assert all(name[3] <= track[1] + 2 for name, track in pairs)
    assert all(track[2] - track[0] > 0.85 * FRAMES[PHONE].width for _, track in pairs)


@pytest.mark.parametrize("frame", [DESK, PHONE])
def test_every_bar_can_be_seen(seen: dict[str, Any], frame: str) -> None:
    assert seen[frame]["bars"]
    assert [bar for bar in seen[frame]["bars"] if bar[2] - bar[0] < 3 or bar[3] - bar[1] < 6] == []


@pytest.mark.parametrize("frame", [DESK, PHONE])
def test_it_can_be_used_with_the_keyboard_alone(seen: dict[str, Any], frame: str) -> None:
    found = seen[frame]
    assert len(found["focusable"]) > 10 and all(found["focusable"])
    assert found["outline"] == "solid"
    assert found["skip"][0] >= 0 and found["skip"][1] >= 0  # in view, once it has the focus
    assert found["folded"]


def test_it_is_dark_where_that_is_preferred(seen: dict[str, Any]) -> None:
    assert seen[DESK]["background"] == "rgb(255, 255, 255)"
    assert seen[DARK]["background"] == "rgb(20, 23, 26)"


def test_it_can_be_printed(markup: str, tmp_path: Path) -> None:
    pdf = printed_pages(tmp_path, markup)
    assert pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page\n") in (1, 2, 3)
