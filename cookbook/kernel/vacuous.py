"""Loaded by startup.py: assertions that hold for every value that the measured figures can have at all.

Only figures whose range their name in `results` tells are looked at: a share from 0 to 1, a percentage from 0 to 100.
"""

import ast
import copy
import itertools
import math
import re
from typing import Any

MAX_FIGURES = 6  # with three values each, 729 combinations
FUNCTIONS = {"abs", "min", "max", "len", "round", "sum", "all", "any", "isclose"}
METHODS = {"max", "min", "mean", "item", "all", "any"}
# Nothing else can appear in an assertion that is evaluated again: it must not do anything but compute.
PURE = (
    ast.Expression, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword, ast.Constant,
    ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.boolop, ast.operator, ast.unaryop,
    ast.cmpop, ast.expr_context,
)  # fmt: skip
SHARES = re.compile(r"accuracy|precision|recall|\bf1\b|share|\bauc\b|probability|fraction", re.IGNORECASE)
# Of such figures, these can leave the range: a gain in accuracy is a difference.
DERIVED = re.compile(r"gain|chang|differ|growth|relative|\b(?:gap|ratio|times|faster|more|less)\b", re.IGNORECASE)


def possible_range(name: str, value: float) -> tuple[float, float] | None:
    """Smallest and largest value that a figure of this name can have; None if the name does not tell."""
    high = 100.0 if "%" in name else 1.0
    told = high == 100 or SHARES.search(name)
    return (0.0, high) if told and 0 <= value <= high and not DERIVED.search(name) else None


def cannot_fail(source: str, namespace: dict[str, object]) -> list[tuple[int, str]]:
    """Line of each assertion of a cell that holds whatever was measured, and the figures in it, in words."""
    results, found = namespace.get("results"), []
    if not isinstance(results, dict):
        return []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assert):
            try:
                figures = _figures(node.test, results, namespace)
                if figures and _always_holds(node.test, figures, namespace):
                    told = (f"`{ast.unparse(each)}` ({low:g} to {high:g})" for each, low, high in figures.values())
                    found.append((node.lineno, " and ".join(told)))
            except Exception:
                continue  # what cannot be computed with such values is not judged
    return found


def _figures(
    test: ast.expr, results: dict[str, Any], namespace: dict[str, object]
) -> dict[str, tuple[ast.expr, float, float]] | None:
    """The figures of a test with their ranges; None if it holds anything else that is measured, or not pure."""
    if not all(isinstance(part, PURE) for part in ast.walk(test)):
        return None
    figures: dict[str, tuple[ast.expr, float, float]] = {}

    def is_judged(node: ast.expr) -> bool:
        """Whether a part consists of figures and constants only; collects the figures."""
        if isinstance(node, ast.Name) and node.id.isupper():
            return True
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) and ast.dump(node) not in figures:
            limits = _limits(node, results, namespace)
            if limits:
                figures[ast.dump(node)] = (node, *limits)
        if ast.dump(node) in figures:
            return True
        if isinstance(node, ast.Call):
            is_function = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
            inner = [*node.args, *(keyword.value for keyword in node.keywords)]
            if isinstance(node.func, ast.Attribute):
                if node.func.attr == "isclose":
                    is_function = True
                elif node.func.attr in METHODS:
                    is_function, inner = True, [*inner, node.func.value]
            return is_function and all(map(is_judged, inner))
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return False
        return all(is_judged(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))

    return figures if is_judged(test) and len(figures) <= MAX_FIGURES else None


def _limits(node: ast.expr, results: dict[str, Any], namespace: dict[str, object]) -> tuple[float, float] | None:
    """The range of an expression that is a figure of `results`, by its name there or by its value."""
    if isinstance(node, ast.Call) and not (
        isinstance(node.func, ast.Attribute) and node.func.attr in METHODS and not node.args and not node.keywords
    ):
        return None
    value = eval(compile(ast.Expression(node), "figure", "eval"), dict(namespace))  # pure: see PURE
    named = _key(node)
    names = [named] if named in results else [name for name in results if _is_the_figure(value, results[name])]
    ranges = [possible_range(str(name), float(results[name])) for name in names]
    if not ranges or None in ranges:
        return None
    return min(each[0] for each in ranges if each), max(each[1] for each in ranges if each)


def _key(node: ast.expr) -> object:
    """`"a"` of `results["a"]`."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "results":
        return node.slice.value if isinstance(node.slice, ast.Constant) else None
    return None


def _is_the_figure(value: Any, figure: Any) -> bool:
    """Whether a value is a figure, and not a whole number that equals it by chance and has another range."""
    if isinstance(value, float) and value is figure:
        return True
    try:
        number = float(value)
        return not number.is_integer() and math.isfinite(number) and number == float(figure)
    except (TypeError, ValueError):
        return False


def _always_holds(
    test: ast.expr, figures: dict[str, tuple[ast.expr, float, float]], namespace: dict[str, object]
) -> bool:
    """Whether a test holds for smallest, middle and largest value of each figure, in every combination."""
    names = {key: f"_figure{index}" for index, key in enumerate(figures)}

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            name = names.get(ast.dump(node))
            return ast.Name(name, ast.Load()) if name else self.generic_visit(node)

    replaced = ast.Expression(Replace().visit(copy.deepcopy(test)))
    code = compile(ast.fix_missing_locations(replaced), "assertion", "eval")
    values = [(low, (low + high) / 2, high) for _, low, high in figures.values()]
    return all(
        eval(code, dict(namespace) | dict(zip(names.values(), combination, strict=True)))
        for combination in itertools.product(*values)
    )
