"""A recipe's page as Markdown: what stands above it, its code with what it showed, and the tree of all pages."""

import base64
import html
import importlib.util
import io
import json
import os
import random
import re
import shutil
import subprocess
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import parse_qsl

import markdown
import planted
import pytest
from PIL import Image

from cookbook import bank_pages, gallery, outputs, pages, questions, recipe, runs, scripts, site

SITE = site.Site("Planter", "planted")
LANGUAGES = recipe.LANGUAGES
EXTENSIONS = ["abbr", "admonition", "attr_list", "md_in_html", "tables", "footnotes", "pymdownx.details"]
EXTENSIONS += ["pymdownx.arithmatex", "pymdownx.superfences"]


@cache
def run() -> runs.Run:
    root = planted.executed()
    return runs.load(recipe.read(root / planted.SOURCE), root)


@cache
def bank() -> questions.Bank:
    return questions.read(planted.executed())


@cache
def page(lang: str = "en") -> runs.Page:
    return pages.recipe_page(run(), bank(), SITE, lang)


def rendered(text: str) -> str:
    """HTML as MkDocs makes it with the extensions of mkdocs.yml."""
    arithmatex = {"pymdownx.arithmatex": {"generic": True}}
    return markdown.markdown(text, extensions=EXTENSIONS, extension_configs=arithmatex)


# ---- above the text


