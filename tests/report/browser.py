"""A page in a real headless Chromium, in several frames: a script asks how it is laid out, and prints the answers."""

from __future__ import annotations

import html
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_ASK = """
<script>
const answers = {};
function ask(frame) {
  const view = frame.contentWindow, page = frame.contentDocument, found = {};
  const box = one => { const it = one.getBoundingClientRect(); return [it.left, it.top, it.right, it.bottom]; };
  const all = selector => [...page.querySelectorAll(selector)];
  found.overflow = page.documentElement.scrollWidth - view.innerWidth;
  found.loaded = view.performance.getEntriesByType("resource").length;
  found.runs = all(".run").map(box);
  found.tracks = all(".chart .row .track").filter(one => one.offsetParent).map(box);
  found.names = all(".chart .row .name").filter(one => one.offsetParent).map(box);
  found.bars = all(".chart .row .bar").filter(one => one.offsetParent).map(box);
  found.background = view.getComputedStyle(page.body).backgroundColor;
  found.focusable = all("a[href], summary").map(one => { one.focus(); return page.activeElement === one; });
  const skip = page.querySelector(".skip");
  skip.focus();
  found.skip = box(skip);
  const first = page.querySelector(".invocation > summary");
  first.focus();
  found.outline = view.getComputedStyle(first).outlineStyle;
  first.click();
  found.folded = !first.parentElement.open && !first.parentElement.querySelector(".row").checkVisibility();
  return found;
}
addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) answers[frame.name] = ask(frame);
  document.body.replaceChildren(JSON.stringify(answers));
});
</script>
"""


@dataclass(frozen=True)
class Frame:
    """A window.

    Attributes:
        width: in pixels.
        scheme: of colours, which is preferred in it: light or dark.
    """

    width: int
    scheme: str = "light"


def asked(directory: Path, markup: str, frames: dict[str, Frame]) -> dict[str, Any]:
    """What a browser says of a page, by the name of the frame."""
    page = html.escape(markup)
    shown = "".join(
        f'<iframe name="{name}" width="{frame.width}" height="800" style="color-scheme: {frame.scheme}" '
        f'srcdoc="{page}"></iframe>'
        for name, frame in frames.items()
    )
    printed = _run(directory, shown + _ASK, "--dump-dom")
    body = printed[printed.index("<body>") + 6 : printed.rindex("</body>")]
    found: dict[str, Any] = json.loads(html.unescape(body))
    return found


def printed_pages(directory: Path, markup: str) -> bytes:
    """The page on paper, as a PDF."""
    _run(directory, markup, f"--print-to-pdf={directory / 'page.pdf'}")
    return (directory / "page.pdf").read_bytes()


def _run(directory: Path, markup: str, *flags: str) -> str:
    assert CHROMIUM is not None
    file = directory / "page.html"
    file.write_text(markup, encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={directory / 'profile'}", *flags, file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
