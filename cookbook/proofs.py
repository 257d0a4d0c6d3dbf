"""`cookbook breaks` and `cookbook seeds`: proof that the checks can fail, and how far the figures spread over seeds.

What was found stands beside the source in `<slug>.proof.json`, with the hash of the code that it was found with.
"""

import dataclasses
import hashlib
import io
import json
import re
import statistics
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cookbook import execute, files
from cookbook.recipe import Cell, Problem, Recipe, RecipeError

CAUGHT = "caught"
NUM_SEEDS = 10


def proof_path(recipe: Recipe) -> Path:
    """Where the record of a recipe's proofs lies: beside its source."""
    return recipe.path.with_suffix(".proof.json")


def code_hash(recipe: Recipe, *parts: object) -> str:
    """Hash of the code cells without their comments, and of what else a proof depends on."""
    code = [_without_comments(cell.source) for cell in recipe.code_cells]
    return hashlib.sha256(json.dumps([code, *parts]).encode()).hexdigest()[:16]


def _without_comments(source: str) -> str:
    """Code that does the same: ten executions prove it, whatever a comment says later."""
    lines = source.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    dropped = set()
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
            if not lines[row - 1]:
                dropped.add(row - 1)
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped)


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
    count: int = NUM_SEEDS,
    workers: int = 2,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> list[Problem]:
    """Execute every recipe whose record is stale with seeds 0 to count - 1; the seeds on which a check failed."""
    stale = [recipe for recipe in recipes if force or not _has_seeds(recipe, count)]
    tasks = [(recipe, seed) for recipe in stale for seed in range(count)]
    passed: dict[str, dict[int, dict[str, Any]]] = {recipe.key: {} for recipe in stale}
    found = []
    for index, outcome in execute.attempt([seeded(recipe, seed) for recipe, seed in tasks], root, workers):
        recipe, seed = tasks[index]
        if isinstance(outcome, execute.Failure):
            say(f"{recipe.key}: seed {seed}: failed")
            found.append(outcome.problem._replace(text=f"with SEED = {seed}: {outcome.problem.text}"))
        else:
            say(f"{recipe.key}: seed {seed}: passed in {outcome['record']['seconds']:.1f} s")
            passed[recipe.key][seed] = outcome["record"]
    for recipe in stale:
        records = passed[recipe.key]
        if len(records) == count:
            names = list(records[0]["results"])
            values = {name: [_rounded(records[seed]["results"][name]) for seed in range(count)] for name in names}
            seconds = round(statistics.median(record["cpu_seconds"] for record in records.values()), 1)
            _write(recipe, "seeds", {"code": code_hash(recipe), "cpu_seconds": seconds, "results": values})
    return sorted(found)


def stale(recipe: Recipe) -> list[Problem]:
    """Which proofs of a recipe are missing, or were made from other code."""
    found = []
    if read(recipe).get("breaks", {}).get("code") != _breaks_hash(recipe):
        text = f"its breaks were not tried on this code; run `cookbook breaks {recipe.slug}` and commit the record"
        found.append(Problem(recipe.path, recipe.header_lines.get(("breaks",), 1), text))
    if not _has_seeds(recipe, NUM_SEEDS):
        text = f"its figures were not measured over {NUM_SEEDS} seeds with this code"
        found.append(Problem(recipe.path, 1, f"{text}; run `cookbook seeds {recipe.slug}` and commit the record"))
    return found


def unusual(recipe: Recipe, results: dict[str, Any]) -> list[Problem]:
    """Figures of a run that lie outside the recorded range by more than the range is wide."""
    line = next((cell.line for cell in recipe.code_cells if re.search(r"^results = ", cell.source, re.MULTILINE)), 1)
    found = []
    for name, (low, _, high) in spread(recipe).items():
        value = _rounded(results.get(name))
        width = max(high - low, 1e-4 * abs(high))  # a record has five digits
        if isinstance(value, int | float) and not low - width <= value <= high + width:
            text = f"{name!r} is {value:.4g}, far from the {low:.4g} to {high:.4g} of the recorded seeds"
            found.append(Problem(recipe.path, line, f"{text}; find out why before you trust either"))
    return found


def caught(recipe: Recipe) -> tuple[int, int]:
    """How many of the recipe's breaks a check caught, by the record of this code, and how many there are."""
    record = read(recipe).get("breaks", {})
    verdicts = record.get("verdicts", {}) if record.get("code") == _breaks_hash(recipe) else {}
    return sum(verdict.startswith(CAUGHT) for verdict in verdicts.values()), len(recipe.header["breaks"])


def num_seeds(recipe: Recipe) -> int:
    """Over how many seeds the figures of this code were measured."""
    record = read(recipe).get("seeds", {})
    if record.get("code") != code_hash(recipe):
        return 0
    return min((len(values) for values in record["results"].values()), default=0)


def cpu_seconds(recipe: Recipe) -> float:
    """What one execution takes, as recorded over seeds, else its whole budget."""
    return float(read(recipe).get("seeds", {}).get("cpu_seconds", recipe.header["seconds"]))


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
