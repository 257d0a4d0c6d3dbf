"""`cookbook check`: every rule that a source can break without being executed, each with file, line and mend."""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from cookbook import questions, scopes
from cookbook.claims import claim_problems
from cookbook.recipe import LANGUAGES, Cell, Problem, Recipe, headings, links
from cookbook.scopes import python_of
from cookbook.words import say

MAX_CODE_LINES = 220  # formatted, without blank lines; aim for 180
MAX_COLUMNS = 80
IMPORT = re.compile(r"\bimport\b")
# What Colab has, beside the standard library: a recipe may import it without naming it in `requires`.
PREINSTALLED = {
    "IPython", "PIL", "joblib", "matplotlib", "numpy", "pandas", "scipy", "skimage", "sklearn", "torch", "torchvision",
    "tqdm", "yaml",
}  # fmt: skip


def problems(recipe: Recipe, bank: questions.Bank, root: Path) -> list[Problem]:
    """All broken rules of one source, in the order of its lines."""
    found = [
        *header_problems(recipe),
        *skip_problems(recipe),
        *topic_problems(recipe, bank),
        *neighbour_problems(recipe, bank),
        *moved_problems(recipe),
        *reads_problems(recipe, root),
        *prose_problems(recipe),
        *code_problems(recipe, root),
        *requirement_problems(recipe, root),
        *claim_problems(recipe),
    ]
    return sorted(found, key=lambda problem: problem.line)


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = yaml.safe_load((resources.files("cookbook") / "header.schema.yml").read_text("utf-8"))
    return schema


def header_problems(recipe: Recipe) -> list[Problem]:
    """Rules that the header breaks: types, lengths, closed lists, what is missing."""
    schema = _schema()
    found = []
    for error in jsonschema.Draft202012Validator(schema).iter_errors(recipe.header):
        where = tuple(error.absolute_path)
        while where and where not in recipe.header_lines:
            where = where[:-1]
        name = ".".join(map(str, error.absolute_path)) or "recipe"
        mend = error.schema.get("mend", schema["mend"])
        text = f"header `{name}`: {error.message}; {mend}"
        found.append(Problem(recipe.path, recipe.header_lines.get(where, 1), text))
    return found


def reads_problems(recipe: Recipe, root: Path) -> list[Problem]:
    """Files that the header declares must be there."""
    names = recipe.header.get("reads")
    return [
        Problem(
            recipe.path, recipe.header_lines.get(("reads", index), 1), f"reads {name!r}, which is not there; add it"
        )
        for index, name in enumerate(names if isinstance(names, list) else [])
        if not (root / str(name)).is_file()
    ]


def skip_problems(recipe: Recipe) -> list[Problem]:
    """A recipe may be excused from an environment for a time, which ends on a date."""
    skip = recipe.header.get("skip")
    if not isinstance(skip, dict):
        return []
    line, until = recipe.header_lines.get(("skip",), 1), skip.get("until")
    if not isinstance(until, date):
        return [Problem(recipe.path, line, f"`skip` ends on {until!r}, which is no date; write it as in 2027-01-31")]
    if until <= datetime.now(UTC).date():
        text = f"`skip` ended on {until} (owner: {skip.get('owner')}); make the recipe run there, or decide anew"
        return [Problem(recipe.path, line, text)]
    return []


def topic_problems(recipe: Recipe, bank: questions.Bank) -> list[Problem]:
    """A source must lie at recipes/<chapter>/<topic>.py for a topic of the question bank."""
    topics = bank.topics_of(recipe.chapter)
    if topics is None:
        text = f"unknown chapter {recipe.chapter!r}; the chapters are {', '.join(bank.chapters)}"
    elif recipe.slug not in topics:
        text = f"unknown topic {recipe.slug!r} in chapter {recipe.chapter!r}"
        text += "; name the file as one of its topics, or add the topic to recipes/questions.yml"
    else:
        return []
    return [Problem(recipe.path, 1, text)]


def moved_problems(recipe: Recipe) -> list[Problem]:
    """An address that a recipe had before must not be one that a recipe has."""
    keys = recipe.header.get("moved_from")
    return [
        Problem(
            recipe.path,
            recipe.header_lines.get(("moved_from", index), 1),
            f"moved from {key!r}, where a recipe is today; name only addresses that are free",
        )
        for index, key in enumerate(keys if isinstance(keys, list) else [])
        if (recipe.path.parents[1] / f"{key}.py").exists()
    ]


