"""`cookbook sync`: the committed notebooks, byte for byte the same from the same source."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import planted
import pytest
from conftest import ROOT

from cookbook import notebooks, recipe, site

SITE = site.Site("Planter", "planted")
OUTSIDE = re.compile(r"\]\((?!https?://|#|mailto:)")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return planted.plant(tmp_path)


@pytest.fixture
def source(root: Path) -> Path:
    return root / planted.SOURCE


def made(source: Path, lang: str = "en", address: site.Site = SITE) -> Any:
    return notebooks.notebook(recipe.read(source), lang, address)


def header(source: Path, line: str) -> None:
    planted.edit(source, "#     seconds: 30\n", f"#     seconds: 30\n#     {line}\n")


def requires(source: Path, value: str) -> None:
    old = next(line for line in source.read_text("utf-8").splitlines() if line.startswith("#     requires:"))
    planted.edit(source, f"{old}\n", f"#     requires: {value}\n" if value else "")


# ---- the command


def test_sync_writes_one_notebook_a_language(root: Path) -> None:
    done = planted.cookbook(root, "sync")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 notebooks, 2 changed\n", "")
    assert sorted(planted.made(root)) == sorted(path.as_posix() for path in planted.NOTEBOOKS.values())


def test_sync_twice_changes_no_byte(root: Path) -> None:
    planted.cookbook(root, "sync")
    before = planted.made(root)
    times = {name: (root / name).stat().st_mtime_ns for name in before}
    done = planted.cookbook(root, "sync")
    assert (done.returncode, done.stdout) == (0, "2 notebooks, 0 changed\n")
    assert planted.made(root) == before
    assert {name: (root / name).stat().st_mtime_ns for name in before} == times
    assert planted.cookbook(root, "sync", "--check").returncode == 0


def test_sync_from_another_copy_writes_the_same_bytes(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = planted.plant(tmp_path_factory.mktemp("other"))
    planted.cookbook(root, "sync")
    planted.cookbook(other, "sync", PYTHONHASHSEED="7")
    assert planted.made(root) == planted.made(other)


def test_sync_removes_notebooks_without_a_source(root: Path) -> None:
    planted.cookbook(root, "sync")
    surplus = root / "notebooks" / "zh" / "demo" / "products.ipynb"
    surplus.write_text("{}")
    done = planted.cookbook(root, "sync")
    assert (done.returncode, done.stdout) == (0, "2 notebooks, 1 changed\n")
    assert not surplus.exists()


STALE = {
    "missing": lambda path: path.unlink(),
    "stale": lambda path: path.write_text(path.read_text("utf-8").replace("sum(numbers)", "sum(number)"), "utf-8"),
    "one byte longer": lambda path: path.write_text(path.read_text("utf-8") + "\n", "utf-8"),
    "surplus": lambda path: path.with_stem("products").write_bytes(path.read_bytes()),
}


@pytest.mark.parametrize("lang", recipe.LANGUAGES)
@pytest.mark.parametrize("case", STALE)
def test_sync_check_fails_and_writes_nothing(root: Path, case: str, lang: str) -> None:
    planted.cookbook(root, "sync")
    path = root / planted.NOTEBOOKS[lang]
    STALE[case](path)
    before = planted.made(root)
    done = planted.cookbook(root, "sync", "--check")
    assert done.returncode == 1
    named = planted.NOTEBOOKS[lang].with_stem("products" if case == "surplus" else "sums")
    assert done.stderr == f"{named.as_posix()}:1: differs from its source; run `cookbook sync` and commit\n"
    assert planted.made(root) == before


def test_sync_check_notices_an_edited_source(root: Path) -> None:
    planted.cookbook(root, "sync")
    planted.edit(root / planted.SOURCE, "# 1. 内置函数。", "# 1. 内建函数。")
    done = planted.cookbook(root, "sync", "--check")
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [planted.NOTEBOOKS["zh"].as_posix()]


def test_committed_notebooks_name_the_repository_and_not_the_fork(root: Path) -> None:
    # Otherwise `sync --check` would fail in every fork's own checks.
    link = "[the data](sums.py)"
    planted.edit(root / planted.SOURCE, link, link)
    planted.cookbook(root, "sync", GITHUB_REPOSITORY="forker/fork")
    text = (root / planted.NOTEBOOKS["en"]).read_text("utf-8")
    assert "https://planter.github.io/planted/recipes/demo/sums/" in text
    assert "forker" not in text


# ---- the notebook


@pytest.mark.parametrize("lang", recipe.LANGUAGES)
def test_a_notebook_is_valid_and_holds_no_outputs(source: Path, lang: str) -> None:
    notebook = made(source, lang)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    text = notebooks.text_of(notebook)
    assert text.endswith("}\n") and not text.endswith("\n\n")
    assert json.loads(text)["cells"]


def test_an_invalid_notebook_is_never_written(source: Path) -> None:
    notebook = made(source)
    notebook.cells[0]["id"] = "not an id"
    with pytest.raises(nbformat.ValidationError):
        notebooks.text_of(notebook)


def test_ids_depend_on_the_recipe_and_the_place_alone(source: Path) -> None:
    before = [cell.id for cell in made(source).cells]
    assert len(set(before)) == len(before)
    assert all(re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", one) for one in before)
    planted.edit(source, "easily found", "found with ease")
    assert [cell.id for cell in made(source).cells] == before
    requires(source, "")
    assert [cell.id for cell in made(source).cells] == [one for one in before if one != made_install_id(source)]
    renamed = source.with_stem("products")
    source.rename(renamed)
    assert not set(before) & {cell.id for cell in made(renamed).cells}


def made_install_id(source: Path) -> str:
    return notebooks.cell_id(recipe.read(source), "install")


def test_each_language_has_its_own_text_and_the_same_code(source: Path) -> None:
    english, chinese = (made(source, lang) for lang in recipe.LANGUAGES)
    assert english.cells[0].source.startswith("# Add numbers")
    assert chinese.cells[0].source.startswith("# 把数加起来")
    codes = [[cell.source for cell in one.cells if cell.cell_type == "code"] for one in (english, chinese)]
    assert codes[0] == codes[1]
    assert len(english.cells) == len(chinese.cells)
    assert not re.search(r"[一-鿿]", "".join(c.source for c in english.cells if c.cell_type == "markdown"))


def test_colab_knows_the_name_and_shows_the_table_of_contents(source: Path) -> None:
    metadata = made(source).metadata
    assert metadata.colab.name == "sums.ipynb"
    assert metadata.colab.toc_visible is True
    assert metadata.kernelspec.name == "python3"
    assert "accelerator" not in metadata and "gpuType" not in metadata.colab


@pytest.mark.parametrize(("line", "accelerator"), [("gpu: true", "GPU"), ("gpu: false", None)])
def test_colab_gives_a_graphics_processor_where_the_recipe_asks(
    source: Path, line: str, accelerator: str | None
) -> None:
    header(source, line)
    assert made(source).metadata.get("accelerator") == accelerator


def test_the_install_cell_comes_first_among_the_code(source: Path) -> None:
    first = next(cell for cell in made(source).cells if cell.cell_type == "code")
    assert first.metadata.tags == ["install"]
    plain, bare = planted.pinned(planted.PLAIN), planted.pinned(planted.BARE)
    assert first.source == "\n".join(
        [
            "from importlib.util import find_spec",
            "",
            f'if find_spec("{planted.PLAIN}") is None:',
            f"    %pip install -q {plain}",
            f'if find_spec("{planted.BARE}") is None:',
            f"    %pip install -q --no-deps {bare}",
        ]
    )


def test_only_one_cell_installs(source: Path) -> None:
    cells = made(source).cells
    assert sum("%pip" in cell.source for cell in cells) == 1
    assert sum(cell.cell_type == "code" for cell in cells) == len(recipe.read(source).code_cells) + 1


@pytest.mark.parametrize("value", ["", "[]"])
def test_without_requirements_nothing_installs(source: Path, value: str) -> None:
    requires(source, value)
    assert all("pip" not in cell.source for cell in made(source).cells)
    assert notebooks.install_cell(recipe.read(source)) is None


def test_a_name_with_hyphens_is_looked_for_as_a_module(source: Path) -> None:
    requires(source, "[some-package==1.0.post1]")
    install = notebooks.install_cell(recipe.read(source)) or ""
    assert 'find_spec("some_package")' in install
    assert install.endswith("%pip install -q some-package==1.0.post1")


def test_an_install_cell_with_a_dotted_name_runs(source: Path) -> None:
    # `find_spec("a.b")` raises where `a` is missing, which is the very case that it is there for.
    requires(source, "[absent.package==1.0]")
    code = (notebooks.install_cell(recipe.read(source)) or "").replace(
        "%pip install -q absent.package==1.0", "raise KeyError"
    )
    with pytest.raises(KeyError):
        exec(code, {})


def test_relative_links_become_addresses(source: Path) -> None:
    for lang, page in (("en", "recipes/demo/sums/"), ("zh", "zh/recipes/demo/sums/")):
        text = "\n".join(cell.source for cell in made(source, lang).cells if cell.cell_type == "markdown")
        assert f"](https://planter.github.io/planted/{page})" in text
        assert not OUTSIDE.search(text)


BASE = "https://planter.github.io/planted/"


@pytest.mark.parametrize(
    ("markdown", "lang", "expected"),
    [
        ("[a](b.py)", "en", f"[a]({BASE}recipes/demo/b/)"),
        ("[a](b.py)", "zh", f"[a]({BASE}zh/recipes/demo/b/)"),
        ("[a](./b.py)", "en", f"[a]({BASE}recipes/demo/b/)"),
        ("[a](../other/b.py)", "en", f"[a]({BASE}recipes/other/b/)"),
        ("[a](../other/b-c.py#d-e)", "en", f"[a]({BASE}recipes/other/b-c/#d-e)"),
        ("[a](b.py#结果)", "zh", f"[a]({BASE}zh/recipes/demo/b/#结果)"),
        ("[a](b.py), [c](d.py)", "en", f"[a]({BASE}recipes/demo/b/), [c]({BASE}recipes/demo/d/)"),
        ("[`a`](b.py)", "en", f"[`a`]({BASE}recipes/demo/b/)"),
        ('[a](b.py "title")', "en", f'[a]({BASE}recipes/demo/b/ "title")'),
        ("[a](https://x.org/b.py)", "en", "[a](https://x.org/b.py)"),
        ("[a](#b)", "en", "[a](#b)"),
        ("[a](mailto:b@c.org)", "en", "[a](mailto:b@c.org)"),
        ("`[a](b.py)` as code", "en", "`[a](b.py)` as code"),
        ("```text\n[a](b.py)\n```", "en", "```text\n[a](b.py)\n```"),
    ],
)
def test_links_between_recipes_are_made_absolute(markdown: str, lang: str, expected: str) -> None:
    assert notebooks.absolute_links(markdown, "demo", lang, SITE) == expected


def test_callouts_stay_readable(source: Path) -> None:
    english, chinese = ("\n".join(cell.source for cell in made(source, lang).cells) for lang in recipe.LANGUAGES)
    assert "> **Tip: order** The order of the numbers\n> does not matter." in english
    assert "> **提示：顺序** 数的顺序无关紧要。" in chinese
    assert "!!!" not in english + chinese


def test_tags_are_all_that_is_kept_of_a_cells_options(source: Path) -> None:
    # Colab and GitHub know nothing of languages and alternative texts.
    kinds = [dict(cell.metadata) for cell in made(source).cells]
    assert kinds.count({"tags": ["checks"]}) == 1
    assert all(set(kind) <= {"tags"} for kind in kinds)


# ---- Chinese text

JOINED = {
    "letters": ("甲乙\n丙丁", "甲乙丙丁"),
    "three lines": ("甲\n乙\n丙", "甲乙丙"),
    "a comma": ("甲，\n乙", "甲，乙"),
    "a comma before Latin": ("甲，\nPyTorch", "甲，PyTorch"),
    "a stop before a number": ("甲。\n3 个", "甲。3 个"),
    "Latin before a comma": ("PyTorch\n，乙", "PyTorch，乙"),
    "a closing bracket before Latin": ("（甲）\nA", "（甲）A"),
    "Latin before an opening bracket": ("A\n（乙）", "A（乙）"),
    "a colon": ("甲：\n乙", "甲：乙"),
    "an enumeration comma": ("甲、\nLSTM、\n乙", "甲、LSTM、乙"),
    "book titles": ("见\n《乙》", "见《乙》"),
    "quotation marks": ("甲\n“乙”", "甲“乙”"),
    "a closing quotation mark": ("“甲”\n乙", "“甲”乙"),
    "corner brackets": ("「甲」\n乙", "「甲」乙"),
    "an ellipsis": ("甲……\n乙", "甲……乙"),
    "an ellipsis before Latin": ("甲……\nGPU", "甲……GPU"),
    "a dash": ("甲——\n乙", "甲——乙"),
    "a dash before Latin": ("甲——\nGPU", "甲——GPU"),
    "full-width digits": ("１２\n３", "１２３"),
    "rare letters": ("㐀\n豈", "㐀豈"),
    "trailing space": ("甲 \n乙", "甲乙"),
    "strong text before the seam": ("**甲**\n乙", "**甲**乙"),
    "strong text after the seam": ("甲\n**乙**", "甲**乙**"),
    "emphasis on both sides": ("*甲*\n*乙*", "*甲**乙*"),
    "strong text across the seam": ("**甲\n乙**", "**甲乙**"),
    "code that ends in Chinese": ("`甲`\n乙", "`甲`乙"),
    "a link before the seam": ("见[甲](a.py)\n乙", "见[甲](a.py)乙"),
    "a link after the seam": ("见\n[甲](a.py)", "见[甲](a.py)"),
    "an item that goes on": ("- 甲\n  乙", "- 甲乙"),
    "a numbered item that goes on": ("1. 甲\n   乙", "1. 甲乙"),
    "items that go on": ("- 甲\n  乙\n- 丙\n  丁", "- 甲乙\n- 丙丁"),
    "a quotation": ("> 甲\n> 乙", "> 甲乙"),
    "a callout": ("> **提示：甲** 乙\n> 丙", "> **提示：甲** 乙丙"),
    "paragraphs of a quotation": ("> 甲\n>\n> 乙\n> 丙", "> 甲\n>\n> 乙丙"),
    "a quotation in a quotation": ("> > 甲\n> > 乙", "> > 甲乙"),
    "text around code": ("甲\n乙\n\n```\n甲\n乙\n```\n\n甲\n乙", "甲乙\n\n```\n甲\n乙\n```\n\n甲乙"),
    "a footnote that goes on": ("[^1]: 甲\n    乙", "[^1]: 甲乙"),
}
KEPT = {
    "Latin and Chinese": "PyTorch\n张量",
    "Chinese and Latin": "张量\nPyTorch",
    "Latin and Latin": "PyTorch\ntensor",
    "Chinese and a number": "共\n3 个",
    "code and Chinese": "`loss`\n下降",
    "mathematics and Chinese": "$x$\n是",
    "paragraphs": "甲\n\n乙",
    "a heading and text": "## 甲\n乙",
    "text and a heading": "甲\n## 乙",
    "items": "- 甲\n- 乙",
    "items after a stop": "甲。\n- 乙。\n- 丙。",
    "items with stars": "* 甲。\n* 乙。",
    "items with plus signs": "+ 甲。\n+ 乙。",
    "numbered items": "1. 甲。\n2. 乙。",
    "numbered items with brackets": "1) 甲。\n2) 乙。",
    "items within items": "- 甲：\n  - 乙。\n  - 丙。",
    "a table": "| 甲 | 乙 |\n| --- | --- |\n| 丙 | 丁 |",
    "a table after text": "甲：\n| 乙 |\n| -- |\n| 丙 |",
    "a table without outer bars": "甲 | 乙\n--- | ---\n丙 | 丁\n戊 | 己",
    "a code block": "```python\n# 甲\n乙\n```",
    "a code block with tildes": "~~~\n甲\n乙\n~~~",
    "a code block after a colon": "甲：\n```\n乙\n丙\n```",
    "a code block inside an item": "- 甲：\n\n  ```text\n  乙\n  丙\n  ```",
    "a long code block around another": "````\n```\n甲\n```\n乙\n````",
    "a formula after a colon": "甲：\n$$\nx\n$$",
    "a formula on one line": "甲：\n$$x$$\n乙",
    "a quotation after text": "甲。\n> 乙",
    "text after a quotation": "> 甲。\n乙",
    "items in a quotation": "> - 甲。\n> - 乙。",
    "a callout of the site": '!!! note "甲"\n    乙',
    "a hard break": "甲  \n乙",
    "a hard break by a backslash": "甲\\\n乙",
    "footnotes": "[^1]: 甲。\n[^2]: 乙。",
    "link definitions": "[甲]: https://a.org/甲\n[乙]: https://b.org/乙",
    "markup": "甲。\n<details>\n<summary>乙</summary>",
    "nothing": "",
}


@pytest.mark.parametrize("case", JOINED)
def test_a_line_break_inside_a_chinese_paragraph_leaves_no_space(case: str) -> None:
    markdown, expected = JOINED[case]
    assert notebooks.join_lines(markdown) == expected


@pytest.mark.parametrize("case", KEPT)
def test_line_breaks_that_mean_something_stay(case: str) -> None:
    assert notebooks.join_lines(KEPT[case]) == KEPT[case]


@pytest.mark.parametrize("case", JOINED)
def test_joined_text_stays_as_it_is(case: str) -> None:
    once = notebooks.join_lines(JOINED[case][0])
    assert notebooks.join_lines(once) == once


def test_english_text_keeps_its_lines(source: Path) -> None:
    assert "A list of numbers has a sum, and the sum\nis easily found." in made(source, "en").cells[0].source
    assert made(source, "zh").cells[0].source == "# 把数加起来\n\n一列数有一个和，而这个和很容易求得。"


# ---- what is committed here


def test_the_committed_notebooks_are_those_of_the_sources() -> None:
    done = planted.cookbook(ROOT, "sync", "--check")
    assert done.returncode == 0, done.stderr
