"""Measured numbers in the text, found by their pattern: each must be a bound that a check on the page asserts."""

import ast
import re
from collections.abc import Iterator

from cookbook.recipe import CODE, LANGUAGES, Cell, Problem, Recipe, claims_cell

BULLET = re.compile(r"^- ", re.MULTILINE)
DIGITS = r"(?<![A-Za-z0-9_.,/])(?>\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
UNIT = r"(?:%|％|percent\b|(?:percentage )?points?\b|个?百分点|times\b|(?<=\d)[x×](?!\s*[\d(]|[A-Za-z])|倍)"
MEASURED = re.compile(
    rf"(?:(?P<low>{DIGITS})\s*(?:%|％)?\s*(?:to|and|or|[-–~～]|到|至|和|或|与)\s*[-−+]?)?(?P<high>{DIGITS})\s*{UNIT}"
    r"|百分之(?!百)(?P<hundredths>\d+(?:\.\d+)?|[零一二三四五六七八九十百点]+)"
    r"|(?P<score>(?<![A-Za-z0-9_.,/])0?\.\d+)(?![\d.]*\.\d)"
)
# A glance that finds whatever MEASURED finds: most cells have nothing, and this tells it ten times as fast.
GLANCE = re.compile(rf"[\d.百](?:(?<=\d)\s*{UNIT}|(?<=\.)\d|(?<=百)分之)")
# In the list of claims every bound counts, whatever its unit, and every decimal.
BEFORE = (
    r"(?:(?:more|less|fewer|greater|larger|smaller|higher|lower) than|at (?:least|most)|above|below|over|under|within"
    r"|up to|between|至少|至多|最多|超过|高于|低于|大于|小于|不到|不足|不低于|不超过|不小于|不大于|高出|降到)\s*[-−+]?"
)
BOUND = re.compile(
    rf"{BEFORE}(?P<bound>{DIGITS})(?!\s*×\s*\d|[A-Za-z^])|(?P<after>{DIGITS})\s*(?:以上|以下|以内)"
    rf"|(?P<score>(?=\d*\.\d){DIGITS})(?!\.?\d)",
    re.IGNORECASE,
)
NOT_PROSE = re.compile(rf"{CODE.pattern}|\$\$.+?\$\$|\$[^$\n]+\$|\]\([^)]*\)|https?://\S+", re.MULTILINE | re.DOTALL)
# "A 95 % interval" is the name of a method.
INTERVAL = re.compile(r"[\s的-]*(?:\w+ )?(?:intervals?|confidence|置信|区间|分位)")
SOURCE = re.compile(r"\]\(https?://|\[\d+\]|[(（][^()（）]*\b(?:19|20)\d\d[^()（）]*[)）]|arXiv:")
SENTENCE_END = re.compile(r"[.!?…:;](?=\s)|[。！？；]|\n\s*\n|\n(?=- )")
SECTION = re.compile(r"^## +(.+?) *$", re.MULTILINE)
REFERENCES, QUESTION, EXERCISES = {"References", "参考文献"}, {"The question", "问题"}, {"Exercises", "练习"}
TEXTS = re.compile(r'"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#.*')
CODE_NUMBER = re.compile(r"(?<![\w.])(?:\d[\d_]*\.?\d*|\.\d+)(?:e-?\d+)?(?!\w)")
CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")}


def number_problems(recipe: Recipe, checks: Cell, asserts: list[ast.Assert]) -> Iterator[Problem]:
    """Measured numbers that no check asserts, and claims whose number their own assertion does not hold.

    A setting, which stands in the code as well, and a number of the header's description are no measurement; neither
    is one whose sentence names its source.
    """
    settings = _as_settings(_code_numbers(*(cell.source for cell in recipe.code_cells if not cell.is_checks)))
    allowed = _as_bounds(_code_numbers(checks.source)) | settings
    for lang in LANGUAGES:
        claims, section = claims_cell(recipe, lang), ""
        known = allowed | _described(recipe, lang)
        for cell in recipe.cells:
            if cell.kind != "markdown" or cell.lang != lang:
                continue
            headings = list(SECTION.finditer(cell.source))
            if cell is not claims and GLANCE.search(cell.source):
                plain = _prose(cell.source)
                for match in MEASURED.finditer(plain):
                    above = [heading[1] for heading in headings if heading.start() < match.start()]
                    if _is_exempt(above[-1] if above else section, match, cell.source, plain):
                        continue
                    if not known.issuperset(_values(match).values()):
                        mend = "assert it as a bound, name its source, or leave it to the outputs"
                        yield _problem(recipe, cell, match, f"states {_shown(match)}, which no check asserts; {mend}")
            section = headings[-1][1] if headings else section
    yield from _claim_number_problems(recipe, checks, asserts, settings)