def old_addresses_claimed_twice(recipes: list[Recipe]) -> list[Problem]:
    """An address that recipes had before leads to one of them."""
    found, owners = [], dict[str, Recipe]()
    for recipe in recipes:
        keys = recipe.header.get("moved_from")
        for index, key in enumerate(keys if isinstance(keys, list) else []):
            owner = owners.setdefault(str(key), recipe)
            if owner is not recipe:
                line = recipe.header_lines.get(("moved_from", index), 1)
                text = f"moved from {key!r}, as {owner.key} did; name the address in one of the two"
                found.append(Problem(recipe.path, line, text))
    return found


def neighbour_problems(recipe: Recipe, bank: questions.Bank) -> list[Problem]:
    """Recipes named in the header must be topics of the question bank; they need not be written yet."""
    known = {f"{topic['chapter']}/{slug}" for slug, topic in bank.topics.items()} - {recipe.key}
    keys = recipe.header.get("builds_on")
    return [
        Problem(
            recipe.path,
            recipe.header_lines.get(("builds_on", index), 1),
            f"builds on {key!r}, which is no other topic; write chapter/slug of one in recipes/questions.yml",
        )
        for index, key in enumerate(keys if isinstance(keys, list) else [])
        if key not in known
    ]


def prose_problems(recipe: Recipe) -> list[Problem]:
    """Both languages side by side: same headings, same links, title as in the header, no dead link."""
    found = []

    def problem(cell: Cell, text: str) -> None:
        found.append(Problem(recipe.path, cell.line, text))

    prose = [cell for cell in recipe.cells if cell.kind == "markdown"]
    if not prose:
        return [Problem(recipe.path, 1, "has no text; write the page in English and Chinese")]
    for cell, following in zip(recipe.cells, (*recipe.cells[1:], None), strict=True):
        if cell.kind != "markdown":
            continue
        if cell.lang not in LANGUAGES:
            problem(cell, 'a Markdown cell without language; write `# %% [markdown] lang="en"`')
        if re.search(r"^(?:- )?…+$", cell.source, re.MULTILINE):
            problem(cell, "the dots of the skeleton, …, are still there; write the text")
        if cell.lang != "en":
            continue
        if following is None or following.kind != "markdown" or following.lang != "zh":
            problem(cell, "this English cell has no Chinese one; write it directly below")
            continue
        levels = [[level for level, _ in headings(side.source)] for side in (cell, following)]
        if levels[0] != levels[1]:
            text = f"heading levels differ: {levels[0]} in English, {levels[1]} in Chinese"
            problem(following, f"{text}; give both the same headings")
        # Anchors are made from headings, so each language has its own.
        targets = [sorted(link.partition("#")[0] for link in links(side.source)) for side in (cell, following)]
        if targets[0] != targets[1]:
            problem(following, "links differ from the English cell; give both the same links")
        for target in links(cell.source):
            if re.match(r"https?://|#|mailto:", target):
                continue
            file = recipe.path.parent / target.partition("#")[0]
            is_source = file.suffix == ".py" and file.resolve().parents[1] == recipe.path.resolve().parents[1]
            if not is_source or not file.exists():
                problem(cell, f"links to {target!r}, which is no recipe; link to an existing .py")
    for previous, cell in zip((None, *recipe.cells), recipe.cells, strict=False):
        if cell.lang == "zh" and (previous is None or previous.lang != "en"):
            problem(cell, "this Chinese cell has no English one; write it directly above")
    for lang in LANGUAGES:
        cells = [cell for cell in prose if cell.lang == lang]
        titles = [text for cell in cells for level, text in headings(cell.source) if level == 1]
        expected = recipe.header.get("title", {})
        if not cells or not isinstance(expected, dict):
            continue
        first = cells[0].source.partition("\n")[0] if cells[0] in recipe.cells[:2] else ""
        if titles != [expected.get(lang)] or first != f"# {expected.get(lang)}":
            mend = "begin the first cell with `# ` and the header's title, and use `##` below"
            problem(cells[0], f"level-1 headings in {lang} are {titles}; {mend}")
        wanted = say("short_answer", lang)
        if not any(text == wanted for cell in cells for _, text in headings(cell.source)):
            problem(cells[0], f'has no section "{wanted}", which stands on pages and cards of its own; write it')
    return found