@pytest.mark.parametrize(
    ("lang", "title", "description"),
    [("en", "Add numbers", "Add the numbers of a list."), ("zh", "把数加起来", "把一列数加起来。")],
)
def test_a_page_has_the_headers_title_and_description(lang: str, title: str, description: str) -> None:
    assert page(lang).path == "recipes/demo/sums.ipynb"
    expected = {"title": title, "description": description, "recipe": planted.KEY}
    assert page(lang).meta | expected == page(lang).meta
    assert page(lang).text.startswith(f"# {title}\n")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_reader_can_take_the_recipe_along(lang: str) -> None:
    actions = re.search(r'<nav class="actions".*?</nav>', page(lang).text, re.DOTALL)
    assert actions
    targets = [html.unescape(target) for target in re.findall(r'href="([^"]+)"', actions.group())]
    colab, notebook, script, source, issue = targets
    base = "https://github.com/Planter/planted"
    assert (
        colab == f"https://colab.research.google.com/github/Planter/planted/blob/main/notebooks/{lang}/demo/sums.ipynb"
    )
    assert (notebook, script) == ("sums.ipynb", "sums.py")
    assert source == f"{base}/blob/main/recipes/demo/sums.py"
    assert issue.startswith(f"{base}/issues/new?")
    filled = dict(parse_qsl(issue.partition("?")[2]))
    assert (filled["template"], filled["slug"]) == ("recipe-is-wrong.yml", planted.KEY)
    assert planted.COMMIT[:12] in filled["version"]
    downloads = re.findall(r'href="([^"]+)"[^>]* download>', actions.group())
    assert downloads == ["sums.ipynb", "sums.py"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_stamp_says_what_the_run_record_holds(lang: str) -> None:
    record = run().record
    stamp = re.search(r'<div class="stamp".*?</div>', page(lang).text, re.DOTALL)
    assert stamp
    text = html.unescape(stamp.group())
    facts = [record["date"], f"{record['seconds']:.0f} ", f"{record['peak_memory'] / 1e6:.0f} MB", record["python"]]
    facts += [record["processor"], *(f"{name} {version}" for name, version in record["versions"].items())]
    for fact in facts:
        assert fact in text
    assert ("2 of 2 checks passed" if lang == "en" else "2 项检查全部通过") in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_questions_that_it_answers_are_linked(lang: str) -> None:
    for question in ("d0-q01", "d1-q01"):
        assert f"- [{bank().questions[question][lang]}](../../questions/index.md#{question})\n" in page(lang).text
    assert "d0-q02" not in page(lang).text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_parts_above_the_text_stand_between_title_and_text(lang: str) -> None:
    text = page(lang).text
    order = [
        '<nav class="actions"',
        '<div class="stamp"',
        '<div class="answers"',
        "easily found" if lang == "en" else "求得",
    ]
    positions = [text.index(part) for part in order]
    assert positions == sorted(positions) and text.index("\n") < positions[0]


# ---- the text


def test_each_page_holds_its_own_language() -> None:
    assert "A list of numbers" in page("en").text and "A list of numbers" not in page("zh").text
    assert "一列数有一个和，而这个和很容易求得。" in page("zh").text
    prose = re.sub(r"```.*?```|<[^>]+>", "", page("en").text, flags=re.DOTALL)
    assert not re.search(r"[一-鿿]", prose)


def test_links_between_sources_become_links_between_pages() -> None:
    assert "[the data](sums.ipynb)" in page("en").text
    assert "[数据](sums.ipynb)" in page("zh").text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[a](b.py)", "[a](b.ipynb)"),
        ("[a](../c/b.py#d)", "[a](../c/b.ipynb#d)"),
        ("[a](b.py) and [c](d.py)", "[a](b.ipynb) and [c](d.ipynb)"),
        ('[a](b.py "title")', '[a](b.ipynb "title")'),
        ("[a](https://x.org/b.py)", "[a](https://x.org/b.py)"),
        ("[a](http://x.org/b.py#c)", "[a](http://x.org/b.py#c)"),
        ("b.py and (b.py)", "b.py and (b.py)"),
        ("`[a](b.py)`", "`[a](b.py)`"),
    ],
)
def test_only_links_to_sources_change(source: str, expected: str) -> None:
    assert pages.page_links(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("> **Note: a** b", '!!! note "a"\n\n    b'),
        ("> **Tip: a** b\n> c", '!!! tip "a"\n\n    b\n    c'),
        ("> **Warning: a** b\n>\n> c", '!!! warning "a"\n\n    b\n\n    c'),
        ("> **注意：甲** 乙", '!!! note "甲"\n\n    乙'),
        ("> **提示：甲** 乙", '!!! tip "甲"\n\n    乙'),
        ("> **警告: 甲** 乙", '!!! warning "甲"\n\n    乙'),
        ("> **Tip: a**\n> b", '!!! tip "a"\n\n    b'),
        ("a\n\n> **Tip: b** c\n\nd", 'a\n\n!!! tip "b"\n\n    c\n\nd'),
        ("> **Tip: a** b\n\n> **Note: c** d", '!!! tip "a"\n\n    b\n\n!!! note "c"\n\n    d'),
        ("> **Tip: a** b\n> ```python\n> x\n> ```", '!!! tip "a"\n\n    b\n    ```python\n    x\n    ```'),
        ("> **Tip:** a", '!!! tip "Tip"\n\n    a'),
        ("> **提示：** 甲", '!!! tip "提示"\n\n    甲'),
        ("> a quotation", "> a quotation"),
        ("> **Strong** words", "> **Strong** words"),
        ("> **Tipping: a** b", "> **Tipping: a** b"),
    ],
)
def test_callouts_become_admonitions_and_quotations_stay(source: str, expected: str) -> None:
    assert re.sub(r" +$", "", pages.callouts(source), flags=re.MULTILINE) == expected


def test_a_callout_of_the_recipe_renders_as_an_admonition() -> None:
    for lang, title, text in (("en", "order", "The order of the numbers"), ("zh", "顺序", "数的顺序无关紧要。")):
        out = rendered(page(lang).text)
        assert f'<div class="admonition tip">\n<p class="admonition-title">{title}</p>\n<p>{text}' in out


def test_tables_and_formulas_of_the_prose_reach_the_page_as_they_are() -> None:
    for lang in LANGUAGES:
        out = rendered(page(lang).text)
        assert '<div class="arithmatex">' in out and "\\sum_i x_i" in out
        assert f"<td>{'adding' if lang == 'en' else '相加'}</td>" in out


