"""A recipe as one script that runs alone, with `python` or with `uv run`: code, prose as comments, what it needs."""

import ast
import re
from typing import Any

from cookbook.check import requirement_name
from cookbook.notebooks import absolute_links
from cookbook.recipe import Cell
from cookbook.runs import Run
from cookbook.site import Site


def script(run: Run, lang: str, address: Site) -> str:
    """The script of one language.

    Its first comment is inline script metadata (https://packaging.python.org/specifications/inline-script-metadata/)
    with the versions that the page ran with, so that `uv run` installs what the page was verified on.
    """
    recipe = run.recipe
    parts = [_metadata(run), f"# {recipe.header['title'][lang]}\n# {address.page(recipe.key, lang)}"]
    outputs = iter(run.shown)
    for cell in recipe.cells:
        if cell.kind == "code":
            parts.append(_code(cell, next(outputs)))
        elif cell.lang == lang:
            lines = absolute_links(cell.source, recipe.chapter, lang, address).split("\n")
            parts.append("\n".join(f"# {line}".rstrip() for line in lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def _metadata(run: Run) -> str:
    """The block that tools read: Python, packages, and which packages are wanted without their own."""
    requires = run.recipe.header.get("requires") or []
    bare = [item["name"] for item in requires if isinstance(item, dict)]
    named = [*bare, *(item for item in requires if isinstance(item, str))]
    names = {_normal(requirement_name(requirement)) for requirement in named}
    wanted = [
        f"{name}=={version.partition('+')[0]}"
        for name, version in run.record["versions"].items()
        if _normal(name) not in names
    ]
    lines = ['requires-python = ">=3.11"', "dependencies = ["]
    lines += [f'  "{requirement}",' for requirement in sorted([*wanted, *named], key=str.lower)]
    lines.append("]")
    for requirement in bare:  # wanted for its data: its own dependencies would be in the way
        name, _, version = requirement.partition("==")
        entry = ["[[tool.uv.dependency-metadata]]", f'name = "{name}"', f'version = "{version}"', "requires-dist = []"]
        lines += ["", *entry]
    return "\n".join(f"# {line}".rstrip() for line in ["/// script", *lines, "///"])


def _normal(name: str) -> str:
    """A package's name as the packaging standards compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _code(cell: Cell, shown: list[Any]) -> str:
    """A cell's code; what a notebook shows because it stands last is printed."""
    if not any(output["output_type"] == "execute_result" for output in shown):
        return cell.source
    *_, last = ast.parse(cell.source).body
    if not isinstance(last, ast.Expr):
        return cell.source
    value, lines = _unstyled(last.value, shown), cell.source.split("\n")
    ends = (last.end_lineno or 0, last.end_col_offset or 0)
    if value is not last.value:  # the rest of the statement makes HTML
        lines[last.lineno - 1 : ends[0]] = [f"print({ast.unparse(value)})"]
        return "\n".join(lines)
    for row, column, mark in ((*ends, b")"), (last.lineno, last.col_offset, b"print(")):
        raw = lines[row - 1].encode()  # ast counts bytes
        lines[row - 1] = (raw[:column] + mark + raw[column:]).decode()
    return "\n".join(lines)


def _unstyled(value: ast.expr, shown: list[Any]) -> ast.expr:
    """The table below a chain of pandas' styling, whose result is HTML; other expressions as they are."""
    texts = ["".join(output.get("data", {}).get("text/plain", "")) for output in shown]
    if not any(text.startswith("<pandas.io.formats.style.Styler") for text in texts):
        return value
    node: ast.expr = value
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Attribute) and node.attr == "style":
            return node.value
        node = node.func if isinstance(node, ast.Call) else node.value
    return value
