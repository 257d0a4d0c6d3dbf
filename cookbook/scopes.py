"""Names in a recipe's code: what a function takes from outside of its arguments, and what no cell defines."""

import ast
import builtins
import re
import symtable
from collections.abc import Iterator

from cookbook.recipe import Cell, Problem, Recipe

# Beside the builtins, what every notebook has without an import, here and on Colab.
KNOWN = {*dir(builtins), "__name__", "__doc__", "__file__", "display", "get_ipython"}
SHARED = {"device"}  # a setting of the machine, written small by custom
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}
NAMED_LAMBDA = re.compile(r"(\w+)(?: *:[^=]*)? *= *lambda\b")


def python_of(cell: Cell) -> str:
    """A code cell as plain Python: magics and shell lines are blanked, line numbers kept."""
    lines = cell.source.split("\n")
    if lines and lines[0].startswith("%%"):
        return ""
    return "\n".join("" if line.startswith(("%", "!")) else line for line in lines)


def table_of(cell: Cell) -> symtable.SymbolTable:
    """The compiler's table of a cell's symbols.

    Raises:
        SyntaxError: the cell is no Python.
    """
    return symtable.symtable(python_of(cell), "cell", "exec")


def scope_problems(recipe: Recipe, cells: list[tuple[Cell, symtable.SymbolTable]]) -> list[Problem]:
    """Functions that read what they should be given, and names that no cell defines; `cells` in their order."""
    if any(re.search(r"^from .+ import \*", cell.source, re.MULTILINE) for cell, _ in cells):
        return []
    return [*_hidden_globals(recipe, cells), *_undefined_names(recipe, cells)]


def _hidden_globals(recipe: Recipe, cells: list[tuple[Cell, symtable.SymbolTable]]) -> list[Problem]:
    """A function may read the module's imports, functions, classes and constants; the rest it takes as arguments.

    One that reads `model` wherever that was last assigned works in one notebook and misleads in the next.
    """
    changing, scopes = set(), []
    fixed = KNOWN | SHARED
    for cell, table in cells:
        lines = cell.source.split("\n")
        for name, scope in _named_scopes(table, lines):
            if scope.get_name() == "lambda":
                fixed.add(name)
            scopes.append((cell, name, scope))
        for symbol in table.get_symbols():
            if symbol.is_imported() or symbol.is_namespace():
                fixed.add(symbol.get_name())
            elif symbol.is_assigned():
                changing.add(symbol.get_name())
    found = []
    for cell, function, scope in scopes:
        read = {name for part, _ in _within(scope) for name in _globals_of(part)}
        taken = [f"`{name}`" for name in sorted(read & changing - fixed) if not name.isupper()]
        if taken:
            text = f"{function}() reads {' and '.join(taken)} from outside; hand over as argument what is no constant"
            found.append(Problem(recipe.path, cell.line + scope.get_lineno(), text))
    return found


def _named_scopes(table: symtable.SymbolTable, lines: list[str]) -> Iterator[tuple[str, symtable.SymbolTable]]:
    """Functions, methods and lambdas with a name; what they define within them belongs to them."""
    for child in table.get_children():
        name = child.get_name()
        if str(child.get_type()) != "function":
            yield from _named_scopes(child, lines)
        elif name == "lambda":
            if match := NAMED_LAMBDA.match(lines[child.get_lineno() - 1]):
                yield match[1], child
        elif name not in COMPREHENSIONS:
            yield name, child


def _undefined_names(recipe: Recipe, cells: list[tuple[Cell, symtable.SymbolTable]]) -> list[Problem]:
    """Names that neither their cell nor one above defines; in a function, which is called later, none at all.

    Such a recipe passes only where somebody else has put the name there: a kernel that is not fresh, or a test.
    """
    bound = [_bound_by(table) for _, table in cells]
    everywhere = KNOWN.union(*bound)
    above, found = set(KNOWN), []
    for (cell, table), here in zip(cells, bound, strict=True):
        above |= here
        missing = set()
        for scope, at_once in _within(table):
            missing |= _globals_of(scope) - (above if at_once else everywhere)
        if cell.is_checks:
            missing.discard("results")  # which claim_problems() names
        for name in sorted(missing):
            nodes = ast.walk(ast.parse(python_of(cell)))
            uses = (node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == name)
            text = f"no cell above defines `{name}`; import or assign it before it is used"
            found.append(Problem(recipe.path, cell.line + min(uses, default=0), text))
        above |= missing  # named once
    return found


def _bound_by(table: symtable.SymbolTable) -> set[str]:
    """Names of the module that a cell defines, also by `global` in a function."""
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    for scope, _ in _within(table):
        names |= {s.get_name() for s in scope.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return names


def _within(table: symtable.SymbolTable, at_once: bool = True) -> Iterator[tuple[symtable.SymbolTable, bool]]:
    """A scope and all in it, each with whether it runs where it stands: the body of a function runs when called."""
    yield table, at_once
    for child in table.get_children():
        later = str(child.get_type()) == "function" and child.get_name() not in COMPREHENSIONS
        yield from _within(child, at_once and not later)


def _globals_of(scope: symtable.SymbolTable) -> set[str]:
    """Names of the module that one scope reads."""
    return {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global() and symbol.is_referenced()}
