"""What the browser tests stand on: a server like the published one, a Chromium, and one visit that notes everything."""

import gzip
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from axe_playwright_python.base import AXE_SCRIPT

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
COMPRESSED = (".html", ".css", ".js", ".json", ".svg", ".xml", ".txt", ".map")  # what GitHub Pages sends through gzip
DESKTOP, PHONE, NARROW = 1280, 390, 320  # CSS pixels


def find_chromium() -> str | None:
    """The browser named by CHROMIUM, or the first one on the path."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


class Handler(SimpleHTTPRequestHandler):
    """Files below a prefix, compressed as the published site sends them, with a note of every size."""

    def __init__(self, *arguments: Any, prefix: str, sent: list[tuple[str, int]], **options: Any) -> None:
        self.prefix, self.sent = prefix, sent
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        file = Path(self.directory) / path.removeprefix(self.prefix)
        if path.startswith(self.prefix) and path.endswith("/"):
            file = file / "index.html"
        status = 200
        if not path.startswith(self.prefix) or not file.is_file():
            status, file = 404, Path(self.directory) / "404.html"  # as GitHub Pages does, in either language
            if not path.startswith(self.prefix) or not file.is_file():
                self.send_error(404)
                return
        body = file.read_bytes()
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(file)))
        if file.suffix in COMPRESSED:
            body = gzip.compress(body, 9, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # the reader has gone on
            self.wfile.write(body)
        self.sent.append((path, len(body)))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Tests print nothing for a request."""


@dataclass
class Served:
    """A folder on 127.0.0.1: its address, with a slash at the end, and what was sent from it so far."""

    url: str
    sent: list[tuple[str, int]]


@contextmanager
def serve(folder: Path, prefix: str = "/") -> Iterator[Served]:
    """Serve `folder` below `prefix`, as GitHub Pages serves a project below its name."""
    sent: list[tuple[str, int]] = []
    handler = partial(Handler, directory=str(folder), prefix=prefix, sent=sent)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}{prefix}", sent)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Visit:
    """What one visit of a page in one colour scheme showed."""

    name: str
    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)  # requests to another host
    requested: list[str] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)  # widths at which the page itself scrolls sideways
    escaping: list[str] = field(default_factory=list)  # boxes wider than the page, or that hide what they cut off
    wide_boxes: int = 0  # boxes whose content is wider than they are
    pictures: list[dict[str, Any]] = field(default_factory=list)
    scheme: str = ""
    formulas: int = 0
    typeset: int = 0
    misset: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    shift: float = 0.0  # how far the layout moved by itself, as the browser counts it
    shifted: list[str] = field(default_factory=list)


# Every picture is loaded, also one that is hidden or far below; `broken` when it cannot be decoded. An image without
# address waits for a figure to open large.
PICTURES = """() => Promise.all([...document.querySelectorAll("img[src]")].map(async image => {
  image.loading = "eager"
  const decoded = await image.decode().then(() => true, () => false)
  return {source: image.getAttribute("src"), broken: !decoded || !image.naturalWidth,
          shown: image.checkVisibility(), alt: image.getAttribute("alt")}
}))"""

# Boxes that may be wider than the text: they must end inside the window and scroll what does not fit.
BOXES = """() => [...document.querySelectorAll(
    "pre > code, .nb-output, .nb-table, .md-typeset__scrollwrap, div.arithmatex")]
  .filter(box => box.checkVisibility()).map(box => {
    const {left, right} = box.getBoundingClientRect()
    const wide = box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0
    return {name: box.className || box.tagName, text: box.textContent.trim().slice(0, 40), wide,
            outside: left < -1 || right > document.documentElement.clientWidth + 1,
            scrolls: ["auto", "scroll"].includes(getComputedStyle(box).overflowX)}
  })"""


# A reader's way down the page, waiting where a formula or picture is still to come; then every shift of the layout
# since the page began.
# Shifts are summed up, so the number is at least the one that Chromium reports, the largest within five seconds.
SHIFTS = """async () => {
  const shifts = []
  const note = list => shifts.push(...list.getEntries().filter(entry => !entry.hadRecentInput))
  const observer = new PerformanceObserver(note)
  observer.observe({ type: "layout-shift", buffered: true })
  const frames = async () => { for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame) }
  // What does not come is told by who looks at formulas and pictures.
  const whileTrue = async condition => {
    const late = performance.now() + 10_000
    while (condition() && performance.now() < late) await frames()
  }
  await whileTrue(() => !performance.getEntriesByName("first-contentful-paint").length)
  dispatchEvent(new PointerEvent("pointermove"))  // a reader's hand, before the first scroll
  const waiting = element => !element.complete && element.checkVisibility()
  const pending = () => [...document.querySelectorAll(".arithmatex:not(:has(.katex)), img")].some(element => {
    const { top, bottom } = element.getBoundingClientRect()
    return waiting(element) && bottom > 0 && top < innerHeight
  })
  // Nobody reads a screen faster than KaTeX comes, so it may take its time once it was asked for early enough.
  const fetching = () => document.querySelector('script[src*="katex"]') && !document.querySelector(".katex")
  const end = () => document.documentElement.scrollHeight - innerHeight
  for (let y = 0; y < end() + innerHeight; y += innerHeight * 0.8) {
    scrollTo(0, Math.min(y, end()))
    await frames()
    await whileTrue(() => pending() || fetching())
  }
  await document.fonts.ready
  await frames()
  note({ getEntries: () => observer.takeRecords() })
  scrollTo(0, 0)
  const name = node => node?.className || node?.nodeName
  return shifts.map(shift => ({ value: shift.value, what: shift.sources.map(source => name(source.node)).join(", ") }))
}"""