# ---- claims and checks


@pytest.mark.parametrize(("lang", "verified"), [("en", "verified"), ("zh", "已验证")])
def test_there_is_a_tick_for_every_assert(lang: str, verified: str) -> None:
    tick = f'<span class="tick" role="img" aria-label="{verified}">✓</span>'
    asserts = next(cell for cell in run().recipe.cells if cell.is_checks).source.count("assert ")
    assert page(lang).text.count(f"- {tick} ") == page(lang).text.count("✓") == asserts == 2
    assert len(re.findall(rf"<li>{re.escape(tick)}", rendered(page(lang).text))) == asserts


@pytest.mark.parametrize(("lang", "title"), [("en", "The checks as code"), ("zh", "检查代码")])
def test_the_checks_are_folded_beneath_the_claims(lang: str, title: str) -> None:
    text = page(lang).text
    folded = (
        f'??? quote "{title}"\n\n    ```python\n    assert total == 6\n    assert results["largest"] == 3\n    ```\n'
    )
    assert folded in text
    assert text.rindex("✓") < text.index(folded)
    assert text.count("assert total == 6") == 1
    assert re.search(r'<details class="quote">\s*<summary>', rendered(text))


# ---- code and outputs


def test_every_code_cell_is_on_the_page_in_order() -> None:
    for lang in LANGUAGES:
        fences = re.findall(r"^ *```python\n(.*?)\n *```$", page(lang).text, re.DOTALL | re.MULTILINE)
        assert [re.sub("^    ", "", fence, flags=re.MULTILINE) if "assert" in fence else fence for fence in fences] == [
            cell.source for cell in run().recipe.code_cells
        ]


@pytest.mark.parametrize(("lang", "note"), [("en", "1. Built in."), ("zh", "1. 内置函数。")])
def test_annotations_stand_directly_after_their_code_and_before_its_output(lang: str, note: str) -> None:
    # Material only reads a list as annotations where it follows the code.
    text = page(lang).text
    assert f'print(json.dumps({{"total": total}}))\n```\n\n{note}\n\n<div class="nb-output"' in text


@pytest.mark.parametrize(("lang", "names"), [("en", ("Output", "Table")), ("zh", ("输出", "表"))])
def test_outputs_stand_in_boxes_that_a_keyboard_reaches(lang: str, names: tuple[str, str]) -> None:
    boxes = re.findall(r'<div class="nb-(\w+)" ([^>]*)>', page(lang).text)
    assert [kind for kind, _ in boxes[:2]] == ["output", "table"]
    labels = []
    for kind, attributes in boxes:
        assert 'tabindex="0"' in attributes and 'role="region"' in attributes
        label = re.search(r'aria-label="(\D+) (\d+)"', attributes)
        assert label and label[1] == names[kind == "table"]
        labels.append(label[2])
    assert len(set(labels)) == len(labels), "two regions of one name"
    assert "<pre>{&quot;total&quot;: 6}</pre>" in page(lang).text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_results_are_shown_as_they_were_measured(lang: str) -> None:
    text = page(lang).text
    table = text[text.index("results = {") : text.index("## Checked" if lang == "en" else "## 已验证")]
    for name, value in run().record["results"].items():
        assert re.search(rf'<th scope="row">{name}</th>\s*<td>{value}</td>', table)


def test_a_tables_cells_say_what_they_head() -> None:
    table = re.search(r'<div class="nb-table".*?</div>', page().text, re.DOTALL)
    assert table
    assert '<th scope="col">number</th>' in table.group()
    assert '<th scope="row">0</th>' in table.group()
    assert "<style" not in table.group() and "border=" not in table.group()


