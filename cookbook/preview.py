"""`cookbook preview`: what a change does to the site, as one page: pages, figures and results before and after."""

import html
import json
import re
from pathlib import Path
from typing import Any

from cookbook import files
from cookbook.runs import rounded

ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
# What differs between two builds of the same sources: the day, the seconds, the machine.
STAMP = re.compile(
    r'<div class="stamp">.*?</div>|<p class="facts">.*?</p>|<details class="changes">.*?</details>|version=[^&"]*',
    re.DOTALL,
)
STYLE = """body { font: 16px/1.6 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem; border-bottom: 1px solid #ccc; text-align: right; }
th:first-child { text-align: left; } img { max-width: 100%; background: #fff; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }"""


def preview(before: Path, after: Path, target: Path) -> dict[str, list[str]]:
    """Write `target`/index.html with the figures it shows; the pages added, changed and removed.

    `before` and `after` are two built sites. The page needs no other file than those in `target`.

    Raises:
        FileNotFoundError: one of the two holds no page.
    """
    old, new = _articles(before), _articles(after)
    pages = {
        "added": sorted(new.keys() - old.keys()),
        "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
        "removed": sorted(old.keys() - new.keys()),
    }
    parts = [f"<h2>{kind.capitalize()}: {len(names)}</h2>{_list(names)}" for kind, names in pages.items()]
    parts += ["<h2>Results</h2>", _results(_recorded(before), _recorded(after))]
    parts.append("<h2>Figures</h2>")
    written: set[Path] = set()
    for name in sorted(new):  # figures may change where no text does
        if not name.startswith("zh/"):  # both languages show the same figures
            parts.append(_figures(name, before, after, target, written))
    files.remove_others(target / "figures", "**/*", written)
    body = "\n".join(part for part in parts if part)
    title = "What this change does to the site"
    files.write(
        target / "index.html",
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{STYLE}</style></head>\n"
        f"<body><h1>{title}</h1>\n{body}\n</body></html>\n",
    )
    return pages


def _articles(site: Path) -> dict[str, str]:
    """The text of every page, by its address in the site, without what differs from run to run."""
    found = {
        path.relative_to(site).as_posix().removesuffix("index.html"): _text(path.read_text("utf-8"))
        for path in site.rglob("*.html")
    }
    if not found:
        raise FileNotFoundError(f"{site}:1: holds no page; build the site there first")
    return found


def _text(page: str) -> str:
    match = ARTICLE.search(page)
    return STAMP.sub("", match.group() if match else page)


def _list(names: list[str]) -> str:
    items = "".join(f"<li>{html.escape(name or 'home')}</li>" for name in names)
    return f"<ul>{items}</ul>" if items else ""


def _recorded(site: Path) -> dict[str, dict[str, Any]]:
    """The figures of every recipe, by its key."""
    path = site / "results" / "results.json"
    content = json.loads(path.read_text("utf-8")) if path.is_file() else {"recipes": []}
    return {
        recipe["recipe"]: {figure["name"]: figure["value"] for figure in recipe["figures"]}
        for recipe in content["recipes"]
    }


def _results(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> str:
    """Figures that differ, before and after."""
    rows = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key, {}), new.get(key, {})
        for name in {**was, **now}:
            if repr(was.get(name)) != repr(now.get(name)):  # nan equals nan
                cells = "".join(f"<td>{rounded(side[name]) if name in side else ''}</td>" for side in (was, now))
                rows.append(f"<tr><th>{html.escape(f'{key}: {name}')}</th>{cells}</tr>")
    head = "<tr><th>Figure</th><th>before</th><th>after</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>" if rows else "<p>No figure has changed.</p>"


def _figures(name: str, before: Path, after: Path, target: Path, written: set[Path]) -> str:
    """The figures of one page that differ, side by side; the files go to `target` and their names to `written`."""
    sides = [
        {path.name: path for path in sorted((site / name).glob("figure-*-light.webp"))} for site in (before, after)
    ]
    pairs = []
    for figure in sorted(sides[0].keys() | sides[1].keys()):
        contents = [side[figure].read_bytes() if figure in side else b"" for side in sides]
        if contents[0] == contents[1]:
            continue
        cells = []
        for word, content in zip(("before", "after"), contents, strict=True):
            if content:
                path = f"figures/{name}{word}-{figure}"
                files.write(target / path, content)
                written.add(target / path)
                cells.append(f'<figure><img src="{path}" alt=""><figcaption>{word}</figcaption></figure>')
            else:
                cells.append(f"<p>{word}: none</p>")
        pairs.append(f'<div class="pair">{"".join(cells)}</div>')
    return f"<h3>{html.escape(name)}</h3>\n" + "\n".join(pairs) if pairs else ""
