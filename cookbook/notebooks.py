"""`cookbook sync`: one notebook a language from each source, without outputs, the same bytes every time."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from cookbook import files
from cookbook.recipe import CODE, FENCE, LANGUAGES, Cell, Recipe
from cookbook.site import Site

# Letters, and punctuation as wide as a letter, that Chinese sets without spaces.
WIDE = r"[\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…—]"
TIGHT = r"(?:[，。、；：？！（）《》「」【】“”]|……|——)"  # takes no space beside Latin letters either
SEAM = re.compile(rf"{WIDE}\n{WIDE}|{TIGHT}\n|\n{TIGHT}")
BLOCK_START = re.compile(r"\s*([-*+] |\d+[.)] |#|\||`{3}|~{3}|\$\$|!!! |\[[^\]]+\]:|<|$)")
QUOTE = re.compile(r"(?:> ?)+")


def join_lines(markdown: str) -> str:
    """Chinese text without the line breaks inside its paragraphs, which Markdown would turn into spaces."""
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [_join(markdown[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*parts, _join(markdown[end:])])


def _join(text: str) -> str:
    joined: list[str] = []
    for line in text.split("\n"):
        bare = QUOTE.sub("", line, count=1)
        if joined and _continues(joined[-1], line, bare):
            joined[-1] = joined[-1].rstrip() + bare.lstrip()
        else:
            joined.append(line)
    return "\n".join(joined)


def _continues(above: str, line: str, bare: str) -> bool:
    """Whether `line` goes on with the paragraph above it, and the seam between them takes no space."""
    if BLOCK_START.match(bare) or not above.strip(" >") or above.startswith(("#", "|")) or above.endswith("  "):
        return False
    depths = [(quote.group().count(">") if (quote := QUOTE.match(side)) else 0) for side in (above, line)]
    if depths[0] != depths[1] or (" | " in above and " | " in line):
        return False
    # Marks of emphasis, code and links are invisible on the page.
    left = re.sub(r"(?:[*_`]|\]\([^)]*\))+$", "", above.rstrip())
    right = re.sub(r"^[*_`\[]+", "", bare.lstrip())
    return bool(SEAM.search(f"{left[-2:]}\n{right[:2]}"))


def install_cell(recipe: Recipe) -> str | None:
    """Code that installs what Colab lacks, and does nothing where it is there."""
    lines = []
    for item in recipe.header.get("requires") or []:
        bare = isinstance(item, dict)
        requirement = item["name"] if isinstance(item, dict) else item
        module = re.split(r"==|\.", requirement)[0].replace("-", "_")
        options = "-q --no-deps" if bare else "-q"
        lines += [f'if find_spec("{module}") is None:', f"    %pip install {options} {requirement}"]
    return "\n".join(["from importlib.util import find_spec", "", *lines]) if lines else None


def relink(markdown: str, chapter: str, address: Callable[[str], str]) -> str:
    """Links between sources as `address` has them, which takes a recipe's key; `chapter` is where the text stands."""

    def absolute(match: re.Match[str]) -> str:
        if not match["target"]:
            return match.group()  # code
        target, _, anchor = match["target"].partition("#")
        folder, _, name = target.removesuffix(".py").rpartition("/")
        key = f"{Path(chapter, folder).parts[-1] if folder not in ('', '.') else chapter}/{name}"
        return f"{match['text']}({address(key)}{'#' + anchor if anchor else ''}{match['title'] or ''})"

    link = r"(?P<text>\[[^\]]*\])\((?!https?:|#|mailto:)(?P<target>[^)\s]+\.py(?:#[^)\s]*)?)(?P<title> [^)]*)?\)"
    return re.sub(f"{CODE.pattern}|{link}", absolute, markdown, flags=CODE.flags)


def cell_id(recipe: Recipe, name: int | str) -> str:
    """An id that depends on nothing but the recipe and the cell's place in it."""
    return hashlib.sha1(f"{recipe.key}:{name}".encode()).hexdigest()[:12]


def notebook(recipe: Recipe, lang: str, site: Site) -> Any:
    """The notebook of one language as nbformat 4.5, with Colab's metadata and no outputs."""
    cells = []
    install = install_cell(recipe)
    for index, cell in enumerate(recipe.cells):
        if cell.kind == "code":
            if install:
                cells.append(_node("code", install, cell_id(recipe, "install"), {"tags": ["install"]}))
                install = None
            tags = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
            cells.append(_node("code", cell.source, cell_id(recipe, index), tags))
        elif cell.lang == lang:
            cells.append(_node("markdown", prose(cell, recipe, site), cell_id(recipe, index), {}))
    metadata: dict[str, Any] = {
        "colab": {"name": f"{recipe.slug}.ipynb", "provenance": [], "toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if recipe.header.get("gpu"):
        metadata["accelerator"] = "GPU"
        metadata["colab"]["gpuType"] = "T4"
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def prose(cell: Cell, recipe: Recipe, site: Site) -> str:
    """A Markdown cell's text as a notebook shows it."""
    text = join_lines(cell.source) if cell.lang == "zh" else cell.source
    return absolute_links(text, recipe.chapter, str(cell.lang), site)


def absolute_links(markdown: str, chapter: str, lang: str, site: Site) -> str:
    """Links between recipes as addresses of the published site: a notebook is read far from its neighbours."""
    return relink(markdown, chapter, lambda key: site.page(key, lang))


def _node(kind: str, source: str, identity: str, metadata: dict[str, Any]) -> dict[str, Any]:
    node: dict[str, Any] = {"cell_type": kind, "id": identity, "metadata": metadata, "source": source}
    return node | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def text_of(notebook: Any) -> str:
    """A notebook as the text of its file; raises nbformat's ValidationError for an invalid one."""
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def sync(recipes: list[Recipe], root: Path, site: Site, *, check: bool = False) -> list[Path]:
    """Write `notebooks/`, or with `check` only compare; the files that were (or would be) changed."""
    expected = {
        root / "notebooks" / lang / f"{recipe.key}.ipynb": text_of(notebook(recipe, lang, site))
        for recipe in recipes
        for lang in LANGUAGES
    }
    if check:
        there = set((root / "notebooks").glob("*/*/*.ipynb"))
        differ = {path for path, text in expected.items() if path not in there or path.read_text("utf-8") != text}
        return sorted(differ | (there - set(expected)))
    changed = [path for path, text in expected.items() if files.write(path, text)]
    return changed + files.remove_others(root / "notebooks", "*/*/*.ipynb", set(expected))
