"""What the READMEs and the documentation show is true: their tests pass or fail as they say, their commands exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "examples/*/README.md")
    for path in ROOT.glob(pattern)
)

_FILE = re.compile(r"# (test_\w+)\.py\n")
_FAILS = re.compile(r"<!--\s*fails:\s*(\w+)\s*-->")


@dataclass(frozen=True)
class Block:
    """A fenced block of a Markdown file.

    Attributes:
        language: what stands after the opening fence.
        code: the lines between the fences, without the indentation of the opening fence.
        line: of the opening fence, from 1.
        fails: the violation that its tests must fail with, from the comment above; None if they must pass.
        output: the lines of the text block that follows a failing one: what pytest must print.
    """

    language: str
    code: str
    line: int
    fails: str | None
    output: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The module's name, from a first line such as ``# test_orders.py``."""
        named = _FILE.match(self.code)
        return "test_shown" if named is None else named[1]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a Markdown text, in order."""
    lines = enumerate(text.splitlines(), 1)
    fails: str | None = None
    for number, line in lines:
        fence = line.lstrip()
        comment = _FAILS.fullmatch(fence.rstrip())
        if comment is not None:
            fails = comment[1]
        elif fence.startswith("```"):
            indent = len(line) - len(fence)
            code = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                code.append(inner[indent:])
            yield Block(fence[3:].strip(), "\n".join(code) + "\n", number, fails)
            fails = None
        elif fence:
            fails = None


def runnable(text: str) -> list[Block]:
    """The Python blocks that are test files, the failing ones with the output that is shown below them."""
    found = list(blocks(text))
    return [
        replace(block, output=tuple(below.code.splitlines())) if block.fails and below.language == "text" else block
        for block, below in zip(found, [*found[1:], *found[-1:]], strict=True)
        if block.language == "python" and "def test_" in block.code
    ]


def make_targets(text: str) -> list[str]:
    """The targets of every ``make`` command in a console block."""
    commands = [
        line.strip().removeprefix("$ ")
        for block in blocks(text)
        if block.language == "console"
        for line in block.code.splitlines()
    ]
    words = [command.split("#")[0].split()[1:] for command in commands if command.startswith("make ")]
    return [word for command in words for word in command if "=" not in word and not word.startswith("-")]


FEW = 20
"""Examples and plans that are drawn for a block whose tests pass: it is the page that is tried, not a handler."""

settings.register_profile("few examples", deadline=None, max_examples=FEW)


@pytest.fixture
def few_examples() -> Iterator[None]:
    """An inner run uses the profile of this process."""
    settings.load_profile("few examples")
    yield
    settings.load_profile("without a deadline")  # that of the other tests


def check(pytester: pytest.Pytester, block: Block) -> None:
    """Run a block as a test file, and hold its outcome against what its comment says."""
    pytester.makepyfile(**{block.file: block.code})
    result = pytester.runpytest_inprocess(*([] if block.fails else [f"--durable-examples={FEW}"]))
    outcomes = result.parseoutcomes()
    if block.fails is None:
        assert outcomes.keys() == {"passed"}
    else:
        assert outcomes.keys() == {"failed"}
        result.stdout.re_match_lines([rf"E +(\w+\.)*{block.fails}: "])
        printed = [re.sub(r"^E +(pytest_durable\.errors\.)?", "", line) for line in result.outlines]
        output = [line.strip() for line in block.output]  # a page may show a part, but all of that part
        assert output in [printed[start : start + len(output)] for start in range(len(printed))]


def shown() -> list[object]:
    """Every runnable block of every page."""
    return [
        pytest.param(block, id=f"{name}:{block.line}")
        for name in PAGES
        for block in runnable((ROOT / name).read_text(encoding="utf-8"))
    ]


@pytest.mark.usefixtures("few_examples")
@pytest.mark.parametrize("block", shown())
def test_a_test_that_a_page_shows_passes_or_fails_as_it_says(pytester: pytest.Pytester, block: Block) -> None:
    check(pytester, block)


@pytest.mark.parametrize("name", PAGES)
def test_the_make_targets_that_a_page_shows_exist(name: str) -> None:
    known = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(make_targets((ROOT / name).read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("name", PAGES)
def test_every_python_block_of_a_page_is_a_test(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [block.line for block in blocks(text) if block.language == "python" and "def test_" not in block.code] == []


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_links_to_is_there(name: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [link for link in links if link and not link.startswith("https://")]
    assert [link for link in local if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_options_that_a_page_names_exist(name: str, pytestconfig: pytest.Config) -> None:
    named = set(re.findall(r"--durable-[a-z]+(?:-[a-z]+)*", (ROOT / name).read_text(encoding="utf-8")))
    assert [option for option in sorted(named) if not hasattr(pytestconfig.option, option[2:].replace("-", "_"))] == []


def test_every_option_is_in_the_reference(pytestconfig: pytest.Config) -> None:
    text = (ROOT / "docs/reference/options.md").read_text(encoding="utf-8")
    options = [name for name in vars(pytestconfig.option) if name.startswith("durable_")]
    assert options
    assert [name for name in options if f"`--{name.replace('_', '-')}" not in text] == []


# --- the mechanism itself ---------------------------------------------------------------------------------------------

SAMPLE = """\
# Sample

```python
def test_ran_once(durable_ctx):
    assert durable_ctx.run(lambda event, context: 7).result == 7
```

<!-- fails: OutcomeChanged -->

```python
calls = []

def handler(event, context):
    context.step(lambda _: calls.append(1), name="charge")
    return context.step(lambda _: len(calls), name="count")

def test_charged_once(durable_ctx):
    durable_ctx.verify(handler, reset=calls.clear)
```

The comment above belongs to that block alone.

1. Indented:
   ```python
   def test_plain():
       pass
   ```

```python
execution.result  # no test
```

```console
$ make demo  # kills it
make test PYTHON=python3.13
pip install pytest-durable
```
"""


def test_test_files_are_found_with_their_lines_and_the_violation_of_the_comment_above() -> None:
    assert [(block.line, block.fails) for block in runnable(SAMPLE)] == [(3, None), (10, "OutcomeChanged"), (24, None)]
    assert runnable(SAMPLE)[2].code == "def test_plain():\n    pass\n"


def test_a_comment_with_text_below_it_belongs_to_no_block() -> None:
    assert next(blocks("<!-- fails: StepRanAgain -->\ntext\n```python\n```\n")).fails is None


@pytest.mark.parametrize("number", range(3))
def test_a_block_that_does_what_it_says_is_accepted(pytester: pytest.Pytester, number: int) -> None:
    check(pytester, runnable(SAMPLE)[number])


@pytest.mark.parametrize(
    ("number", "fails"), [(0, "OutcomeChanged"), (1, None), (1, "StepRanAgain"), (1, "Changed"), (2, "AssertionError")]
)
def test_a_block_that_does_something_else_is_refused(pytester: pytest.Pytester, number: int, fails: str | None) -> None:
    block = runnable(SAMPLE)[number]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(pytester, Block(block.language, block.code, block.line, fails))


def test_make_targets_are_found() -> None:
    assert make_targets(SAMPLE) == ["demo", "test"]
