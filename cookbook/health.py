"""Where a recipe has passed: one record for each environment, left by `cookbook run` in `recipes/health/`."""

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cookbook import execute, files
from cookbook.proofs import code_hash
from cookbook.recipe import Problem, Recipe

# By the file of exact versions that `make` installed from; without one, the newest versions.
ENVIRONMENTS = {
    "locked": "constraints.txt",
    "oldest": "constraints-oldest.txt",
    "newest": "",
    "colab": "constraints-colab.txt",
}


def environment() -> str | None:
    """The environment that this Python runs in, by the note that `make` left in it; None for one made otherwise."""
    try:
        note = Path(sys.prefix, "installed").read_text("utf-8")
    except OSError:
        return None
    made_from = re.match(r"constraints=(\S*)", note)
    return next((name for name, file in ENVIRONMENTS.items() if made_from and made_from[1] == file), None)


def path_of(root: Path, name: str) -> Path:
    """Where the record of an environment lies."""
    return root / "recipes" / "health" / f"{name}.json"


def read(root: Path, name: str) -> dict[str, Any]:
    """What each recipe, by key, did in an environment; empty where nothing is recorded.

    Raises:
        ValueError: the record is damaged.
    """
    path = path_of(root, name)
    try:
        recorded: dict[str, Any] = json.loads(path.read_text("utf-8"))["recipes"] if path.exists() else {}
    except (ValueError, LookupError, TypeError):
        raise ValueError(f"{path}:1: is no record of an environment; delete it and run `cookbook run` there") from None
    return recorded


def note(root: Path, name: str, recipes: list[Recipe], problems: list[Problem]) -> None:
    """Add to the record of an environment how these recipes ended there."""
    recorded = read(root, name)
    for recipe in recipes:
        failed = next((problem.text for problem in problems if problem.path == recipe.path), None)
        entry: dict[str, Any] = {"passed": failed is None, "code": code_hash(recipe)}
        if failed is None:
            record = json.loads(execute.record_path(root, recipe.key).read_text("utf-8"))
            entry |= {part: record[part] for part in ("date", "seconds", "python", "versions")}
        else:
            entry |= {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "reason": failed}
        recorded[recipe.key] = entry
    kept = {path.with_suffix("").relative_to(root / "recipes").as_posix() for path in (root / "recipes").glob("*/*.py")}
    ordered = {key: recorded[key] for key in sorted(recorded) if key in kept}
    text = json.dumps({"environment": name, "recipes": ordered}, indent=1, ensure_ascii=False)
    files.write(path_of(root, name), text + "\n")


def skipped(recipe: Recipe, name: str | None) -> bool:
    """Whether the recipe's header excuses it in this environment."""
    return name in recipe.header.get("skip", {}).get("environments", [])