# Contrast takes nine tenths of axe-core's time. It depends on colours and sizes alone, so of all the texts that have
# these in common, their grounds included, the first is judged for all.
DISTINCT = """() => {
  const grounds = new Map([[null, ""]])
  const ground = element => {
    if (!grounds.has(element)) {
      const style = getComputedStyle(element)
      const own = ["backgroundColor", "backgroundImage", "opacity", "filter", "mixBlendMode", "position", "zIndex"]
        .map(name => style[name]).join(" ")
      const plain = own === "rgba(0, 0, 0, 0) none 1 none normal static auto"
      grounds.set(element, ground(element.parentElement) + (plain ? "" : `|${own}`))
    }
    return grounds.get(element)
  }
  const field = "input, select, textarea, button, [aria-disabled]", seen = new Set()
  const written = element => [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim())
  for (const element of document.body.querySelectorAll("*")) {
    if (!element.matches(field) && !written(element) || !element.checkVisibility({ visibilityProperty: true })) continue
    const style = getComputedStyle(element)
    const kind = ["color", "fontSize", "fontWeight", "textShadow"].map(name => style[name])
    const key = [...kind, element.matches(field), ground(element)].join(";")
    if (!seen.has(key)) element.dataset.contrast = ""
    seen.add(key)
  }
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-contrast]" }] })
}"""


def answer(page: Any, function: str, seconds: int = 120) -> Any:
    """What an asynchronous function of the page returns; an error where Playwright would wait for ever."""
    late = f"reject(Error('the page gave no answer within {seconds} s'))"
    timeout = f"new Promise((_, reject) => setTimeout(() => {late}, {seconds * 1000}))"
    return page.evaluate(f"() => Promise.race([({function})(), {timeout}])")


def visit(page: Any, url: str, name: str, *, widths: tuple[int, ...] = (DESKTOP, PHONE, NARROW)) -> Visit:
    """Open a page at the first width, go through it and let axe-core judge it there; then look at every other width."""
    seen = Visit(name)
    host = urlsplit(url).netloc

    def on_console(message: Any) -> None:
        if message.type in ("error", "warning"):
            seen.console.append(f"{message.text} ({message.location.get('url', '')})")

    def on_request(request: Any) -> None:
        seen.requested.append(request.url)
        if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and urlsplit(request.url).netloc != host:
            seen.elsewhere.append(request.url)

    listeners = {
        "console": on_console,
        "request": on_request,
        "pageerror": lambda error: seen.console.append(f"uncaught: {error}"),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    try:
        page.set_viewport_size({"width": widths[0], "height": 900})
        page.goto(url, wait_until="load")
        for shift in answer(page, SHIFTS):
            seen.shift += shift["value"]
            seen.shifted.append(f"{shift['value']:.4f} {shift['what']}")
        seen.formulas = page.locator(".arithmatex").count()
        if seen.formulas:
            page.locator(".arithmatex").first.scroll_into_view_if_needed()  # formulas are set when they come near
            page.wait_for_function("window.katex && !document.querySelector('.arithmatex:not(:has(.katex))')")
            page.evaluate("document.fonts.ready.then(() => null)")
        seen.typeset = page.locator(".arithmatex > .katex, .arithmatex > .katex-display").count()
        seen.misset = page.locator(".katex-error").all_text_contents()
        seen.scheme = page.evaluate("document.body.getAttribute('data-md-color-scheme')") or ""
        seen.pictures = answer(page, PICTURES)
        # What is folded away must be readable too once it is open.
        page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        for number, width in enumerate(widths):
            page.set_viewport_size({"width": width, "height": 900})
            wanted = page.evaluate("document.documentElement.scrollWidth")
            if wanted > width:
                seen.sideways.append(f"{width} px: {wanted} px wide")
            for box in page.evaluate(BOXES):
                seen.wide_boxes += box["wide"]
                if box["outside"] or (box["wide"] and not box["scrolls"]):
                    seen.escaping.append(f"{width} px: {box['name']} {box['text']!r}")
            if number == 0:
                seen.violations = [f"{width} px: {text}" for text in axe(page)]
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
    return seen


def axe(page: Any) -> list[str]:
    """Every rule of axe-core that the page breaks, best practices included, with the elements that do."""
    found = []
    page.evaluate(AXE_SCRIPT)
    page.evaluate(DISTINCT)
    run = 'axe.run({resultTypes: ["violations"]}).then(results => results.violations)'  # the rest would only be sent
    for violation in page.evaluate(run):
        for node in violation["nodes"]:
            reasons = [item["message"] for kind in ("any", "all", "none") for item in node[kind]]
            found.append(f"{violation['id']}: {node['target']} {node['html'][:120]!r} {'; '.join(reasons)[:200]}")
    return found
