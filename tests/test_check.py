"""Bad input that needs no execution: one sentence with file, line and mend, and nothing is written."""

import re
from collections.abc import Callable
from pathlib import Path

import planted
import pytest

from cookbook import check, questions, recipe

# What is done to the planted repository, the text on the line that must be named (None: line 1), what is said.
Case = tuple[Callable[[Path], None], str | None, str]
PROBLEM = re.compile(r"(?P<path>[^:]+):(?P<line>\d+): (?P<text>.+; .+)")


def source_edit(find: str, replace: str) -> Callable[[Path], None]:
    return lambda root: planted.edit(root / planted.SOURCE, find, replace)


def header_edit(find: str, replace: str) -> Callable[[Path], None]:
    return source_edit(f"#     {find}", f"#     {replace}" if replace else "#")


def in_turn(*edits: Callable[[Path], None]) -> Callable[[Path], None]:
    def every(root: Path) -> None:
        for one in edits:
            one(root)

    return every


def moved(target: str) -> Callable[[Path], None]:
    def move(root: Path) -> None:
        path = root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        (root / planted.SOURCE).rename(path)

    return move


def code_of(lines: int) -> Callable[[Path], None]:
    """Fill up the code until it has exactly so many lines that are not blank."""

    def grow(root: Path) -> None:
        there = sum(
            bool(line.strip())
            for cell in recipe.read(root / planted.SOURCE).code_cells
            for line in cell.source.splitlines()
        )
        extra = "".join(f"x{number} = {number}\n\n" for number in range(lines - there))
        planted.edit(root / planted.SOURCE, "SEED = 0\n", f"SEED = 0\n{extra}")

    return grow


CLAIM_CELL = """# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 和是六。
# - 最大的是三。

"""
ZH_SHORT = '# %% [markdown] lang="zh"\n# ## 简短回答'
EN_DATA = '# %% [markdown] lang="en"\n# ## Data'
ZH_DATA = '# %% [markdown] lang="zh"\n# ## 数据\n'
FIGURE = '# %% alt_en="Three points, the first the highest." alt_zh="三个点，第一个最高。"'
IMPORT = "import json\n"