def _claim_number_problems(
    recipe: Recipe, checks: Cell, asserts: list[ast.Assert], settings: set[float]
) -> Iterator[Problem]:
    """Claims that state a number which the assertion at the same place in the list does not hold."""
    named = _named_constants(recipe)
    lines = checks.source.split("\n")
    ends = [node.end_lineno or 0 for node in asserts]
    held = []
    for first, last in zip([0, *ends], ends, strict=False):
        code = "\n".join(lines[first:last])  # the assertion and the statements above it
        constants = {named[name] for name in set(re.findall(r"\b[A-Z][A-Z\d_]*\b", code)) & named.keys()}
        held.append(_as_bounds(_code_numbers(code) | constants))
    for lang in LANGUAGES:
        claims = claims_cell(recipe, lang)
        plain = _prose(claims.source) if claims else ""
        starts = [match.start() for match in BULLET.finditer(plain)]
        if claims is None or len(starts) != len(asserts):
            continue  # which claim_problems() names
        for start, end, node, bounds in zip(starts, [*starts[1:], len(plain)], asserts, held, strict=True):
            for match in _claimed(plain, start, end):
                # A decimal without unit or bound, such as a rate, may be a setting.
                allowed = bounds | settings if match.re is BOUND and match["score"] else bounds
                if not allowed.issuperset(_values(match).values()):
                    code = ast.unparse(node)
                    code = code if len(code) <= 60 else f"{code[:59]}…"
                    text = f"claims {_shown(match)}, which `{code}` does not hold; give both the same bound"
                    yield _problem(recipe, claims, match, text)
                    break  # one sentence a claim


def _claimed(plain: str, start: int, end: int) -> list[re.Match[str]]:
    """Numbers of one claim: measured ones, bounds and decimals, in their order."""
    found = [match for match in MEASURED.finditer(plain, start, end) if not match["score"]]
    found = [match for match in found if not INTERVAL.match(plain, match.end())]
    return sorted([*found, *BOUND.finditer(plain, start, end)], key=lambda match: match.start())


def _problem(recipe: Recipe, cell: Cell, match: re.Match[str], text: str) -> Problem:
    return Problem(recipe.path, cell.line + 1 + cell.source.count("\n", 0, match.start()), text)


def _shown(match: re.Match[str]) -> str:
    return f"“{' '.join(match[0].split())}”"


def _prose(markdown: str) -> str:
    """The text without code, mathematics and addresses, every letter and line at its place."""
    return NOT_PROSE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), markdown)


def _is_exempt(section: str, match: re.Match[str], source: str, plain: str) -> bool:
    """What is no figure of this page: asked, cited, proposed, or the name of an interval."""
    if section in REFERENCES or INTERVAL.match(plain, match.end()):
        return True
    line = source[source.rfind("\n", 0, match.start()) + 1 :]
    if (section in QUESTION and line.startswith(">")) or (section in EXERCISES and match["score"]):
        return True
    ends = [end.end() for end in SENTENCE_END.finditer(plain, 0, match.start())]
    after = SENTENCE_END.search(plain, match.end())
    return bool(SOURCE.search(source, ends[-1] if ends else 0, after.end() if after else len(source)))


def _described(recipe: Recipe, lang: str) -> set[float]:
    """Numbers of the header's description."""
    texts = recipe.header.get("description")
    text = str(texts.get(lang, "")) if isinstance(texts, dict) else ""
    return {_value(number) for number in re.findall(DIGITS, text)}


def _values(match: re.Match[str]) -> dict[str, float]:
    """The numbers of a match by the name of their group."""
    return {name: _value(text) for name, text in match.groupdict().items() if text is not None}


def _value(text: str) -> float:
    """A number as it is written: `1,000`, `5 000`, `.65`, `九十五`."""
    if text[0] in ".0123456789":
        return _rounded(float(re.sub("[, ]", "", text)))
    whole, _, fraction = text.partition("点")
    hundreds, hundred, rest = whole.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    value = 100 * CHINESE_DIGITS.get(hundreds, 1) if hundred else 0
    value += (10 * CHINESE_DIGITS.get(tens, 1) if ten else 0) + CHINESE_DIGITS.get(ones, 0)
    return float(f"{value}." + "".join(str(CHINESE_DIGITS.get(digit, 0)) for digit in fraction or "零"))


def _as_bounds(asserted: set[float]) -> set[float]:
    """How a text may state the numbers of checks: as they are, as percent, as the rest, as so many times."""
    forms = {form for n in asserted for form in (n, 100 * n, n / 100)}
    forms |= {form for n in asserted if 0 < n < 2 for form in (1 - n, 100 - 100 * n)}
    forms |= {100 - n for n in asserted if 1 <= n < 100}
    forms |= {form for n in asserted if n >= 2 for form in (1 / n, 100 / n, 1 - 1 / n, 100 - 100 / n)}
    return set(map(_rounded, forms))


def _as_settings(numbers: set[float]) -> set[float]:
    """How a text may state the numbers of other code: as they are or as percent; 0.025 at each end leave 95 %."""
    return {_rounded(form) for n in numbers for form in (n, 100 * n, n / 100, 100 - 200 * n)}


def _rounded(number: float) -> float:
    """Without sign, and without what binary arithmetic adds."""
    return round(abs(number), 9)


def _code_numbers(*sources: str) -> set[float]:
    """Numbers in code, outside of texts and comments; by pattern, in a tenth of the time that syntax trees take."""
    code = TEXTS.sub("", "\n".join(sources))
    return {float(number) for number in set(CODE_NUMBER.findall(code))}


def _named_constants(recipe: Recipe) -> dict[str, float]:
    """Numbers of lines like `TEST_SIZE = 1_000`."""
    line = re.compile(r"^([A-Z][A-Z\d_]*) *= *([\d_.]+(?:e-?\d+)?) *(?:#.*)?$", re.MULTILINE)
    return {name: float(value) for cell in recipe.code_cells for name, value in line.findall(cell.source)}
