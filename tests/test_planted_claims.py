"""Proof of the machinery: recipes whose claims cannot be trusted, planted, are refused with what to do."""

import json
import re
import runpy
from pathlib import Path

import planted
import pytest

from cookbook import execute, recipe

PROBLEM = re.compile(r"(?P<path>[^:]+):(?P<line>\d+): (?P<text>.+; .+)")
FIGURE_CELL = re.compile(r"\n# %% alt_en=.*?plt\.show\(\)\n", re.DOTALL)
CLAIMS = {"en": "# - The total is six.\n# - The largest is three.\n", "zh": "# - 和是六。\n# - 最大的是三。\n"}
ASSERTS = 'assert total == 6\nassert results["largest"] == 3\n'
RESULTS = 'results = {"total": total, "largest": max(numbers)}\n'
BREAKS = """\
#       - {name: "forgets one", find: "sum(numbers)", replace: "sum(numbers[1:])"}
#       - {name: "forgets the largest", find: "max(numbers)", replace: "min(numbers)"}
"""
PROOF = planted.SOURCE.with_suffix(".proof.json")
PROSE = {"en": "does not matter.", "zh": "无关紧要。"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The planted recipe without its figure: it imports only the standard library and runs in a moment."""
    root = planted.plant(tmp_path)
    path = root / planted.SOURCE
    text = FIGURE_CELL.sub("", path.read_text("utf-8")).replace("import matplotlib.pyplot as plt\n\n", "")
    path.write_text(text, encoding="utf-8")
    (root / PROOF).unlink()
    return root


def refusals(root: Path, *arguments: str) -> list[tuple[int, str]]:
    """Lines and sentences with which `cookbook ARGUMENTS` refuses the planted recipe, and nothing else."""
    if arguments == ("check",):  # which also asks for a record; that is tested elsewhere
        planted.prove(root / planted.SOURCE)
    done = planted.cookbook(root, *arguments)
    if arguments == ("check",):
        (root / PROOF).unlink()
    assert done.returncode == (1 if done.stderr else 0), done.stdout
    found = []
    for sentence in done.stderr.splitlines():
        named = PROBLEM.fullmatch(sentence)
        assert named and named["path"] == planted.SOURCE.as_posix(), sentence
        found.append((int(named["line"]), named["text"]))
    return found


def edit(root: Path, find: str, replace: str) -> None:
    planted.edit(root / planted.SOURCE, find, replace)


def line_of(root: Path, needle: str) -> int:
    return planted.line_of(root / planted.SOURCE, needle)


def claim(root: Path, *asserts: str, before: str = "", bullets: dict[str, list[str]] | None = None) -> None:
    """Replace the checks, and the claims by as many; `before` stands at the start of the cell."""
    edit(root, ASSERTS, before + "".join(f"assert {test}\n" for test in asserts))
    for lang, old in CLAIMS.items():
        texts = bullets[lang] if bullets else ["…so."] * len(asserts)
        edit(root, old, "".join(f"# - {text}\n" for text in texts))


# ---- checks that cannot fail

CANNOT_FAIL = (
    "len(numbers) >= 0",
    "len(numbers) > -1",
    "0 <= len(numbers)",
    "abs(total) >= 0",
    "abs(total - 6) != -1",
    "total**2 >= 0",
    "total * total > -0.5",
    "total > 5 or True",
    "total > 1 or total <= 1",
    "total > 1 or 1 >= total",
    "total <= 1 or total >= 1",
    "total > 1 or total < 2",
    "total == 6 or total != 6",
    "not total or total",
    "not total != total",
    "total in [1, total]",
    "total <= total",
    "max(total, 7) >= total",
    "min(numbers[0], total) <= total",
    "all(total == total for _ in [0]) or total >= total",
    "math.isclose(total, total)",
    "again == total",
    "total == again",
    "still >= total",
    "six == 6",
)
CAN_FAIL = (
    "len(numbers) >= 1",
    "len(numbers) > 0",
    "abs(total) > 0",
    "abs(total) <= 6",
    "total**3 >= 0",
    "total > 5 or total < 1",
    "total > 5 or len(numbers) <= 5",
    "total > 5 and total <= 6",
    "not total > 7",
    "total in [6, 7]",
    "total not in [5]",
    "total < total + 1 and total == 6",
    "max(total - 1, 2) <= total",
    "max(total, 7) > 6.5",
    "math.isclose(total, 6)",
    "moved == 6",
    "kept == numbers[0]",
    "still == numbers[1]",
    "numbers == sorted(numbers, reverse=True) or total == 6",
)


def test_checks_that_cannot_fail_are_refused_each_at_its_line(root: Path) -> None:
    edit(root, "import json\n", "import json\nimport math\n")
    claim(root, *CANNOT_FAIL, before="again = total\nstill = again\nsix = 6\n")
    found = refusals(root, "check")
    first = line_of(root, f"assert {CANNOT_FAIL[0]}")
    assert [line for line, _ in found] == [first + index for index in range(len(CANNOT_FAIL))]
    assert {"cannot fail; assert something measured" in text for _, text in found} == {True}


def test_checks_that_can_fail_pass(root: Path) -> None:
    edit(root, "import json\n", "import json\nimport math\n")
    # A name that was changed since is no alias any more.
    changes = "moved = total\nmoved = moved + 0\n"
    changes += "kept = numbers[0]\nnumbers[0] = total\nstill = numbers[1]\nnumbers.reverse()\n"
    claim(root, *CAN_FAIL, before=changes)
    assert refusals(root, "check") == []


# ---- tolerance wider than what is possible


def test_a_tolerance_wider_than_the_possible_range_is_refused_after_the_run(root: Path) -> None:
    edit(root, RESULTS, 'accuracy = 100 * total / 7\nresults = {"accuracy (%)": accuracy, "largest": max(numbers)}\n')
    edit(root, 'figure: "total"', 'figure: "accuracy (%)"')
    claim(root, "total == 6", "abs(accuracy - 50) <= 50")
    assert refusals(root, "check") == [], "without an execution nothing is known of the figures"
    ((line, text),) = refusals(root, "run")
    assert line == line_of(root, "assert abs(accuracy")
    assert "holds for every possible value of `accuracy` (0 to 100); tighten the bound" in text
    assert planted.made(root) == {}
    edit(root, "<= 50\n", "<= 49\n")
    assert refusals(root, "run") == []
    assert (root / planted.RECORD).exists()


@pytest.mark.parametrize(
    ("test", "vacuous"),
    [
        ("accuracy <= 100", True),
        ("accuracy >= LOWEST", True),
        ("-100 <= accuracy - rival <= 100", True),
        ("not max(accuracy, rival) > 100", True),
        ("results['share, of all'] < 1.1 and accuracy >= 0", True),
        ("round(share, 2) <= 1", True),
        ("values.most() >= 0", False),  # who knows what it does
        ("accuracy > 90", False),
        ("accuracy > rival", False),
        ("accuracy <= 100 and steps < 9", False),  # the other half can fail
        ("accuracy - steps < 1000", False),
        ("results['accuracy gain'] <= 1", False),  # a difference may be larger
        ("right <= 9", False),  # equal to a figure by chance only
        ("steps <= 10**9", False),  # no range is known
    ],
)
def test_only_what_holds_for_every_possible_figure_is_named(test: str, vacuous: bool) -> None:
    cannot_fail = runpy.run_path(str(execute.KERNEL / "vacuous.py"))["cannot_fail"]
    figures = {"accuracy": 97.25, "rival": 91.5, "share": 0.625, "steps": 7.5, "right": 1, "LOWEST": 0}
    names = ("accuracy, %", "rival (%)", "share, of all", "steps")
    results = dict(zip(names, figures.values(), strict=False)) | {"accuracy gain": 0.3, "recall": 1}
    found = cannot_fail(f"x = 1\nassert {test}\n", figures | {"results": results})
    assert [line for line, _ in found] == ([2] if vacuous else [])


# ---- names from elsewhere


def test_a_function_that_reads_a_leaked_global_is_refused(root: Path) -> None:
    # The usual accident: the argument is called `model`, the body uses the notebook's `network`.
    code = "network = [1]\n\n\ndef size(model):\n    return [len(network) for _ in model]\n\n\n"
    edit(root, "# %%\ntotal = sum", f"# %%\n{code}total = sum")
    ((line, text),) = refusals(root, "check")
    assert line == line_of(root, "def size")
    assert "size() reads `network` from outside; hand over as argument" in text
    assert refusals(root, "run") == [(line, text)]


def test_a_name_that_only_another_kernel_has_is_refused(root: Path) -> None:
    edit(root, "import json\n", "")
    ((line, text),) = refusals(root, "check")
    assert line == line_of(root, "print(json.dumps")
    assert "no cell above defines `json`; import or assign it" in text
    assert refusals(root, "run") == [(line, text)]


LEAKING = {
    "a method": ("class A:\n    def f(self):\n        return total\n", "f() reads `total`"),
    "a named lambda": ("add = lambda x: x + numbers[0]\n", "add() reads `numbers`"),
    "a function within a function": ("def f():\n    def g():\n        return numbers\n    return g\n", "f() reads"),
    "a name that comes only below": ("later = results\n", "no cell above defines `results`"),
    "a name in a comprehension": ("later = [x for x in results]\n", "no cell above defines `results`"),
    "a name in a function that none ever defines": (
        "def f():\n    return nothing\n",
        "no cell above defines `nothing`",
    ),
}
SOUND = """\
from math import pi

LIMIT = 2
device = "cpu"


class Box:
    size: int = LIMIT

    def area(self, width):
        return self.size * width * pi


def half(x):
    return x / LIMIT


def use(values):
    box, step = Box(), lambda x: half(x)
    with open(os.devnull) as file:
        text = file.read()
    areas = [box.area(value) for value in values if device and not text]
    return [step(area) for area in areas if SEED == 0]


def count():
    global calls
    calls = 1


pairs = [(a, b) for a in numbers for b in numbers if a < b]
nested = [[v for v in numbers] for _ in pairs]
match numbers:
    case [first, *others]:
        use(others)
try:
    order = sorted(numbers, key=lambda n: pairs.count((n, first)))
except ValueError as error:
    print(error)
if (limit := len(order)) > 1:
    display(limit)
"""


@pytest.mark.parametrize("case", LEAKING)
def test_every_way_to_a_leaked_name_is_seen(root: Path, case: str) -> None:
    code, says = LEAKING[case]
    edit(root, "# %%\ntotal = sum", f"# %%\n{code}\n\ntotal = sum")
    ((line, text),) = refusals(root, "check")
    assert says in text
    start = line_of(root, code.splitlines()[0])
    assert start <= line < start + code.count("\n")


def test_functions_may_read_what_does_not_change(root: Path) -> None:
    edit(root, "# %%\ntotal = sum", f"# %%\n{SOUND}\n\ntotal = sum")
    assert refusals(root, "check") == []


# ---- numbers in the text

STATED = {
    "en": (
        "It is right in 98 % of all cases.",
        "It reaches 98.5% then.",
        "It wins by 12 points.",
        "It wins by 12 percentage points.",
        "It takes 41 percent.",
        "Between 31 and 47 % are lost.",
        "It is 7 times faster.",
        "It is 7x faster.",
        "It is 7× faster.",
        "It scores 0.97 there.",
        "It scores .655 there.",
        "The 98 % of [the other page](https://example.org) are old. Now it is 91 %.",
    ),
    "zh": (
        "准确率达到 98 %。",
        "准确率达到98.5%。",
        "高出 12 个百分点。",
        "占百分之四十一。",
        "占百分之 41 以上，快 7 倍。",
        "占百分之九十八点五。",
        "在 31% 到 47% 之间。",
        "快了7倍。",
        "得分 0.97。",
    ),
}
# The code has `share = 0.2` and `0.025`, the checks have 6, 3 and 0.85.
FREE = {
    "en": (
        "A share of 20 % is held out.",
        "The interval holds 95 % of the draws.",
        "At least 85 % are right; at most 15 % are wrong.",
        "Six is 3 times two.",
        "As of 2024 it is [4 times as fast](https://example.org).",
        "It reaches 99 % (Knuth, 1997).",
        "It reaches 99 % [1].",
        "See `99 %`, $0.97$ and $$x = 0.97$$.",
        "Kernels of 7×7 and version 0.97.1.",
        "A 90 % confidence interval is drawn.",
        "[It](https://example.org/0.97) has float16, 200 labels and 1,000 steps.",
    ),
    "zh": (
        "留出 20% 的数据。",
        "至少 85 %，至多 15 % 出错。",
        "据 [Knuth](https://example.org)，快 4 倍。",
        "标签平滑不要求百分之百地肯定。",
        "画出 90 % 的置信区间。",
    ),
}


def add_prose(root: Path, texts: dict[str, tuple[str, ...]]) -> None:
    """Add each text as a paragraph; links stand in both languages."""
    links = re.compile(r"\[[^\]]*\]\([^)]*\)")
    for lang, other in (("en", "zh"), ("zh", "en")):
        missing = [link for text in texts[other] for link in links.findall(text)]
        added = [*texts[lang], *missing] if texts is FREE else [*texts[lang], *(f"[1]{link}" for link in missing)]
        edit(root, PROSE[lang], PROSE[lang] + "".join(f"\n#\n# {text}" for text in added))


def test_a_number_in_the_text_that_no_check_asserts_is_refused(root: Path) -> None:
    add_prose(root, STATED)
    found = refusals(root, "check")
    expected = [line_of(root, f"# {text}") for texts in STATED.values() for text in texts]
    assert sorted({line for line, _ in found}) == sorted(expected)
    assert {"which no check asserts; assert it as a bound" in text for _, text in found} == {True}
    assert "states “91 %”" in next(text for line, text in found if line == line_of(root, "# The 98 %"))


def test_settings_asserted_bounds_and_cited_numbers_may_stand_in_the_text(root: Path) -> None:
    edit(root, "SEED = 0\n", 'SEED = 0\nshare, tail = 0.2, 0.025  # not 0.97\nfurther = "0.97"\n')
    edit(root, "assert total == 6\n", "assert total == 6 and total > 0.85\n")
    edit(root, "# 1. Add four numbers.", "# 1. Multiply by 0.97 first.\n#\n# ## References\n#\n# - A 98 % solution.")
    edit(root, "# 1. 把四个数加起来。", "# 1. 先乘以 0.97。\n#\n# ## 参考文献\n#\n# - 98 % 的解。")
    add_prose(root, FREE)
    assert refusals(root, "check") == []


@pytest.mark.parametrize(
    ("bullets", "wrong"),
    [
        ({"en": ["Above 5.5.", "At least 90 %."], "zh": ["超过 5.5。", "不低于 90 %。"]}, []),
        ({"en": ["Above 5.6.", "At least 90 %."], "zh": ["超过 5.5。", "不低于 90 %。"]}, ["Above 5.6"]),
        ({"en": ["Above 5.5.", "At least 90 %."], "zh": ["超过 5.5。", "不低于 91 %。"]}, ["不低于 91"]),
        ({"en": ["At least 90 %.", "Above 5.5."], "zh": ["总和。", "最大。"]}, ["At least 90", "Above 5.5"]),
        ({"en": ["At most 4 numbers.", "Ten."], "zh": ["总和。", "90 % 以上。"]}, ["At most 4"]),
        ({"en": ["On 1,000 draws.", "A 95 % interval."], "zh": ["总和。", "0.025 的学习率。"]}, []),
    ],
)
def test_a_claim_states_the_bound_of_its_own_assert(
    root: Path, bullets: dict[str, list[str]], wrong: list[str]
) -> None:
    edit(root, "SEED = 0\n", "SEED = 0\nrate = 0.025\n")
    claim(root, "total > 5.5", "part > 0.9", before="", bullets=bullets)
    edit(root, "assert part", "part = results['largest'] / 3\nassert part")
    found = refusals(root, "check")
    assert [line for line, _ in found] == [line_of(root, f"# - {text}") for text in wrong]
    assert {"does not hold; give both the same bound" in text for _, text in found} <= {True}


# ---- chance, and breaks


def test_a_recipe_that_is_flaky_across_seeds_is_named_by_its_seeds_and_leaves_no_record(root: Path) -> None:
    edit(root, "numbers = [3, 1, 2]", "numbers = [3, 1, 2 + SEED % 2]")
    ((line, text),) = refusals(root, "seeds", "-n", "3")
    assert line == line_of(root, "assert total")
    assert text.startswith("with SEED = 1: the cell raises AssertionError: assert total == 6")
    assert not (root / PROOF).exists()


def test_seeds_on_which_every_check_holds_are_recorded(root: Path) -> None:
    edit(root, RESULTS, 'results = {"total": total, "largest": max(numbers), "seed": SEED}\n')
    assert refusals(root, "seeds", "-n", "2") == []
    assert json.loads((root / PROOF).read_text("utf-8"))["seeds"]["results"]["seed"] == [0, 1]


BROKEN = {
    "survives": ('name: "forgets one", find: "[3, 1, 2]", replace: "[3, 2, 1]"', "survived: no check noticed"),
    "crashes elsewhere": ('name: "forgets one", find: "sum(numbers)", replace: "sum(nothing)"', "crashed elsewhere"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_break_that_no_check_catches_is_refused_and_leaves_no_record(root: Path, case: str) -> None:
    new, says = BROKEN[case]
    edit(root, 'name: "forgets one", find: "sum(numbers)", replace: "sum(numbers[1:])"', new)
    ((line, text),) = refusals(root, "breaks")
    assert line == line_of(root, "forgets one")
    assert text.startswith("break 'forgets one'") and says in text
    assert "write a check that notices it" in text
    if case == "crashes elsewhere":
        assert f"at line {line_of(root, 'total = sum')}: NameError" in text
    assert not (root / PROOF).exists()


def test_a_break_that_does_not_apply_is_refused_before_anything_runs(root: Path) -> None:
    edit(root, 'find: "max(numbers)"', 'find: "numbers"')
    ((line, text),) = refusals(root, "breaks")
    assert line == line_of(root, "forgets the largest")
    assert "times in the code; make it match once" in text
    assert planted.kernels(root) == [] and not (root / PROOF).exists()


def test_breaks_that_checks_catch_are_recorded_with_the_check(root: Path) -> None:
    assert refusals(root, "breaks") == []
    verdicts = json.loads((root / PROOF).read_text("utf-8"))["breaks"]["verdicts"]
    assert verdicts == {
        "forgets one": "caught by `assert total == 6`",
        "forgets the largest": 'caught by `assert results["largest"] == 3`',
    }
    executions = len(planted.kernels(root))
    assert refusals(root, "breaks") == [] and len(planted.kernels(root)) == executions, "the record is up to date"


def test_a_file_that_is_not_declared_is_refused_with_every_seed(root: Path) -> None:
    (root / "data.csv").touch()
    edit(root, "SEED = 0\n", 'SEED = 0\nopen(os.environ["COOKBOOK_ROOT"] + "/data.csv").close()\n')
    found = refusals(root, "seeds", "-n", "1")
    assert found == [
        (1, "with SEED = 0: reads data.csv of this repository; a recipe stands alone, so take data from a package")
    ]
    assert not (root / PROOF).exists()


def test_the_rules_leave_the_planted_recipe_alone(root: Path) -> None:
    assert refusals(root, "check") == []
    assert recipe.read(root / planted.SOURCE).header["breaks"]
