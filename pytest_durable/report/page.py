"""The sheets of a test run as one self-contained HTML page: no script, nothing loaded, the same bytes for the same run.

What comes from users, names, results and messages, is escaped in one place, `text`. Every mark of the charts is said in
words as well: they are decoration for whoever does not see them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib.resources import files

from pytest_durable.report.charts import chart
from pytest_durable.report.evidence import Coverage
from pytest_durable.report.markup import text
from pytest_durable.report.sheet import Drawn, Sheet

_LEGEND = (
    ('<i class="bar ran" style="left:10%;width:80%"></i>', "a body ran, and its result was stored"),
    ('<i class="bar replayed" style="left:10%;width:80%"></i>', "replayed: the result came from the journal"),
    ('<i class="bar cut" style="left:10%;width:60%"></i>', "ran, and was cut off before its result was stored"),
    ('<i class="bar open" style="left:10%;width:60%"></i>', "ran until the invocation was suspended within it"),
    ('<i class="bar again" style="left:10%;width:80%"></i>', "RAN AGAIN, although it had completed"),
    ('<i class="bar failed" style="left:10%;width:80%"></i>', "failed, is to be tried again, or was refused"),
    ('<i class="wait over" style="left:10%;width:80%"></i>', "waits; the upright stroke is its end"),
    ('<b class="mark" style="left:50%">✗</b>', "killed, or struck by another fault"),
    ('<b class="mark effect" style="left:50%">◆</b>', "an effect on the outside world, with its key if it has one"),
    (
        '<i style="inset:0 30%;background:var(--band)"></i>',
        "virtual time passes; wider for more time, by its logarithm",
    ),
)


def page(sheets: Iterable[Sheet], version: str) -> str:
    """The page.

    Args:
        sheets: of the tests, in any order.
        version: of this package.
    """
    ordered = sorted(sheets, key=lambda sheet: (sheet.outcome != "failed", sheet.test))
    failed = sum(sheet.outcome == "failed" for sheet in ordered)
    counts = f"{failed} failed" + (f", {len(ordered) - failed} passed" if len(ordered) > failed else "")
    body = "\n".join(_article(number, sheet) for number, sheet in enumerate(ordered, 1))
    css = files("pytest_durable.report").joinpath("page.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{counts}: durable executions</title>
<link rel="icon" href="data:,">
<style>
{css}</style>
</head>
<body>
<a class="skip" href="#tests">Skip to the tests</a>
<header>
<h1>Durable executions</h1>
<p class="quiet">{counts}. pytest-durable {text(version)}</p>
</header>
{_contents(ordered)}
{_legend()}
<main id="tests" tabindex="-1">
{body or "<p>No test failed.</p>"}
</main>
</body>
</html>
"""


def _contents(sheets: Sequence[Sheet]) -> str:
    if len(sheets) < 2:
        return ""
    lines = "\n".join(
        f'<li>{_verdict(sheet)} <a class="isolated" href="#test-{number}">{text(sheet.test)}</a></li>'
        for number, sheet in enumerate(sheets, 1)
    )
    return f'<nav aria-label="Tests"><ul>\n{lines}\n</ul></nav>'


def _legend() -> str:
    lines = "\n".join(
        f'<li><span class="track" aria-hidden="true">{mark}</span> {words}</li>' for mark, words in _LEGEND
    )
    return (
        f'<details class="how"><summary>How to read the charts</summary>\n<ul class="legend">\n{lines}\n</ul></details>'
    )


def _verdict(sheet: Sheet) -> str:
    return "✗ failed" if sheet.outcome == "failed" else "✓ passed"


def _article(number: int, sheet: Sheet) -> str:
    parts = [
        f'<article id="test-{number}" class="{sheet.outcome}" aria-labelledby="name-{number}">',
        f'<h2 id="name-{number}"><span class="verdict">{_verdict(sheet)}</span> '
        f'<span class="isolated">{text(sheet.test)}</span></h2>',
    ]
    if sheet.headline:
        parts.append(f'<p class="summary">{text(sheet.headline)}</p>')
    if sheet.details:
        parts.append(f'<p class="details">{text(chr(10).join(sheet.details))}</p>')
    if sheet.replay:
        parts.append(f'<p class="replay">Replay: <code>{text(sheet.replay)}</code></p>')
    runs = "\n".join(_run(f"{number}-{index}", drawn) for index, drawn in enumerate(sheet.drawn, 1))
    parts.append(f'<div class="runs">\n{runs}\n</div>')
    if sheet.left_out:
        parts.append(f'<p class="quiet">{sheet.left_out:,} more executions are not shown.</p>')
    if sheet.coverage:
        parts.append(_coverage(sheet.coverage))
    return "\n".join([*parts, "</article>"])


def _run(name: str, drawn: Drawn) -> str:
    picture = drawn.picture
    outcome = picture.status.replace("_", " ").lower()
    said = f": <code>{text(picture.result or picture.error)}</code>" if picture.result or picture.error else ""
    return "\n".join(
        [
            f'<section class="run" aria-labelledby="run-{name}">',
            f'<h3 id="run-{name}">{text(drawn.title)}</h3>',
            f'<p>{text(outcome)}{said} <span class="quiet">started {text(picture.started)}</span></p>',
            chart(picture),
            "</section>",
        ]
    )


def _coverage(kinds: Sequence[Coverage]) -> str:
    rows = "\n".join(_kind(kind) for kind in kinds)
    killed, seen = sum(len(kind.killed) for kind in kinds), sum(len(kind.killed + kind.missed) for kind in kinds)
    return (
        f'<table class="coverage"><caption>Struck at {killed} of {seen} places</caption>\n'
        '<thead><tr><th scope="col">where</th><th scope="col">struck</th><th scope="col">seen</th>'
        f'<th scope="col">places</th></tr></thead>\n<tbody>\n{rows}\n</tbody></table>'
    )


def _kind(kind: Coverage) -> str:
    seen = len(kind.killed) + len(kind.missed)
    lines = [f"<li>✗ {text(place)}</li>" for place in kind.killed]
    lines += [f'<li>· {text(place)} <span class="quiet">(not tried)</span></li>' for place in kind.missed]
    every = "all of them" if not kind.missed else f"{len(kind.missed)} not tried"
    return (
        f'<tr><th scope="row"><code>{html.escape(kind.kind)}</code></th><td class="number">{len(kind.killed)}</td>'
        f'<td class="number">{seen}</td><td><details><summary>{every}</summary>\n'
        f"<ul>{''.join(lines)}</ul></details></td></tr>"
    )
