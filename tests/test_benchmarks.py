"""What the benchmarks do beside measuring: writing the README's tables, and saying on which Python."""

from __future__ import annotations

import sys
import sysconfig

import pytest

from benchmarks import machine, readme
from benchmarks.measure import Table
from benchmarks.readme import BEGIN, END, README, replaced

TABLE = Table("one run", ("", "best", "median"), [("10 steps", "1 ms", "2 ms")], readme=("", "best"))


def test_the_readme_has_a_place_for_the_tables() -> None:
    text = README.read_text()
    assert replaced(text, "figures").count("figures") == 1 + text.partition(BEGIN)[0].count("figures")


def test_what_was_written_before_is_replaced_and_nothing_else() -> None:
    text = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    assert replaced(text, "new") == f"above\n{BEGIN}\n\nnew\n\n{END}\nbelow\n"
    assert replaced(replaced(text, "one"), "new") == replaced(text, "new")


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_text_without_both_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="once and, after it"):
        replaced(text, "new")


def test_only_the_columns_meant_for_it_are_in_the_readme(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path_factory.mktemp("readme") / "README.md"
    file.write_text(f"{BEGIN}{END}")
    monkeypatch.setattr(readme, "README", file)
    readme.write("this machine", [TABLE, Table("not there", ("",), [("x",)])])
    written = "Measured on this machine.\n\n| one run | best |\n| --- | --- |\n| 10 steps | 1 ms |"
    assert file.read_text() == f"{BEGIN}\n\n{written}\n\n{END}"


@pytest.mark.parametrize(
    ("configured", "said"),
    [
        ("'--enable-optimizations' '--with-lto'", "optimised by a profile"),
        ("'--enable-shared'", "not optimised by a profile"),
        (None, "its build does not say whether it is optimised by a profile"),
    ],
)
def test_the_build_of_python_is_told(configured: str | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: configured)
    monkeypatch.setattr(sys, "base_prefix", "/opt/python")
    assert machine.build() == said