def test_a_styled_table_is_a_table_like_the_others() -> None:
    styled = """<style type="text/css">\n</style>
<table id="T_5f3a1">
  <thead>
    <tr>
      <th id="T_5f3a1_level0_col0" class="col_heading level0 col0" >label</th>
    </tr>
  </thead>
  <tbody>
    <tr>
      <td id="T_5f3a1_row0_col0" class="data row0 col0" >great</td>
    </tr>
  </tbody>
</table>
"""
    cleaned = re.sub(r"\s*\n\s*", "", outputs.clean_table(styled))
    head, body = '<thead><tr><th scope="col">label</th></tr></thead>', "<tbody><tr><td>great</td></tr></tbody>"
    assert cleaned == f'<table class="frame">{head}{body}</table>'


FIGURE_LINE = re.compile(
    r'!\[(?P<alt>.*?)\]\((?P<name>[^)#]+)#only-(?P<scheme>\w+)\)\{ width="(\d+)" height="(\d+)" (?P<rest>[^}]*)\}'
)


@pytest.mark.parametrize(
    ("lang", "alt"), [("en", "Three points, the first the highest."), ("zh", "三个点，第一个最高。")]
)
def test_figures_are_described_and_drawn_for_light_and_dark(lang: str, alt: str) -> None:
    made = {name: pages.recipe_page(run(), bank(), SITE, name) for name in LANGUAGES}  # before cards add thumbnails
    found = list(FIGURE_LINE.finditer(made[lang].text))
    assert [match["scheme"] for match in found] == ["light", "dark"]
    files = {figure.name: figure.content for figure in made[lang].figures}
    assert set(files) == {match["name"] for match in found}
    contents = []
    for match in found:
        assert match["alt"] == alt
        assert "loading=lazy" in match["rest"]
        with Image.open(io.BytesIO(files[match["name"]])) as image:
            width, height = int(match[4]), int(match[5])
            assert abs(image.width / image.height - width / height) < 0.02
            assert width <= image.width
            contents.append(image.convert("RGBA").tobytes())
    assert contents[0] != contents[1]
    assert made["en"].figures == made["zh"].figures, "one recipe, one set of figures"


def test_the_figures_ink_follows_the_page() -> None:
    for figure, scheme in zip(page().figures, outputs.INK_ON, strict=True):
        with Image.open(io.BytesIO(figure.content)) as image:
            colours = {colour[:3] for _, colour in image.convert("RGBA").getcolors(1 << 24) if colour[3] == 255}
        assert outputs.INK_ON[scheme] in colours
        assert outputs.INK not in colours


def png(width: int = 16, height: int = 8) -> str:
    buffer = io.BytesIO()
    Image.new("RGBA", (width, height), (*outputs.INK, 255)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def shown(*every: dict[str, object], alt: str = "alt") -> str:
    images = planted.executed().parent / "images"
    text, _ = outputs.render(list(every), alt, "en", "slug/figure", count(1), images)
    return text


@pytest.mark.parametrize(
    "alt",
    [
        "plain",
        "in [0, 1]",
        "in [0, 1)",
        "a_b and c*d*",
        'the "best" one',
        "`loss` falls",
        "the loss $L$",
        "x < y & z > 1",
        "半开区间 [0, 1)，“最好”",
        "back\\slash",
    ],
)
def test_an_alternative_text_reads_as_it_was_written(alt: str) -> None:
    out = rendered(shown({"output_type": "display_data", "data": {"image/png": png()}}, alt=alt))
    written = [html.unescape(text) for text in re.findall(r'<img alt="([^"]*)"', out)]
    assert written == [alt, alt]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"output_type": "stream", "name": "stdout", "text": "a < b\n"}, "<pre>a &lt; b</pre>"),
        ({"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]}, "<pre>a\nb</pre>"),
        ({"output_type": "execute_result", "data": {"text/plain": "<A & B>"}}, "<pre>&lt;A &amp; B&gt;</pre>"),
        ({"output_type": "display_data", "data": {"text/latex": "$$x^2$$", "text/plain": "x"}}, "$$\nx^2\n$$"),
        ({"output_type": "display_data", "data": {"text/html": "<b>c</b>", "text/plain": "c"}}, "<b>c</b>"),
    ],
)
def test_every_kind_of_output_is_shown(output: dict[str, object], expected: str) -> None:
    assert expected in shown(output)


