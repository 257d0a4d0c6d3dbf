"""What pages are made of: a recipe that has run, and a page in one language."""

import html
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cookbook import execute
from cookbook.outputs import Figure
from cookbook.recipe import Problem, Recipe, RecipeError


@dataclass(frozen=True)
class Run:
    """A recipe that has run: source, outputs of its code cells in order, run record."""

    recipe: Recipe
    shown: list[list[Any]]
    record: dict[str, Any]
    images: Path  # where encoded figures are kept between builds


@dataclass
class Page:
    """Markdown of one page at `path` below the docs folder, with its metadata and the files beside it."""

    path: str
    text: str
    meta: dict[str, Any] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    download: str | None = None  # the executed notebook as text, for recipes


class NotExecuted(RecipeError):
    """A recipe whose code has no outputs yet."""


def load(recipe: Recipe, root: Path) -> Run:
    """A recipe with the outputs and the record of its last run.

    Raises:
        NotExecuted: it never ran, or its code has changed since.
    """
    images = root / "build" / "images"
    path, record = execute.executed_path(root, recipe.key), execute.record_path(root, recipe.key)
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        if ["".join(cell["source"]) for cell in code] == [cell.source for cell in recipe.code_cells]:
            return Run(recipe, [cell["outputs"] for cell in code], json.loads(record.read_text("utf-8")), images)
    except (OSError, ValueError, LookupError, TypeError):
        pass  # never executed, or damaged: the same sentence serves
    text = f"was not executed since its code changed; run `cookbook run {recipe.slug}`"
    raise NotExecuted(Problem(recipe.path, 1, text))


def rounded(value: Any) -> str:
    """Four significant digits, and no exponent for what a reader would write without."""
    if not isinstance(value, float):
        return html.escape(str(value))
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return f"{value:.2e}"
