"""What a recipe claims: `results`, a list of claims, and as many assertions that can fail."""

import ast
import builtins
import copy
import itertools
import re
from collections.abc import Iterator

from cookbook.measured import BULLET, number_problems
from cookbook.recipe import LANGUAGES, Problem, Recipe, claims_cell
from cookbook.scopes import python_of


def claim_problems(recipe: Recipe) -> list[Problem]:
    """`results`, then the claims in words, then as many assertions, each of which can fail; no numbers beside."""
    checks = [cell for cell in recipe.cells if cell.is_checks]
    if len(checks) != 1:
        mend = 'end the code with one cell `# %% tags=["checks"]`, one assert a claim'
        return [Problem(recipe.path, 1, f"has {len(checks)} checks cells; {mend}")]
    cell = checks[0]
    found = []
    before = [c for c in recipe.code_cells if c.line < cell.line]
    if not any(re.search(r"^results = ", c.source, re.MULTILINE) for c in before):
        mend = "assign the headline figures with their baselines: `results = {…}`"
        found.append(Problem(recipe.path, cell.line, f"no `results` before the checks; {mend}"))
    try:
        body = ast.parse(python_of(cell)).body
    except SyntaxError:
        return found
    asserts = [node for node in body if isinstance(node, ast.Assert)]
    if not asserts:
        text = "the checks cell asserts nothing; write one assert a claim"
        found.append(Problem(recipe.path, cell.line, text))
    for node, test in _with_aliases_replaced(body):
        if not _can_fail(test):
            text = f"`{ast.unparse(node)}` is a constant and cannot fail; assert something measured"
            found.append(Problem(recipe.path, cell.line + node.lineno, text))
    for lang in LANGUAGES:
        claims = claims_cell(recipe, lang)
        bullets = len(BULLET.findall(claims.source)) if claims else 0
        if bullets != len(asserts):
            text = f"{bullets} claims in {lang} above {len(asserts)} asserts"
            text += "; list the claims directly above the checks cell, one bullet an assert"
            found.append(Problem(recipe.path, claims.line if claims else cell.line, text))
    return [*found, *number_problems(recipe, cell, asserts)]


# ---- assertions that can fail

FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
SAME_HOLDS = (ast.Eq, ast.Is, ast.LtE, ast.GtE)
ALIKE = {"allclose", "array_equal", "equal", "isclose", "equals"}  # functions of two values that say whether they agree
PASSED_ON = {"all", "any", "bool", "item"}  # what these say of one value is what it says itself


def _with_aliases_replaced(body: list[ast.stmt]) -> Iterator[tuple[ast.Assert, ast.expr]]:
    """Each assertion with its test, in which a name that the cell gave to another name or constant is that again."""
    aliases: dict[str, ast.expr] = {}

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return aliases.get(node.id, node)

    for statement in body:
        if isinstance(statement, ast.Assert):
            yield statement, Replace().visit(copy.deepcopy(statement.test)) if aliases else statement.test
            continue
        value = Replace().visit(copy.deepcopy(statement.value)) if isinstance(statement, ast.Assign) else None
        stored = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and _is_stored(part)}
        for name, alias in list(aliases.items()):
            if name in stored or stored & _names(alias):
                del aliases[name]
        renames = isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Constant)
        if not renames:  # it may change what a list or an object holds
            aliases = {name: alias for name, alias in aliases.items() if isinstance(alias, ast.Name | ast.Constant)}
        if isinstance(statement, ast.Assign) and value is not None and renames:
            if not all(isinstance(target, ast.Name) for target in statement.targets):
                aliases.clear()
            targets = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            aliases.update((name, value) for name in targets if name not in _names(value))


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store | ast.Del)


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _can_fail(test: ast.expr) -> bool:
    """Whether an assertion looks at anything that was computed, and does not hold whatever that is."""
    if isinstance(test, ast.Tuple | ast.Lambda):
        return False
    if isinstance(test, ast.BoolOp):
        every = [_can_fail(value) for value in test.values]
        if isinstance(test.op, ast.And):
            return any(every)
        return all(every) and not any(_cover_all(*pair) for pair in itertools.combinations(test.values, 2))
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        opposite = _opposite(test.operand)
        if opposite is not None:
            return _can_fail(opposite)
    if isinstance(test, ast.Compare):
        sides = [test.left, *test.comparators]
        if not any(map(_comparison_can_fail, sides, test.ops, sides[1:])):
            return False
    if isinstance(test, ast.Call):
        name = getattr(test.func, "attr", getattr(test.func, "id", ""))
        owner = [test.func.value] if isinstance(test.func, ast.Attribute) else []
        if name in PASSED_ON and len(test.args) <= 1:
            (inner,) = test.args or owner or [test]
            if inner is not test and isinstance(inner, ast.Compare | ast.BoolOp | ast.UnaryOp):
                return _can_fail(inner)
        pair = (owner + test.args if len(test.args) == 1 else test.args)[:2]
        if name in ALIKE and len(pair) == 2 and _same(*pair):
            return False
    return bool(_names(test) - set(dir(builtins)))


