"""Reading a source: header, cells, lines, and what is refused."""

from pathlib import Path

import jupytext
import planted
import pytest
from conftest import ROOT, run_command

from cookbook import recipe

HEADER = """\
# ---
# jupyter:
#   recipe:
#     title: {en: "A", zh: "甲"}
#     tags: [data, text]
#     requires: [{name: "a==1", deps: false}]
# ---
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return planted.plant(tmp_path) / planted.SOURCE


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipes" / "demo" / "sums.py"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_names_come_from_the_path(source: Path) -> None:
    read = recipe.read(source)
    assert (read.chapter, read.slug, read.key) == ("demo", "sums", "demo/sums")


def test_every_cell_knows_its_kind_its_line_and_its_metadata(source: Path) -> None:
    read = recipe.read(source)
    lines = source.read_text("utf-8").splitlines()
    assert len(read.cells) == sum(line.startswith("# %%") for line in lines)
    for cell in read.cells:
        assert lines[cell.line - 1].startswith("# %%")
        first = cell.source.splitlines()[0]
        assert lines[cell.line].removeprefix("# ") == first
        assert cell.kind == ("markdown" if "[markdown]" in lines[cell.line - 1] else "code")
    assert [cell.lang for cell in read.cells[:3]] == ["en", "zh", "en"]
    assert [cell.source for cell in read.cells if cell.is_checks] == [read.code_cells[-1].source]
    figure = next(cell for cell in read.code_cells if "plt.show()" in cell.source)
    assert figure.metadata["alt_zh"] == "三个点，第一个最高。"


def test_every_part_of_the_header_knows_its_line(tmp_path: Path) -> None:
    read = recipe.read(write(tmp_path, HEADER + "\n# %%\nx = 1\n"))
    assert read.header["tags"] == ["data", "text"]
    assert read.header_lines[()] == 4  # the block begins with its first key
    assert read.header_lines[("title", "zh")] == 4
    assert read.header_lines[("tags", 1)] == 5
    assert read.header_lines[("requires", 0, "deps")] == 6


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("x = 1\n", 1, "has no header"),
        ("", 1, "has no header"),
        ("\n" + HEADER, 1, "has no header"),
        ("# ---\n# jupyter:\n#   recipe: {}\n", 1, "has no header"),
        ("# ---\n# jupyter:\n#   recipe:\n#     title: a: b\n# ---\n\n# %%\n", 4, "YAML header is broken"),
        ("# ---\n# jupyter:\n#   recipe:\n#     title: {en: 'a\n# ---\n\n# %%\n", 4, "YAML header is broken"),
        ("# ---\n# jupyter:\n# \trecipe: 1\n# ---\n\n# %%\n", 3, "YAML header is broken"),
        ("# ---\n# jupyter:\n#   recipe: {[a]: b}\n# ---\n\n# %%\n", 3, "YAML header is broken"),
        ("# ---\n# jupyter: {recipe: {title: \x07}}\n# ---\n\n# %%\n", 2, "YAML header is broken"),
        ("# ---\n# jupyter:\n#   kernelspec: {}\n# ---\n\n# %%\n", 1, "no `recipe:` block"),
        ("# ---\n# jupyter:\n# ---\n\n# %%\n", 1, "no `recipe:` block"),
        ("# ---\n# jupyter: [recipe]\n# ---\n\n# %%\n", 1, "no `recipe:` block"),
        ("# ---\n# just words\n# ---\n\n# %%\n", 1, "no `recipe:` block"),
        ("# ---\n# ---\n\n# %%\n", 1, "no `recipe:` block"),
        ("# ---\n# jupyter:\n#   recipe: [1]\n# ---\n\n# %%\n", 1, "no `recipe:` block"),
        (HEADER + "\nx = 1\n\n# %%\ny = 2\n", 9, "text outside of a cell"),
        (HEADER + "\nx = 1\n", 9, "text outside of a cell"),
        (HEADER, 8, "text outside of a cell"),
        (HEADER + "\n# %% tags=[checks]\nx = 1\n", 9, "cell's options"),
    ],
)
def test_a_broken_source_is_refused_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(recipe.RecipeError) as caught:
        recipe.read(path)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (path, line)
    assert says in problem.text
    assert ";" in problem.text, "the mend follows a semicolon"
    assert "\n" not in problem.text
    assert str(caught.value) == f"{path}:{line}: {problem.text}"


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    path.write_bytes("# 题目\n".encode("gb18030"))
    with pytest.raises(recipe.RecipeError, match="not UTF-8"):
        recipe.read(path)


def test_windows_line_ends_read_the_same(source: Path) -> None:
    before = recipe.read(source)
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert recipe.read(source) == before


def test_sources_are_found_by_slug_by_key_and_by_path(tmp_path: Path) -> None:
    path = planted.plant(tmp_path) / planted.SOURCE
    (tmp_path / "recipes" / "demo" / "products.py").write_text("")
    for name in ("sums", "demo/sums", "demo/sums.py", "recipes/demo/sums.py"):
        assert recipe.find_sources(tmp_path, [name]) == [path]
    assert [found.stem for found in recipe.find_sources(tmp_path)] == ["products", "sums"]
    assert recipe.find_sources(tmp_path, []) == recipe.find_sources(tmp_path)


def test_a_name_without_a_source_is_refused(tmp_path: Path) -> None:
    planted.plant(tmp_path)
    with pytest.raises(recipe.RecipeError, match="no recipe 'differences'; `cookbook new"):
        recipe.find_sources(tmp_path, ["differences"])


def test_a_source_named_twice_is_found_once(tmp_path: Path) -> None:
    planted.plant(tmp_path)
    assert len(recipe.find_sources(tmp_path, ["sums", "demo/sums"])) == 1


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# A\n\n## B ##x\n", [(1, "A"), (2, "B ##x")]),
        ("#no heading\n", []),
        ("####### seven\n", []),
        ("text\n# A\n", [(1, "A")]),
        ("```python\n# a comment\n```\n## B\n", [(2, "B")]),
        ("~~~\n# a comment\n~~~\n### 题\n", [(3, "题")]),
        ("````\n```\n# a comment\n```\n````\n", []),
        ("- list\n\n  ```sh\n  # a comment\n  ```\n", []),
    ],
)
def test_headings_are_found_outside_of_code(markdown: str, expected: list[tuple[int, str]]) -> None:
    assert recipe.headings(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[a](b.py) and [c](https://d.e/f)", ["b.py", "https://d.e/f"]),
        ("![a figure](b.png)", []),
        ("[a](b.py#c)\n[d](#e)", ["b.py#c", "#e"]),
        ("```\n[a](b.py)\n```", []),
        ("`callbacks[0](value)` is code", []),
        ('[a](b.py "with a title")', ["b.py"]),
    ],
)
def test_links_are_found_outside_of_code(markdown: str, expected: list[str]) -> None:
    assert recipe.links(markdown) == expected


def test_the_claims_stand_directly_above_the_checks(source: Path) -> None:
    read = recipe.read(source)
    english, chinese = (recipe.claims_cell(read, lang) for lang in recipe.LANGUAGES)
    assert english is not None and english.source.startswith("## Checked claims")
    assert chinese is not None and chinese.source.startswith("## 已验证的结论")


def test_claims_further_up_are_not_the_claims(source: Path) -> None:
    planted.edit(source, '# %% tags=["checks"]\n', '# %%\nx = 1\ny = 2\n\n# %%\nz = 1\n\n# %% tags=["checks"]\n')
    assert recipe.claims_cell(recipe.read(source), "en") is None


def test_without_checks_there_are_no_claims(source: Path) -> None:
    planted.edit(source, '# %% tags=["checks"]', "# %%")
    assert recipe.claims_cell(recipe.read(source), "en") is None


# What one reader could see otherwise than the other.
TRICKY = {
    "blank lines around and inside": "# %%\n\n\nx = 1\n\n\ny = 2\n\n\n\n# %%\nz = 3\n",
    "an empty cell": "# %%\n\n# %%\nx = 1\n",
    "an empty cell at the end": "# %%\nx = 1\n\n# %%\n",
    "no line end at the end": "# %%\nx = 1",
    "a comment like a marker": "# %%\n# %percent of it\nx = 1\n",
    "a title in the marker": "# %% A title\nx = 1\n",
    "a title and options": '# %% A title tags=["checks"]\nx = 1\n',
    "options with brackets and quotes": '# %% alt_en="In [0, 1): \\"half\\"" alt_zh="半开区间 [0, 1)"\nx = 1\n',
    "several tags": '# %% tags=["checks", "annotations"]\nx = 1\n',
    "magics": "# %%\n%matplotlib inline\nx = 1\n!ls\n",
    "magics in comments": "# %%\n# %matplotlib inline\n# !ls\nx = 1\n",
    "a cell magic": "# %%\n# %%time\nx = 1\n",
    "comments first and last": "# %%\n# first\nx = 1\n# last\n",
    "only a comment": "# %%\n# nothing yet\n",
    "an indented comment": "# %%\nif x:\n    # %% no cell\n    y = 1\n",
    "Markdown with empty lines": '# %% [markdown] lang="en"\n# a\n#\n# b\n#\n#   indented\n',
    "Markdown with a code block": '# %% [markdown] lang="en"\n# ```python\n# # comment\n# %time\n# ```\n',
    "Markdown with hard breaks": '# %% [markdown] lang="zh"\n# 甲  \n# 乙\\\n# 丙\n',
    "Markdown in quotes": '# %% [markdown] lang="en"\n"""\na\n\nb\n"""\n',
    "Markdown called md": "# %% [md]\n# a\n",
    "Markdown without a space": '# %% [markdown] lang="en"\n#a\n# #hash\n',
    "definitions": "# %%\n@f\nclass A:\n    pass\n\n\n# %%\ndef g():\n    pass\n",
}
# Forms on which the two need not agree, because a source that has them may be refused.
MAY_BE_REFUSED = {
    "an indented comment",
    "Markdown in quotes",
    "Markdown called md",
    "a title and options",
    "a title in the marker",
}


@pytest.mark.parametrize("case", TRICKY)
def test_jupytext_reads_the_same_cells(tmp_path: Path, case: str) -> None:
    # An author may open a source in Jupyter: what stands there must be what `cookbook` reads.
    text = f"{HEADER}\n{TRICKY[case]}"
    opened = jupytext.reads(text, fmt="py:percent")
    try:
        read = recipe.read(write(tmp_path, text))
    except recipe.RecipeError as error:
        assert case in MAY_BE_REFUSED, error
        return
    expected = [(cell.cell_type, cell.source.strip("\n")) for cell in opened.cells]
    assert [(cell.kind, cell.source) for cell in read.cells] == expected
    for name in ("tags", "lang", "alt_en", "alt_zh"):
        assert [cell.metadata.get(name) for cell in read.cells] == [cell.metadata.get(name) for cell in opened.cells]


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*/*.py")), ids=lambda path: path.stem)
def test_jupytext_reads_every_recipe_the_same(path: Path) -> None:
    opened = jupytext.reads(path.read_text("utf-8"), fmt="py:percent")
    cells = recipe.read(path).cells
    assert [(cell.kind, cell.source) for cell in cells] == [(cell.cell_type, cell.source) for cell in opened.cells]


def test_jupytext_writes_back_a_source_that_reads_the_same(source: Path, tmp_path: Path) -> None:
    before = recipe.read(source)
    done = run_command("jupytext", "--to", "ipynb", "--output", "opened.ipynb", str(source), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    source.unlink()
    done = run_command("jupytext", "--to", "py:percent", "--output", str(source), "opened.ipynb", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    after = recipe.read(source)
    assert after.header == before.header
    assert [(cell.kind, cell.source) for cell in after.cells] == [(cell.kind, cell.source) for cell in before.cells]
    for name in ("tags", "lang", "alt_en", "alt_zh"):
        assert [cell.metadata.get(name) for cell in after.cells] == [cell.metadata.get(name) for cell in before.cells]