def test_an_output_with_empty_lines_stays_one_box() -> None:
    out = rendered(
        shown({"output_type": "stream", "name": "stdout", "text": "# a\n\n- b\n\n    c\n</div>\n"}) + "\n\nafter"
    )
    assert "<pre># a\n\n- b\n\n    c\n&lt;/div&gt;</pre></div>" in out
    assert out.rstrip().endswith("<p>after</p>")


def test_prints_that_follow_each_other_are_one_output() -> None:
    streams = [{"output_type": "stream", "name": "stdout", "text": text} for text in ("a", "b\n", ["c", "d"])]
    other = {"output_type": "display_data", "data": {"text/plain": "x"}}
    merged = outputs.merge_streams([*streams, other, streams[0]])
    assert [one.get("text") for one in merged] == ["ab\ncd", None, "a"]
    assert streams[0]["text"] == "a", "what was given stays as it was"


def test_a_figure_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = outputs.encode(base64.b64decode(png()), tmp_path)
    monkeypatch.setattr(outputs, "webp", lambda _image: pytest.fail("encoded again"))
    assert outputs.encode(base64.b64decode(png()), tmp_path) == first
    assert set(first) == {"light", "dark"} and first["light"] != first["dark"]


def test_drawings_are_kept_exactly_and_photographs_within_a_budget() -> None:
    noise = Image.frombytes("RGB", (400, 400), random.Random(0).randbytes(3 * 400 * 400))
    for image, exact in ((Image.new("RGB", (400, 400), "teal"), True), (noise.resize((1200, 1200)), False)):
        encoded = outputs.webp(image)
        with Image.open(io.BytesIO(encoded)) as decoded:
            assert (decoded.convert("RGB").tobytes() == image.tobytes()) is exact
        lossless = io.BytesIO()
        image.save(lossless, "WEBP", lossless=True, method=4)
        assert exact or len(encoded) < 0.5 * len(lossless.getvalue())


def test_a_thumbnail_is_small_and_keeps_its_proportions(tmp_path: Path) -> None:
    content, width, height = outputs.thumbnail(outputs.webp(Image.new("RGBA", (1000, 500))), tmp_path)
    assert (width, height) == (480, 240)
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (480, 240)


# ---- a page is made only from what ran


def test_a_recipe_that_never_ran_makes_no_page(tmp_path: Path) -> None:
    root = planted.plant(tmp_path)
    with pytest.raises(runs.NotExecuted, match=r"sums\.py:1: .*; run `cookbook run sums`"):
        runs.load(recipe.read(root / planted.SOURCE), root)


@pytest.mark.parametrize("gone", [planted.EXECUTED, planted.RECORD])
def test_half_of_a_run_makes_no_page(tmp_path: Path, gone: Path) -> None:
    root = planted.copy(tmp_path)
    (root / gone).unlink()
    with pytest.raises(runs.NotExecuted):
        runs.load(recipe.read(root / planted.SOURCE), root)


def test_outputs_of_other_code_make_no_page(tmp_path: Path) -> None:
    root = planted.copy(tmp_path)
    planted.edit(root / planted.SOURCE, "numbers = [3, 1, 2]", "numbers = [2, 1, 3]")
    done = planted.cookbook(root, "pages", "--markdown", "out")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert re.fullmatch(r"recipes/demo/sums\.py:1: .+; run `cookbook run sums`", sentence)
    assert not (root / "out").exists()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_download_is_the_notebook_of_the_language_with_outputs(lang: str) -> None:
    notebook = json.loads(page(lang).download or "")
    first = notebook["cells"][0]
    assert "".join(first["source"]).startswith("# Add" if lang == "en" else "# 把")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code[0]["metadata"]["tags"] == ["install"] and code[0]["outputs"] == []
    assert [len(cell["outputs"]) for cell in code[1:]] == [0, 1, 1, 1, 0, 0]
    assert [cell["execution_count"] for cell in code[1:]] == [1, 2, 3, 4, 5, 6]


