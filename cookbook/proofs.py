"""`cookbook breaks` and `cookbook seeds`: proof that the checks can fail, and how far the figures spread over seeds.

What was found stands beside the source in `<slug>.proof.json`, with the hash of the code that it was found with.
"""

import dataclasses
import hashlib
import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cookbook import execute, files
from cookbook.recipe import Cell, Problem, Recipe, RecipeError

CAUGHT = "caught"


def proof_path(recipe: Recipe) -> Path:
    """Where the record of a recipe's proofs lies: beside its source."""
    return recipe.path.with_suffix(".proof.json")


def code_hash(recipe: Recipe, *parts: object) -> str:
    """Hash of the code cells, and of what else a proof depends on."""
    code = [cell.source for cell in recipe.code_cells]
    return hashlib.sha256(json.dumps([code, *parts]).encode()).hexdigest()[:16]


def read(recipe: Recipe) -> dict[str, Any]:
    """The recorded proofs of a recipe; empty if there are none."""
    path = proof_path(recipe)
    try:
        proofs: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError:
        raise RecipeError(Problem(path, 1, "is no JSON; delete it and run `cookbook breaks` and `seeds`")) from None
    return proofs


def _breaks_hash(recipe: Recipe) -> str:
    return code_hash(recipe, recipe.header["breaks"])


def replaced(recipe: Recipe, find: str, replace: str) -> Recipe:
    """The recipe with one edit of its code."""
    return _with_code(recipe, lambda source: source.replace(find, replace))


def seeded(recipe: Recipe, seed: int) -> Recipe:
    """The recipe with another seed."""
    return _with_code(recipe, lambda source: re.sub(r"^SEED = \d+", f"SEED = {seed}", source, flags=re.MULTILINE))


def _with_code(recipe: Recipe, edit: Callable[[str], str]) -> Recipe:
    cells = tuple(
        dataclasses.replace(cell, source=edit(cell.source)) if cell.kind == "code" else cell for cell in recipe.cells
    )
    return dataclasses.replace(recipe, cells=cells)


def breaks(
    recipes: list[Recipe], root: Path, *, workers: int = 2, force: bool = False, say: Callable[[str], None] = print
) -> list[Problem]:
    """Execute every break of every recipe whose record is stale; those that no check caught."""
    stale = [
        recipe for recipe in recipes if force or read(recipe).get("breaks", {}).get("code") != _breaks_hash(recipe)
    ]
    tasks = [(recipe, edit) for recipe in stale for edit in recipe.header["breaks"]]
    broken = [replaced(recipe, edit["find"], edit["replace"]) for recipe, edit in tasks]
    verdicts: dict[str, dict[str, str]] = {recipe.key: {} for recipe in stale}
    found = []
    for index, outcome in execute.attempt(broken, root, workers):
        recipe, edit = tasks[index]
        verdict = _verdict(outcome)
        verdicts[recipe.key][edit["name"]] = verdict
        say(f"{recipe.key}: {edit['name']}: {verdict}")
        if not verdict.startswith(CAUGHT):
            line = recipe.header_lines.get(("breaks", recipe.header["breaks"].index(edit)), 1)
            text = (
                f"break {edit['name']!r} {verdict}; write a check that notices it, or a break that disables the method"
            )
            found.append(Problem(recipe.path, line, text))
    for recipe in stale:
        if all(verdict.startswith(CAUGHT) for verdict in verdicts[recipe.key].values()):
            ordered = {edit["name"]: verdicts[recipe.key][edit["name"]] for edit in recipe.header["breaks"]}
            _write(recipe, "breaks", {"code": _breaks_hash(recipe), "verdicts": ordered})
    return sorted(found)


def _verdict(outcome: dict[str, Any] | execute.Failure) -> str:
    """What became of a broken recipe, in words."""
    if not isinstance(outcome, execute.Failure):
        return "survived: no check noticed"
    cell: Cell | None = outcome.cell
    if outcome.error == "timeout":
        return "timed out"
    if cell is None or outcome.error == "dead kernel":
        return f"ended otherwise: {outcome.problem.text}"
    if cell.is_checks and outcome.error == "AssertionError":
        failed = cell.source.splitlines()[outcome.problem.line - cell.line - 1]
        return f"{CAUGHT} by `{failed.strip()}`"
    return f"crashed elsewhere, at line {outcome.problem.line}: {outcome.error}"


def seeds(
    recipes: list[Recipe],
    root: Path,
    *,
    count: int = 10,
    workers: int = 2,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> list[Problem]:
    """Execute every recipe whose record is stale with seeds 0 to count - 1; the seeds on which a check failed."""
    stale = [recipe for recipe in recipes if force or not _has_seeds(recipe, count)]
    tasks = [(recipe, seed) for recipe in stale for seed in range(count)]
    figures: dict[str, dict[int, dict[str, Any]]] = {recipe.key: {} for recipe in stale}
    found = []
    for index, outcome in execute.attempt([seeded(recipe, seed) for recipe, seed in tasks], root, workers):
        recipe, seed = tasks[index]
        if isinstance(outcome, execute.Failure):
            say(f"{recipe.key}: seed {seed}: failed")
            found.append(outcome.problem._replace(text=f"with SEED = {seed}: {outcome.problem.text}"))
        else:
            say(f"{recipe.key}: seed {seed}: passed in {outcome['record']['seconds']:.1f} s")
            figures[recipe.key][seed] = outcome["record"]["results"]
    for recipe in stale:
        results = figures[recipe.key]
        if len(results) == count:
            names = list(results[0])
            values = {name: [_rounded(results[seed][name]) for seed in range(count)] for name in names}
            _write(recipe, "seeds", {"code": code_hash(recipe), "results": values})
    return sorted(found)


def _has_seeds(recipe: Recipe, count: int) -> bool:
    record = read(recipe).get("seeds", {})
    lengths = {len(values) for values in record.get("results", {}).values()}
    return record.get("code") == code_hash(recipe) and bool(lengths) and min(lengths) >= count


def _rounded(value: Any) -> Any:
    """Five significant digits: more differ between processors, and the record is read as a diff."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def spread(recipe: Recipe) -> dict[str, tuple[float, float, float]]:
    """Smallest, mean and largest value of each numeric figure over the recorded seeds."""
    seeds = read(recipe).get("seeds", {})
    results = seeds.get("results", {}) if seeds.get("code") == code_hash(recipe) else {}
    return {
        name: (min(values), statistics.fmean(values), max(values))
        for name, values in results.items()
        if all(isinstance(value, int | float) for value in values)
    }


def _write(recipe: Recipe, name: str, content: dict[str, Any]) -> None:
    proofs = read(recipe) | {name: content}
    text = json.dumps(proofs, indent=1, ensure_ascii=False, sort_keys=False)
    # One line a figure: ten values below each other would make a diff of pages.
    text = re.sub(r"\[[^\[\]{}]*\]", lambda match: " ".join(match.group().split()), text)
    files.write(proof_path(recipe), text + "\n")