def _comparison_can_fail(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool:
    """Whether one comparison can be false."""
    kind = type(operator)
    if isinstance(operator, ast.In) and isinstance(right, ast.List | ast.Tuple | ast.Set):
        return not any(_same(left, each) for each in right.elts)
    if _same(left, right):
        return kind not in SAME_HOLDS
    if kind in (ast.Lt, ast.LtE):
        left, right, kind = right, left, FLIPPED[kind]
    if kind is ast.GtE and (_is_extreme(left, "max", right) or _is_extreme(right, "min", left)):
        return False
    bound = _number(right)
    if bound is not None and _is_never_negative(left):
        return not ((bound < 0 and kind in (ast.Gt, ast.GtE, ast.NotEq)) or (bound == 0 and kind is ast.GtE))
    return bool((_names(left) | _names(right)) - set(dir(builtins)))


def _same(left: ast.expr, right: ast.expr) -> bool:
    return ast.dump(left) == ast.dump(right)


def _number(node: ast.expr) -> float | None:
    """The value of a number as it is written, with or without a sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _number(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return None


def _is_never_negative(node: ast.expr) -> bool:
    """Lengths, absolute values, squares."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("len", "abs", "fabs", "square"):
            return True
        inner = node.func.value if isinstance(node.func, ast.Attribute) else None
        return name in ("max", "min", "mean", "sum", "item") and inner is not None and _is_never_negative(inner)
    if isinstance(node, ast.BinOp):
        power = _number(node.right)
        squared = isinstance(node.op, ast.Pow) and power is not None and power % 2 == 0
        return squared or (isinstance(node.op, ast.Mult) and _same(node.left, node.right))
    return False


def _is_extreme(node: ast.expr, name: str, other: ast.expr) -> bool:
    """Whether this is `max(…, other, …)`, or `min`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name):
        return False
    return any(_same(each, other) for each in node.args)


def _opposite(test: ast.expr) -> ast.expr | None:
    """The test that holds just where this one fails, where that can be said of it."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return ast.Compare(test.left, [OPPOSITE[type(test.ops[0])]()], test.comparators)
    return None


def _cover_all(one: ast.expr, other: ast.expr) -> bool:
    """Whether one of two tests always holds: `x` or `not x`, `x > 1` or `x <= 1`, `x > 1` or `x < 2`."""
    for first, second in ((one, other), (other, one)):
        opposite = _opposite(first)
        if opposite is not None and _same(opposite, second):
            return True
    if not (isinstance(one, ast.Compare) and isinstance(other, ast.Compare) and len(one.ops) == len(other.ops) == 1):
        return False
    left, kind, right = one.left, type(one.ops[0]), one.comparators[0]
    for first, operator, last in (
        (other.left, type(other.ops[0]), other.comparators[0]),
        (other.comparators[0], FLIPPED.get(type(other.ops[0]), ast.In), other.left),
    ):
        if not _same(left, first):
            continue
        if _same(right, last):
            meets = {(ast.LtE, ast.GtE), (ast.GtE, ast.LtE)}
            return operator is OPPOSITE[kind] or (kind, operator) in meets
        ends = _number(right), _number(last)
        if ends[0] is not None and ends[1] is not None:
            if kind in (ast.Lt, ast.LtE) and operator in (ast.Gt, ast.GtE):
                return ends[1] < ends[0]
            if kind in (ast.Gt, ast.GtE) and operator in (ast.Lt, ast.LtE):
                return ends[0] < ends[1]
    return False
