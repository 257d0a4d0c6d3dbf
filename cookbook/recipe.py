"""A recipe's source: read it, and name every way in which it breaks the contract.

A source is a jupytext percent script (see CONTRIBUTING.md). Code cells stand once; every Markdown cell stands twice,
`lang="en"` and then `lang="zh"`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

LANGUAGES = ("en", "zh")
HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)
MARKER = re.compile(r"# %%(?: (?P<kind>\[(?:markdown|md)\]))?(?P<options>(?: .*)?)$")
OPTION = re.compile(r'([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^\s"\[]+)')
MAX_DEPTH = 8  # of a header's nodes
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,}).*?^[ \t]*(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"{FENCE.pattern}|(?P<ticks>`+).+?(?P=ticks)", re.MULTILINE | re.DOTALL)
# Lines that jupytext reads otherwise than this module: text that is no comment, an indented marker.
STRAY = {"markdown": re.compile(r"[^#\s]"), "code": re.compile(r"\s+# %%(\s|$)")}


class Problem(NamedTuple):
    """One broken rule: where, what, and how to mend it, in one sentence."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class RecipeError(Exception):
    """A source that breaks the contract; `problems` says where and how."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Cell:
    """One cell; `line` is the line of its `# %%` marker."""

    kind: str  # "code" or "markdown"
    source: str
    line: int
    metadata: dict[str, Any]

    @property
    def lang(self) -> str | None:
        return self.metadata.get("lang")

    @property
    def is_checks(self) -> bool:
        return "checks" in self.metadata.get("tags", [])


@dataclass(frozen=True)
class Recipe:
    """One source file. `header` is its `recipe:` block, `header_lines` the line of each of its keys."""

    path: Path
    header: dict[str, Any]
    header_lines: dict[tuple[str | int, ...], int]
    cells: tuple[Cell, ...]

    @property
    def chapter(self) -> str:
        return self.path.parent.name

    @property
    def slug(self) -> str:
        return self.path.stem

    @property
    def key(self) -> str:
        """Chapter and slug, the name of everything made from this recipe: `models/cnn-digits`."""
        return f"{self.chapter}/{self.slug}"

    @property
    def code_cells(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == "code"]


def find_sources(root: Path, slugs: list[str] | None = None) -> list[Path]:
    """All recipe sources below `root`, or those named by slug or chapter/slug.

    Raises:
        RecipeError: a name that no source has.
    """
    sources = sorted((root / "recipes").glob("*/*.py"))
    if not slugs:
        return sources
    chosen = []
    for slug in slugs:
        name = slug.removesuffix(".py").removeprefix("recipes/")
        found = [path for path in sources if name in (path.stem, f"{path.parent.name}/{path.stem}")]
        if not found:
            text = f"there is no recipe {slug!r}; `cookbook new CHAPTER/SLUG` starts one"
            raise RecipeError(Problem(root / "recipes", 1, text))
        chosen += found
    return list(dict.fromkeys(chosen))


def read(path: Path) -> Recipe:
    """Read one source.

    Raises:
        RecipeError: not UTF-8, a broken header, or text outside of cells.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(Problem(path, 1, f"is not UTF-8 (byte {error.start}); save it as UTF-8")) from None
    header, header_lines, end = _read_header(path, text)
    return Recipe(path, header, header_lines, _read_cells(path, text.split("\n"), end))