# ---- the other pages


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_question_bank_shows_every_question_and_what_answers_it(lang: str) -> None:
    by_topic, by_document = bank_pages.question_pages([run()], bank(), lang)
    for question, content in bank().questions.items():
        assert by_topic.text.count(f'id="{question}"') == 1
        assert by_document.text.count(f'href="../#{question}"') == 1
        assert html.escape(content[lang]) in by_topic.text and html.escape(content[lang]) in by_document.text
    open_text = "not answered yet" if lang == "en" else "尚未回答"
    assert by_topic.text.count(f'<span class="open" data-search-exclude>{open_text}</span>') == 2  # topics
    assert by_document.text.count('<a class="open"') == 2 == by_document.text.count('class="tick"')  # questions
    for title in (one[lang] for one in bank().documents.values()):
        assert f"## {title}" in by_document.text


@pytest.mark.parametrize(("lang", "text"), [("en", "2 of the 4 have an answer"), ("zh", "4 道中已有 2 道解答")])
def test_the_count_of_answered_questions_is_true(lang: str, text: str) -> None:
    assert text in bank_pages.answered_count([run()], bank(), lang)
    assert "3" in bank_pages.answered_count([run()], bank(), lang), "different questions"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_chapter_has_its_recipes_and_names_what_is_still_to_come(lang: str) -> None:
    made = gallery.chapter_pages([run()], [page(lang)], bank(), lang)
    assert [one.path for one in made] == ["recipes/demo/index.md"], "the other chapter has no recipe yet"
    text = made[0].text
    assert text.startswith(f"# {bank().chapters['demo']['title'][lang]}\n")
    assert run().recipe.header["title"][lang] in text and run().recipe.header["description"][lang] in text
    assert f"- {bank().topics['products']['title'][lang]}" in text
    assert "](../../" not in text and 'href="../../recipes/demo/sums/"' in text


def test_titles_with_markup_are_escaped(tmp_path: Path) -> None:
    root = planted.copy(tmp_path)
    planted.edit(root / planted.BANK, "en: How do you multiply numbers?", "en: Is a < b && <script>?")
    by_topic, by_document = bank_pages.question_pages([], questions.read(root), "en")
    for one in (by_topic, by_document):
        assert "<script>" not in one.text and "Is a &lt; b &amp;&amp; &lt;script&gt;?" in one.text


# ---- the whole tree