# The cases of bad input that the project promises to refuse, as far as they need no execution.
BAD_INPUT: dict[str, Case] = {
    "broken YAML header": (
        header_edit("level: beginner", "level: for: beginners"),
        "level: for",
        "YAML header is broken",
    ),
    "unknown chapter": (moved("recipes/nowhere/sums.py"), None, "unknown chapter 'nowhere'"),
    "unknown topic": (
        lambda root: planted.edit(root / planted.BANK, "slug: sums", "slug: sum"),
        None,
        "unknown topic 'sums'",
    ),
    "unknown tag": (header_edit("tags: [data]", "tags: [data, cookery]"), "tags: [", "'cookery'"),
    "missing Chinese cell": (source_edit(ZH_DATA, ""), EN_DATA.splitlines()[1], "no Chinese one"),
    "heading levels that differ": (source_edit("# ## 数据\n", "# ### 数据\n"), "# ### 数据", "heading levels differ"),
    "no short answer": (
        source_edit("# ## Short answer\n", "# ## An answer\n"),
        '# %% [markdown] lang="en"',
        'no section "Short answer"',
    ),
    "an older address that is in use": (
        header_edit("level: beginner", "level: beginner\n#     moved_from: [demo/sums]"),
        "moved_from",
        "where a recipe is today",
    ),
    "a recipe that builds on itself": (
        header_edit("level: beginner", "level: beginner\n#     builds_on: [demo/sums]"),
        "builds_on",
        "no other topic",
    ),
    "markup in a title": (
        in_turn(
            source_edit('title: {en: "', 'title: {en: "*'),
            source_edit('# %% [markdown] lang="en"\n# # ', '# %% [markdown] lang="en"\n# # *'),
        ),
        "title:",
        "without markup",
    ),
    "no results": (source_edit("results = {", "figures = {"), 'tags=["checks"]', "no `results`"),
    "no checks": (source_edit('# %% tags=["checks"]', "# %%"), None, "0 checks cells"),
    "an assert that is a constant": (
        source_edit("assert total == 6", "assert 6 == 6"),
        "assert 6 == 6",
        "is a constant",
    ),
    "import of our package": (
        source_edit(IMPORT, IMPORT + "\nfrom cookbook import site\n"),
        "from cookbook",
        "'cookbook'",
    ),
    "import of a repository file": (
        in_turn(source_edit(IMPORT, IMPORT + "\nimport helpers\n"), lambda root: (root / "helpers.py").touch()),
        "import helpers",
        "'helpers' from this repository",
    ),
    "a dependency that is not declared": (
        source_edit(IMPORT, IMPORT + "\nimport nbclient\n"),
        "import nbclient",
        "`requires` does not name",
    ),
    "a link to a recipe that does not exist": (
        in_turn(
            source_edit("[the data](sums.py)", "[the data](gone.py)"), source_edit("[数据](sums.py)", "[数据](gone.py)")
        ),
        "## Short answer",
        "'gone.py'",
    ),
    "a figure without alternative text": (source_edit(FIGURE, "# %%"), "plt.figure", "without alternative text"),
    "a figure described in one language": (source_edit(FIGURE, '# %% alt_en="Three."'), 'alt_en="Three."', "alt_zh="),
    "more code lines than the limit": (
        code_of(check.MAX_CODE_LINES + 1),
        None,
        f"{check.MAX_CODE_LINES + 1} lines of code; the limit is {check.MAX_CODE_LINES}",
    ),
}
# A bank that contradicts itself is refused in the same way.
BAD_BANK: dict[str, Case] = {
    "a question id that two topics claim": (
        lambda root: planted.edit(
            root / planted.BANK, "          - d0-q02\n", "          - d0-q02\n          - d1-q01\n"
        ),
        None,
        "'d1-q01' is claimed by 'sums' and 'products'",
    ),
}
# Lines that stand above the one that the case names: a cell is named by its marker.
MARKER_ABOVE = {
    "missing Chinese cell",
    "heading levels that differ",
    "a link to a recipe that does not exist",
    "a figure without alternative text",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return planted.plant(tmp_path)


def expected_line(path: Path, case: str, needle: str | None) -> int:
    if needle is None:
        return 1
    return planted.line_of(path, needle) - (case in MARKER_ABOVE)


def only_source(root: Path) -> Path:
    return next(path for path in sorted((root / "recipes").glob("*/*.py")) if path.read_bytes())


def problems(root: Path, path: Path | None = None) -> list[recipe.Problem]:
    source = recipe.read(path or root / planted.SOURCE)
    return check.problems(source, questions.read(root), root)


def test_the_planted_recipe_keeps_the_contract(root: Path) -> None:
    assert problems(root) == []
    done = planted.cookbook(root, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 recipes and 4 questions keep the contract\n"


@pytest.mark.parametrize("case", BAD_INPUT | BAD_BANK)
def test_bad_input_is_refused_in_one_sentence_and_writes_nothing(root: Path, case: str) -> None:
    change, needle, says = (BAD_INPUT | BAD_BANK)[case]
    before = planted.made(root)
    change(root)
    path = only_source(root).relative_to(root)
    line = expected_line(root / path, case, needle)
    if case in BAD_BANK:
        path = planted.BANK
        line = [n for n, text in enumerate((root / path).read_text("utf-8").splitlines(), 1) if "- d1-q01" in text][1]
    for arguments in (["check"], ["run"]):
        done = planted.cookbook(root, *arguments)
        assert done.returncode == 1
        assert done.stdout == ""
        (sentence,) = done.stderr.splitlines()
        named = PROBLEM.fullmatch(sentence)
        assert named, sentence
        assert (named["path"], int(named["line"])) == (path.as_posix(), line)
        assert says in named["text"]
    assert planted.made(root) == before


@pytest.mark.parametrize("case", ["broken YAML header", "missing Chinese cell", "a question id that two topics claim"])
@pytest.mark.parametrize("arguments", [["sync"], ["sync", "--check"], ["pages", "--markdown", "out"]])
def test_bad_input_reaches_no_notebook_and_no_page(root: Path, case: str, arguments: list[str]) -> None:
    change, _, says = (BAD_INPUT | BAD_BANK)[case]
    assert planted.cookbook(root, "sync").returncode == 0
    before = planted.made(root)
    change(root)
    done = planted.cookbook(root, *arguments)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert PROBLEM.fullmatch(sentence) and says in sentence
    assert planted.made(root) == before
    assert not (root / "out").exists()


def test_every_broken_rule_of_every_recipe_is_named_at_once(root: Path) -> None:
    # An author who mends one problem must not meet the next only then.
    second = root / "recipes" / "demo" / "products.py"
    second.write_text("x = 1\n")
    header_edit("level: beginner", "level: hard")(root)
    source_edit(ZH_DATA, "")(root)
    gap = planted.line_of(root / planted.SOURCE, "# ## Data") - 1
    done = planted.cookbook(root, "check")
    assert done.returncode == 1
    lines = [sentence.split(": ")[0] for sentence in done.stderr.splitlines()]
    assert lines == ["recipes/demo/products.py:1", "recipes/demo/sums.py:7", f"recipes/demo/sums.py:{gap}"]


def test_an_older_address_leads_to_one_recipe(root: Path) -> None:
    header_edit("level: beginner", "level: beginner\n#     moved_from: [demo/adding]")(root)
    (root / "recipes" / "demo" / "products.py").write_text((root / planted.SOURCE).read_text("utf-8"), "utf-8")
    done = planted.cookbook(root, "check")
    assert done.returncode == 1
    line = planted.line_of(root / planted.SOURCE, "moved_from")
    assert f"recipes/demo/sums.py:{line}: moved from 'demo/adding', as demo/products did" in done.stderr


def test_only_the_named_recipes_are_checked(root: Path) -> None:
    (root / "recipes" / "demo" / "products.py").write_text("x = 1\n")
    assert planted.cookbook(root, "check", "sums").returncode == 0
    assert planted.cookbook(root, "check", "demo/products").returncode == 1


def header_case(find: str, replace: str, says: str, needle: str | None = "same") -> Case:
    return header_edit(find, replace), replace if needle == "same" else needle, says


LONG = "x" * 161
TITLE = 'title: {en: "Add numbers", zh: "把数加起来"}'
DESCRIPTION = 'description: {en: "Add the numbers of a list.", zh: "把一列数加起来。"}'
DATA = 'data: [{name: "three numbers", source: "this recipe", licence: "CC0"}]'
SECOND_BREAK = '  - {name: "forgets the largest", find: "max(numbers)", replace: "min(numbers)"}'
REQUIRES = f'requires: [{planted.pinned(planted.PLAIN)}, {{name: "{planted.pinned(planted.BARE)}", deps: false}}]'

# Every other rule, each broken once. The needle "same" is the edited line itself.
RULES: dict[str, Case] = {
    "a header without a level": (
        source_edit("#     level: beginner\n", ""),
        "title:",
        "'level' is a required property",
    ),
    "a header with a word of its own": header_case(
        "level: beginner", "level: beginner\n#     colour: red", "'colour'", "title:"
    ),
    "a level that is none": header_case("level: beginner", "level: hard", "choose one of the three levels"),
    "a title in one language": header_case(TITLE, 'title: {en: "Add numbers"}', "'zh' is a required property"),
    "an empty title": header_case(TITLE, 'title: {en: "Add numbers", zh: ""}', "title.zh"),
    "a title that is text": header_case(TITLE, "title: Add numbers", "write it in both languages"),
    "a description too long": header_case(
        DESCRIPTION, f'description: {{en: "{LONG}", zh: "和"}}', "at most 160 characters"
    ),
    "no tag": header_case("tags: [data]", "tags: []", "list at least one tag"),
    "a tag twice": header_case("tags: [data]", "tags: [data, data]", "non-unique"),
    "tags that are text": header_case("tags: [data]", "tags: data", "header `tags`"),
    "data without a licence": header_case(DATA, 'data: [{name: "n", source: "s"}]', "with its licence"),
    "data at no address": header_case(DATA, 'data: [{name: "n", source: "s", licence: "l", url: "here"}]', "url"),
    "no data": header_case(DATA, "data: []", "name every data set"),
    "a budget above a minute": header_case("seconds: 30", "seconds: 61", "at most 60"),
    "a budget of nothing": header_case("seconds: 30", "seconds: 0", "whole seconds"),
    "a budget in fractions": header_case("seconds: 30", "seconds: 1.5", "whole seconds"),
    "a budget in words": header_case("seconds: 30", "seconds: half a minute", "whole seconds"),
    "a processor in words": header_case("seconds: 30", "seconds: 30\n#     gpu: often", "write true only", "gpu:"),
    "reads that are text": header_case(
        "seconds: 30", "seconds: 30\n#     reads: x.csv", "list the repository files", "reads:"
    ),
    "a file to read that is not there": header_case(
        "seconds: 30", "seconds: 30\n#     reads: [gone.csv]", "'gone.csv', which is not there", "reads:"
    ),
    "one break": (source_edit(f"#     {SECOND_BREAK}\n", ""), "  - {name:", "at least two edits"),
    "a break without a name": header_case(SECOND_BREAK, '  - {find: "max(numbers)", replace: "0"}', "'name'"),
    "a break that finds nothing": header_case(
        SECOND_BREAK, '  - {name: "n", find: "no such code", replace: "0"}', "matches 0 times"
    ),
    "a break that finds two": header_case(
        SECOND_BREAK, '  - {name: "n", find: "total", replace: "0"}', "make it match once"
    ),
    "a break that is text": header_case(SECOND_BREAK, "  - forgets", "write it as {name"),
    "breaks that are text": (
        in_turn(
            source_edit(f"#     {SECOND_BREAK}\n", ""),
            source_edit('#       - {name: "forgets one", find: "sum(numbers)", replace: "sum(numbers[1:])"}\n', ""),
            header_edit("breaks:", "breaks: none"),
        ),
        "breaks: none",
        "at least two edits",
    ),
    "a requirement without a version": header_case(REQUIRES, "requires: [jsonschema]", "pin it exactly"),
    "a requirement with dependencies spelt out": header_case(
        REQUIRES, f'requires: [{{name: "{planted.pinned(planted.PLAIN)}", deps: true}}]', "pin it exactly"
    ),
    "requirements that are text": header_case(REQUIRES, "requires: jsonschema", "list what Colab lacks"),
    "a requirement in another version": header_case(REQUIRES, "requires: [jsonschema==0.1]", "name the same version"),
    "a requirement that is not installed here": header_case(
        REQUIRES, "requires: [nbclient==0.1]", "not installed here"
    ),
    "a cell in no language": (source_edit(EN_DATA, "# %% [markdown]\n# ## Data"), "## Data", "without language"),
    "a cell in another language": (
        source_edit(EN_DATA, '# %% [markdown] lang="fr"\n# ## Data'),
        "## Data",
        "without language",
    ),
    "a missing English cell": (source_edit(EN_DATA + "\n\n", ""), "# ## 数据", "no English one"),
    "links that differ": (source_edit("[数据](sums.py)", "数据"), "## 简短回答", "links differ"),
    "a link to a file that is no source": (
        in_turn(
            source_edit("[the data](sums.py)", "[the data](../questions.yml)"),
            source_edit("[数据](sums.py)", "[数据](../questions.yml)"),
        ),
        "## Short answer",
        "is no recipe",
    ),
    "a link to Python that is no recipe": (
        in_turn(
            source_edit("[the data](sums.py)", "[the data](../../setup.py)"),
            source_edit("[数据](sums.py)", "[数据](../../setup.py)"),
            lambda root: (root / "setup.py").touch(),
        ),
        "## Short answer",
        "is no recipe",
    ),
    "a dead link with a title": (
        in_turn(
            source_edit("[the data](sums.py)", '[the data](gone.py "data")'),
            source_edit("[数据](sums.py)", '[数据](gone.py "数据")'),
        ),
        "## Short answer",
        "is no recipe",
    ),
    "a title other than the header's": (
        source_edit("# # 把数加起来", "# # 加法"),
        "# # 加法",
        "level-1 headings in zh",
    ),
    "a second title": (
        in_turn(source_edit("# ## Data", "# # Data"), source_edit("# ## 数据", "# # 数据")),
        "# # ",
        "level-1 headings in ",
    ),
    "code before the title": (
        source_edit('# %% [markdown] lang="en"\n# # Add', '# %%\nx = 1\n\n# %% [markdown] lang="en"\n# # Add'),
        None,
        "title",
    ),
    "text before the title": (
        in_turn(
            source_edit("# # Add numbers\n", "# Well.\n#\n# # Add numbers\n"),
            source_edit("# # 把数加起来\n", "# 好。\n#\n# # 把数加起来\n"),
        ),
        None,
        "title",
    ),
    "Python that does not parse": (source_edit("SEED = 0\n", "SEED = 0\nx = = 1\n"), "x = = 1", "mend the Python"),
    "a text that holds a marker of cells": (
        source_edit("SEED = 0\n", 'SEED = 0\nx = """\n# %%\n"""\n'),
        'x = """',
        "mend the Python",
    ),
    "Python that does not parse in the checks": (
        source_edit("assert total == 6", "assert total = 6"),
        "assert total = 6",
        "mend",
    ),
    "a relative import": (source_edit(IMPORT, IMPORT + "\nfrom . import x\n"), "from . import", "from this repository"),
    "an import of a file beside the recipe": (
        in_turn(
            source_edit(IMPORT, IMPORT + "\nfrom data import x\n"),
            lambda root: (root / "recipes" / "demo" / "data.py").touch(),
        ),
        "from data",
        "'data' from this repository",
    ),
    "an import of a repository folder": (source_edit(IMPORT, IMPORT + "\nimport docs.en\n"), "import docs", "'docs'"),
    "an import inside a function": (
        source_edit(IMPORT, IMPORT + "\n\ndef f():\n    import nbclient\n"),
        "import nbclient",
        "Colab lacks",
    ),
    "a line too wide": (source_edit("SEED = 0\n", f"SEED = 0\nx = '{'y' * 75}'\n"), "x = 'y", "81 columns"),
    "no seed": (source_edit("SEED = 0\n", ""), None, "0 lines `SEED = 0`"),
    "two seeds": (source_edit("SEED = 0\n", "SEED = 0\nSEED = 1\n"), None, "2 lines `SEED = 0`"),
    "checks twice": (source_edit("# %%\nresults =", '# %% tags=["checks"]\nresults ='), None, "2 checks cells"),
    "checks that assert nothing": (
        source_edit('assert total == 6\nassert results["largest"] == 3', "print(total)"),
        'tags=["checks"]',
        "asserts nothing",
    ),
    "results after the checks": (
        in_turn(
            source_edit("results = {", "figures = {"),
            source_edit('assert results["largest"] == 3\n', "assert SEED == 0\n\n# %%\nresults = {}\n"),
        ),
        'tags=["checks"]',
        "no `results`",
    ),
    "claims in Chinese that are fewer": (
        source_edit("# - 最大的是三。\n", ""),
        "## 已验证的结论",
        "1 claims in zh above 2 asserts",
    ),
    "an assert without a claim": (
        source_edit("assert total == 6\n", "assert total == 6\nassert total > 5\n"),
        "## ",
        "above 3 asserts",
    ),
    "an assert of a tuple": (
        source_edit("assert total == 6", 'assert (total == 6, "the sum")'),
        "assert (total",
        "constant",
    ),
    "an assert of a text": (source_edit("assert total == 6", 'assert "total == 6"'), 'assert "total', "constant"),
    "an assert of nothing but builtins": (
        source_edit("assert total == 6", "assert len([1]) == 1"),
        "assert len",
        "constant",
    ),
    "an assert that or saves": (
        source_edit("assert total == 6", "assert total == 7 or True"),
        "assert total == 7",
        "constant",
    ),
}
# Cells are named by their marker, one line above the text that is looked for.
BELOW_MARKER = {
    "a cell in no language",
    "a cell in another language",
    "a missing English cell",
    "links that differ",
    "a link to a file that is no source",
    "a link to Python that is no recipe",
    "a dead link with a title",
    "claims in Chinese that are fewer",
}
# Where a rule names both languages, or counts, more than one sentence is right.
SEVERAL = {
    "a text that holds a marker of cells",
    "a second title",
    "a title in one language",
    "an empty title",
    "a requirement without a version",
    "a cell in no language",
    "a cell in another language",
    "an assert without a claim",
    "a missing English cell",
    "code before the title",
    "text before the title",
    "breaks that are text",
    "checks that assert nothing",
    "a title that is text",
    "Python that does not parse in the checks",
    "a break that is text",
}


@pytest.mark.parametrize("case", RULES)
def test_every_rule_is_refused_with_its_line_and_mend(root: Path, case: str) -> None:
    change, needle, says = RULES[case]
    change(root)
    found = problems(root)
    mine = [problem for problem in found if says in problem.text]
    assert mine, f"nothing says {says!r}: {found}"
    if case not in SEVERAL:
        assert len(found) == 1, found
        line = planted.line_of(root / planted.SOURCE, needle.splitlines()[0]) if needle else 1
        if case == "a title other than the header's":
            line = planted.line_of(root / planted.SOURCE, 'lang="zh"')
        assert mine[0].line == line - (case in BELOW_MARKER)
    for problem in found:
        assert problem.path == root / planted.SOURCE
        assert PROBLEM.fullmatch(f"x:1: {problem.text}"), f"no mend in {problem.text!r}"


ALLOWED: dict[str, Callable[[Path], None]] = {
    "code of just the limit": code_of(check.MAX_CODE_LINES),
    "a line of just the limit": source_edit("SEED = 0\n", f"SEED = 0\nx = '{'y' * 74}'\n"),
    "magics and shell lines": source_edit("SEED = 0\n", "SEED = 0\n%matplotlib inline\n!echo 1\n"),
    "a cell of another language": source_edit("# %%\nresults", "# %%\n%%html\n<b>no Python</b>\n\n# %%\nresults"),
    "what Colab has": source_edit(IMPORT, IMPORT + "\nimport numpy as np\nimport sklearn.svm\nfrom PIL import Image\n"),
    "what a package of another name provides": in_turn(
        source_edit(IMPORT, IMPORT + "\nimport dateutil\n"),
        header_edit(REQUIRES, f"requires: [{planted.pinned('python-dateutil')}]"),
        lambda root: (root / "constraints.txt").write_text(planted.pinned("python-dateutil")),
    ),
    "what is required": source_edit(IMPORT, IMPORT + "\nimport jsonschema\nfrom nbformat import v4\n"),
    "a standard module beside a folder of its name": in_turn(
        source_edit(IMPORT, IMPORT + "\nimport site\n"), lambda root: (root / "site").mkdir()
    ),
    "links to other sites": in_turn(
        source_edit("(sums.py) asks", "(https://example.org/a) asks"),
        source_edit("[数据](sums.py)", "[数据](https://example.org/a)"),
    ),
    "anchors, which are named in the page's language": in_turn(
        source_edit("(sums.py) asks", "(sums.py#data) asks"), source_edit("[数据](sums.py)", "[数据](sums.py#数据)")
    ),
    "a recipe of another chapter": in_turn(
        source_edit("(sums.py) asks", "(../other/means.py) asks"),
        source_edit("[数据](sums.py)", "[数据](../other/means.py)"),
        lambda root: (root / "recipes" / "other").mkdir(),
        lambda root: (root / "recipes" / "other" / "means.py").touch(),
    ),
    "code in backticks that looks like a link": source_edit("# 1. Add four numbers.", "# 1. What does `f[0](x)` do?"),
    "headings in a code block": source_edit("# 1. Add four numbers.", "# ```python\n# # a comment\n# ```"),
    "no requirements": source_edit(f"#     {REQUIRES}\n", ""),
    "an empty list of requirements": header_edit(REQUIRES, "requires: []"),
    "a processor that computes graphics": header_edit("seconds: 30", "seconds: 30\n#     gpu: true"),
    "a file of the repository that is declared": header_edit("seconds: 30", "seconds: 30\n#     reads: [mkdocs.yml]"),
    "data with an address": source_edit('licence: "CC0"}]', 'licence: "CC0", url: "https://example.org"}]'),
    "an assert with a message": source_edit("assert total == 6", 'assert total == 6, "the sum"'),
    "an assert about a measured list": source_edit("assert total == 6", "assert all(x > 0 for x in numbers)"),
    "statements between the asserts": source_edit("assert total == 6", "double = 2 * total\nassert double == 12"),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_the_rules_allow_is_not_refused(root: Path, case: str) -> None:
    ALLOWED[case](root)
    assert problems(root) == []


def test_a_source_without_text_is_refused(root: Path) -> None:
    text = (root / planted.SOURCE).read_text("utf-8")
    header = text[: text.index("# %%")]
    (root / planted.SOURCE).write_text(header + "# %%\nSEED = 0\nsum(numbers), max(numbers)\n", encoding="utf-8")
    assert "has no text; write the page in English and Chinese" in [problem.text for problem in problems(root)]


def test_problems_come_in_the_order_of_the_file(root: Path) -> None:
    source_edit("# - 最大的是三。\n", "")(root)
    source_edit("SEED = 0\n", "")(root)
    header_edit("level: beginner", "level: hard")(root)
    lines = [problem.line for problem in problems(root)]
    assert len(lines) == 3 and lines == sorted(lines)


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("x = 1", "x = 1"),
        ("%time\nx = 1\n!ls\ny = 2", "\nx = 1\n\ny = 2"),
        ("%%bash\nls", ""),
        ("", ""),
    ],
)
def test_magics_are_blanked_and_lines_kept(source: str, python: str) -> None:
    assert check.python_of(recipe.Cell("code", source, 1, {})) == python


def test_imports_are_counted_by_their_top_level_name(root: Path) -> None:
    source_edit(IMPORT, IMPORT + "\nimport numpy.linalg\nfrom sklearn.svm import SVC\n")(root)
    assert check.imported_modules(recipe.read(root / planted.SOURCE)) == {
        "json",
        "matplotlib",
        "numpy",
        "os",
        "sklearn",
    }


def test_requirements_are_read_with_and_without_dependencies(root: Path) -> None:
    source = recipe.read(root / planted.SOURCE)
    assert check.required(source) == [planted.pinned(planted.PLAIN), planted.pinned(planted.BARE)]
    assert check.requirement_name("mlxtend==0.25.0") == "mlxtend"


def test_a_package_is_known_by_any_spelling_of_its_name(root: Path) -> None:
    # constraints.txt has the name as pip prints it, the header as the author writes it.
    header_edit(REQUIRES, "requires: [Some_Package==1.0]")(root)
    (root / "constraints.txt").write_text("some-package==1.0  # with a comment\n")
    assert problems(root) == []