def _read_cells(path: Path, lines: list[str], start: int) -> tuple[Cell, ...]:
    """Cells below the header, as jupytext reads them (a test compares), in a twentieth of its time.

    jupytext validates each cell as a notebook of its own, seconds for 72 sources, and keeps no line numbers.
    """
    markers = [n for n in range(start, len(lines)) if MARKER.match(lines[n])]
    stray = next((n for n in range(start, markers[0] if markers else len(lines)) if lines[n].strip()), None)
    if stray is not None or not markers:
        mend = "begin every cell with a line `# %%` and keep nothing between header and first cell"
        raise RecipeError(Problem(path, (stray or start) + 1, f"text outside of a cell; {mend}"))
    cells = []
    for marker, following in zip(markers, [*markers[1:], len(lines)], strict=True):
        match = MARKER.match(lines[marker])
        kind = "markdown" if match and match["kind"] else "code"
        body = "\n".join(lines[marker + 1 : following]).strip("\n").split("\n")
        stray = next((n for n in range(marker + 1, following) if STRAY[kind].match(lines[n])), None)
        if stray is not None:
            mend = "begin every line of text with `# `, and no line of code with `# %%`"
            raise RecipeError(Problem(path, stray + 1, f"jupytext would read this line otherwise; {mend}"))
        if kind == "markdown":
            body = [re.sub(r"^# ?", "", line) for line in body]
        else:
            body = [line[2:] if re.match(r"# (%%?|!)\w", line) else line for line in body]
        try:
            options: dict[str, Any] = {
                name: json.loads(value) for name, value in OPTION.findall(match["options"] if match else "")
            }
            tags = options.get("tags", [])
            if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
                raise ValueError(tags)
        except ValueError:
            mend = 'write options as in tags=["checks"] or alt_en="…"'
            raise RecipeError(Problem(path, marker + 1, f"cannot read the cell's options; {mend}")) from None
        cells.append(Cell(kind, "\n".join(body), marker + 1, options))
    return tuple(cells)


def _read_header(path: Path, text: str) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int], int]:
    """The `recipe:` block, the line in the file of each of its nodes, and the number of lines of the header."""
    lines = text.split("\n")
    ends = [n for n, line in enumerate(lines) if line.rstrip() == "# ---"][:2]
    if len(ends) < 2 or ends[0] != 0:
        mend = "begin the file with a YAML header between two lines `# ---`; see CONTRIBUTING.md"
        raise RecipeError(Problem(path, 1, f"has no header; {mend}"))
    block = "\n".join(line[2:] for line in lines[1 : ends[1]])
    try:
        loader = LOADER(block)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = (mark.line if mark else block.count("\n", 0, getattr(error, "position", 0) or 0)) + 2
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        mend = "quote texts that hold a colon, and indent with spaces"
        raise RecipeError(Problem(path, line, f"the YAML header is broken: {reason}; {mend}")) from None
    jupyter = data.get("jupyter") if isinstance(data, dict) else None
    header = jupyter.get("recipe") if isinstance(jupyter, dict) else None
    if not isinstance(header, dict):
        mend = "put `recipe:` below `jupyter:`; see CONTRIBUTING.md"
        raise RecipeError(Problem(path, 1, f"the header has no `recipe:` block; {mend}"))
    positions: dict[tuple[str | int, ...], int] = {}

    def collect(node: yaml.Node, where: tuple[str | int, ...]) -> None:
        positions[where] = node.start_mark.line + 2
        if len(where) > MAX_DEPTH:  # an alias may point at its own ancestor
            return
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                collect(value, (*where, key.value))
        if isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                collect(value, (*where, index))

    if node is not None:
        collect(node, ())
    depth = len(("jupyter", "recipe"))
    inside = {key[depth:]: n for key, n in positions.items() if key[:depth] == ("jupyter", "recipe")}
    return header, inside, ends[1] + 1


def headings(markdown: str) -> list[tuple[int, str]]:
    """Level and text of every heading outside of code fences."""
    return [(len(marks), text.strip()) for marks, text in HEADING.findall(FENCE.sub("", markdown))]


def links(markdown: str) -> list[str]:
    """Targets of inline links, in order."""
    return re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?: [^)]*)?\)", CODE.sub("", markdown))


def claims_cell(recipe: Recipe, lang: str) -> Cell | None:
    """The list of claims in `lang`, which stands directly above the checks cell."""
    for index, cell in enumerate(recipe.cells):
        if cell.is_checks:
            above = recipe.cells[max(0, index - 2) : index]
            return next((c for c in above if c.kind == "markdown" and c.lang == lang), None)
    return None