@cache
def tree() -> Path:
    """`cookbook pages --markdown` of the executed repository."""
    folder = planted.executed().parent / "tree"
    done = planted.cookbook(planted.executed(), "pages", "--markdown", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert all(Path(line).exists() for line in done.stdout.splitlines())
    return folder


def test_the_tree_has_the_same_pages_in_both_languages() -> None:
    english = {path.relative_to(tree()) for path in tree().rglob("*.md") if "zh" not in path.relative_to(tree()).parts}
    chinese = {path.relative_to(tree() / "zh") for path in (tree() / "zh").rglob("*.md")}
    names = [
        "about.md",
        "answers/demo.md",
        "answers/index.md",
        "index.md",
        "questions/documents.md",
        "questions/index.md",
        "recipes/demo/index.md",
        "recipes/demo/sums.md",
        "recipes/index.md",
        "results/health.md",
        "results/index.md",
        "tags/data.md",
        "tags/index.md",
    ]
    assert english == chinese == {Path(name) for name in names}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_relative_target_in_the_tree_exists(lang: str) -> None:
    base = tree() if lang == "en" else tree() / "zh"
    checked = 0
    for path in base.rglob("*.md"):
        if lang == "en" and "zh" in path.relative_to(tree()).parts:
            continue
        text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match("https?:", target):
                assert (path.parent / target.partition("#")[0]).exists(), f"{path.name}: {target}"
                checked += 1
        # Addresses in markup are those of the built page: a folder for every page but an index.
        served = path.parent if path.name == "index.md" else path.with_suffix("")
        for target in re.findall(r'(?:href|src)="([^"]+)"', text):
            if not re.match(r"https?:|#|\?", target):
                place = Path(os.path.normpath(served / target.partition("#")[0]))
                assert place.exists() or place.with_suffix(".md").exists(), f"{path.name}: {target}"
                checked += 1
    assert checked > 10


@pytest.mark.parametrize("lang", LANGUAGES)
def test_downloads_and_figures_lie_beside_the_page(lang: str) -> None:
    base = (tree() if lang == "en" else tree() / "zh") / "recipes" / "demo" / "sums"
    names = sorted(path.name for path in base.iterdir())
    assert {"sums.ipynb", "sums.py", "figure-3-dark.webp", "figure-3-light.webp"} <= set(names)
    assert (base / "sums.py").read_text("utf-8") == scripts.script(run(), lang, SITE)


def test_a_hand_written_page_has_its_marks_filled_in() -> None:
    for base in (tree(), tree() / "zh"):
        text = (base / "index.md").read_text("utf-8")
        assert "<!--" not in text
        assert '<li class="card"' in text and 'href="recipes/demo/sums/"' in text


def test_a_forks_pages_open_the_forks_notebooks(tmp_path: Path) -> None:
    done = planted.cookbook(
        planted.executed(), "pages", "--markdown", str(tmp_path / "out"), GITHUB_REPOSITORY="Forker/fork"
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "recipes" / "demo" / "sums.md").read_text("utf-8")
    assert "colab.research.google.com/github/Forker/fork/blob/main/notebooks/en/demo/sums.ipynb" in text
    assert "Planter/planted" not in text


@pytest.mark.parametrize("value", ["", "nonsense", "/", "owner/"])
def test_a_malformed_fork_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", value)
    assert site.read(planted.plant(tmp_path), fork=True) == SITE


ZENSICAL = shutil.which("zensical", path=os.pathsep.join([str(planted.BIN), os.environ.get("PATH", "")]))
CONFIG = """\
site_name: Planted
site_url: https://example.org/
docs_dir: docs
site_dir: site
markdown_extensions:
  - admonition
  - attr_list
  - md_in_html
  - tables
  - footnotes
  - pymdownx.details
  - pymdownx.superfences
  - pymdownx.highlight
  - pymdownx.arithmatex: {generic: true}
"""


@pytest.mark.skipif(ZENSICAL is None, reason="zensical is not installed; `pip install zensical` to try the way out")
def test_another_generator_builds_the_tree(tmp_path: Path) -> None:
    shutil.copytree(tree(), tmp_path / "docs")
    (tmp_path / "mkdocs.yml").write_text(CONFIG)
    done = subprocess.run(
        [str(ZENSICAL), "build", "-f", "mkdocs.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for base in ("", "zh/"):
        built = tmp_path / "site" / base / "recipes" / "demo" / "sums"
        text = (built / "index.html").read_text("utf-8")
        assert "admonition tip" in text and "nb-output" in text and "✓" in text
        images = re.findall(r'<img[^>]*src="([^"#]+)', text)
        figures = [(built / source).resolve() for source in images if "figure-" in source]
        assert len(figures) == 2 and all(path.exists() for path in figures)
        assert (built / "sums.ipynb").exists()


def test_zensical_is_found_where_it_can_be_imported() -> None:
    # Otherwise the test above would be skipped although the package is there.
    assert (importlib.util.find_spec("zensical") is None) or ZENSICAL is not None