def code_problems(recipe: Recipe, root: Path) -> list[Problem]:
    """Rules for code: parses, declares what it imports, stays short, describes its figures, can be broken."""
    found = []
    tables = []
    for cell in recipe.code_cells:
        try:
            tables.append((cell, scopes.table_of(cell)))
        except SyntaxError as error:
            line = cell.line + (error.lineno or 1)
            found.append(Problem(recipe.path, line, f"{error.msg}; mend the Python"))
            continue
        # The tree of a whole recipe costs as much as all other rules: it is made only where something is imported.
        for node in ast.walk(ast.parse(python_of(cell))) if IMPORT.search(cell.source) else ():
            for name in _imported(node):
                if text := _import_problem(recipe, name, root):
                    line = cell.line + getattr(node, "lineno", 0)
                    found.append(Problem(recipe.path, line, text))
        for offset, code_line in enumerate(cell.source.split("\n"), 1):
            if len(code_line) > MAX_COLUMNS:
                text = f"{len(code_line)} columns of code; a page shows {MAX_COLUMNS}, so break the line"
                found.append(Problem(recipe.path, cell.line + offset, text))
        missing = [f'alt_{lang}="…"' for lang in LANGUAGES if not cell.metadata.get(f"alt_{lang}")]
        if "plt.show()" in cell.source and missing:
            text = f"a figure without alternative text; describe it: `# %% {' '.join(missing)}`"
            found.append(Problem(recipe.path, cell.line, text))
    if len(tables) == len(recipe.code_cells):
        found += scopes.scope_problems(recipe, tables)
    code = [line for cell in recipe.code_cells for line in cell.source.split("\n") if line.strip()]
    if len(code) > MAX_CODE_LINES:
        text = f"{len(code)} lines of code; the limit is {MAX_CODE_LINES}: cut it or make two recipes"
        found.append(Problem(recipe.path, 1, text))
    seeds = [line for line in code if re.fullmatch(r"SEED = \d+", line)]
    if len(seeds) != 1:
        text = f"{len(seeds)} lines `SEED = 0`; write exactly one, from which all chance derives"
        found.append(Problem(recipe.path, 1, text))
    breaks = recipe.header.get("breaks")
    for index, edit in enumerate(breaks if isinstance(breaks, list) else []):
        wanted = edit.get("find") if isinstance(edit, dict) else None
        matches = sum(cell.source.count(str(wanted)) for cell in recipe.code_cells)
        if wanted and matches != 1:
            text = f"break {edit.get('name')!r} matches {matches} times in the code; make it match once"
            found.append(Problem(recipe.path, recipe.header_lines.get(("breaks", index), 1), text))
    return found


def imported_modules(recipe: Recipe) -> set[str]:
    """Top-level names of the modules that the code imports."""
    trees = [ast.parse(python_of(cell)) for cell in recipe.code_cells]
    return {name for tree in trees for node in ast.walk(tree) for name in _imported(node)}


def _imported(node: ast.AST) -> Iterator[str]:
    """Top-level names that an import statement asks for; "." for a relative import."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." if node.level else (node.module or "").partition(".")[0]


def _import_problem(recipe: Recipe, name: str, root: Path) -> str | None:
    if name in sys.stdlib_module_names or name in PREINSTALLED:
        return None
    beside = (recipe.path.parent / f"{name}.py", root / name, root / f"{name}.py")
    if name in (".", "cookbook") or any(path.exists() for path in beside):
        return f"imports {name!r} from this repository; a recipe stands alone, so write it out"
    declared = {requirement_name(item).lower() for item in required(recipe)}
    if {name.lower(), name.lower().replace("_", "-")} & declared:
        return None
    if {dist.lower() for dist in metadata.packages_distributions().get(name, [])} & declared:
        return None
    return f"imports {name!r}, which Colab lacks and `requires` does not name; add it there, pinned"


def required(recipe: Recipe) -> list[str]:
    """Pinned requirements of the header, with and without dependencies."""
    items = recipe.header.get("requires")
    items = items if isinstance(items, list) else []
    texts = [item.get("name") if isinstance(item, dict) else item for item in items]
    return [text for text in texts if isinstance(text, str)]


def requirement_name(requirement: str) -> str:
    """`mlxtend` of `mlxtend==0.25.0`."""
    return requirement.partition("==")[0]


def requirement_problems(recipe: Recipe, root: Path) -> list[Problem]:
    """What a recipe requires must be what this repository installs, at the same version."""
    installed = {}
    for name in ("constraints.txt", "requirements-data.txt"):
        for line in (root / name).read_text("utf-8").splitlines():
            package, _, version = line.partition("#")[0].strip().partition("==")
            if version:
                installed[package.lower().replace("_", "-")] = (version, name)
    found = []
    for index, requirement in enumerate(required(recipe)):
        package, _, version = requirement.partition("==")
        has = installed.get(package.lower().replace("_", "-"))
        if has is None:
            text = f"requires {requirement}, which is not installed here"
            text += "; add it to pyproject.toml and constraints.txt, or to requirements-data.txt"
        elif has[0] != version:
            text = f"requires {requirement}, but {has[1]} has {has[0]}; name the same version"
        else:
            continue
        found.append(Problem(recipe.path, recipe.header_lines.get(("requires", index), 1), text))
    return found
