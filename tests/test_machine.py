"""What programs read: scripts, Markdown, lists, structured data, feed, pictures, redirects; zips; pages of a change."""

import ast
import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import planted
import pytest
from PIL import Image
from test_pages import SITE, bank, page, run

from cookbook import machine, pack, preview, recipe, scripts
from cookbook.history import Change

LANGUAGES = recipe.LANGUAGES
CHANGES = {
    "demo/sums": [
        Change("2026-02-03T10:00:00+01:00", "b" * 40, "Sums are exact"),
        Change("2026-01-01T10:00:00+01:00", "a" * 40, "Recipe: sums"),
    ]
}


# ---- scripts


def metadata(script: str) -> dict[str, object]:
    """Inline script metadata, read as its specification says."""
    block = re.search(r"(?m)^# /// script\n(?P<content>(?:^#(?:| .*)\n)+?)^# ///$", script)
    assert block is not None
    lines = block["content"].splitlines()
    return tomllib.loads("\n".join(line[2:] if line.startswith("# ") else line[1:] for line in lines))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_script_is_the_recipes_code_with_its_text_as_comments(lang: str) -> None:
    text = scripts.script(run(), lang, SITE)
    code = [cell.source for cell in run().recipe.code_cells]
    assert sum(source in text for source in code) >= len(code) - 1, "all but what is printed instead of shown"
    ast.parse(text)
    other = "zh" if lang == "en" else "en"
    assert f"# {run().recipe.header['title'][lang]}" in text
    assert run().recipe.header["title"][other] not in text
    assert SITE.page(run().recipe.key, lang) in text


def test_a_script_names_its_packages_and_those_wanted_without_their_own() -> None:
    data = metadata(scripts.script(run(), "en", SITE))
    assert data["requires-python"] == ">=3.11"
    wanted = data["dependencies"]
    assert (
        isinstance(wanted, list) and planted.pinned(planted.PLAIN) in wanted and planted.pinned(planted.BARE) in wanted
    )
    assert len({name.partition("==")[0] for name in wanted}) == len(wanted), "each package once"
    name, _, version = planted.pinned(planted.BARE).partition("==")
    assert data["tool"] == {"uv": {"dependency-metadata": [{"name": name, "version": version, "requires-dist": []}]}}


def test_a_script_runs_alone_in_an_empty_folder(tmp_path: Path) -> None:
    path = tmp_path / "sums.py"
    path.write_text(scripts.script(run(), "en", SITE), encoding="utf-8")
    environment = planted.environment(tmp_path, MPLBACKEND="agg")
    done = subprocess.run([sys.executable, path], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_a_notebook_shows_a_script_prints() -> None:
    cell = recipe.Cell("code", "x = 2\nx * [\n    1\n]", 1, {})
    shown = [{"output_type": "execute_result", "data": {"text/plain": "[1, 1]"}}]
    changed = replace(run(), recipe=replace(run().recipe, cells=(cell,)), shown=[shown])
    printed = io.StringIO()
    exec(scripts.script(changed, "en", SITE), {"print": lambda value: printed.write(repr(value))})
    assert printed.getvalue() == "[1, 1]"


def test_a_script_prints_a_styled_table_plainly() -> None:
    cell = recipe.Cell("code", "frame.style.hide()", 1, {})
    styler = "<pandas.io.formats.style.Styler at 0x7f>"
    shown = [{"output_type": "execute_result", "data": {"text/html": "<table></table>", "text/plain": styler}}]
    changed = replace(run(), recipe=replace(run().recipe, cells=(cell,)), shown=[shown])
    assert scripts.script(changed, "en", SITE).endswith("\n\nprint(frame)\n"), "styling takes jinja2 and gives HTML"


# ---- Markdown, lists, data, feed


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_recipe_as_markdown_has_its_text_code_outputs_and_pictures(lang: str) -> None:
    extra = machine.extra_files([run()], [page(lang)], bank(), CHANGES, SITE, lang)
    text = extra["recipes/demo/sums/index.md"]
    assert isinstance(text, str)
    for cell in run().recipe.code_cells:
        assert f"```python\n{cell.source}\n```" in text
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert "```text\n" in text and not re.search(r"<(div|nav|table|span|img)\b", prose)
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    names = {figure.name.partition("/")[2] for figure in page(lang).figures}
    assert pictures and all(url.startswith(SITE.page("demo/sums", lang)) for url in pictures)
    assert {url.rpartition("/")[2] for url in pictures} <= names


@pytest.mark.parametrize("lang", LANGUAGES)
def test_llms_txt_lists_every_recipe(lang: str) -> None:
    text = machine.llms_txt([run()], bank(), SITE, lang)
    first, _, quote = text.split("\n")[:3]
    assert first.startswith("# ") and quote.startswith("> ")
    header = run().recipe.header
    address = f"{SITE.page('demo/sums', lang)}index.md"
    assert f"- [{header['title'][lang]}]({address}): {header['description'][lang]}" in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_structured_data_is_json_that_cannot_end_its_element(lang: str) -> None:
    title = {"en": "</script><b>", "zh": "</script><b>"}
    hostile = replace(run(), recipe=replace(run().recipe, header=run().recipe.header | {"title": title}))
    text = machine.structured_data(hostile, CHANGES["demo/sums"], "p.png", SITE, lang)
    assert "<" not in text
    data = json.loads(text)
    assert data["headline"] == "</script><b>" and set(data["@type"]) == {"TechArticle", "LearningResource"}
    assert data["datePublished"] == "2026-01-01T10:00:00+01:00" and data["dateModified"] == "2026-02-03T10:00:00+01:00"
    assert re.fullmatch(r"PT\d+S", data["timeRequired"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_feed_is_atom_with_the_changed_recipes(lang: str) -> None:
    root = ElementTree.fromstring(machine.feed([run()], CHANGES, SITE, lang).partition("\n")[2])
    name = {"a": machine.ATOM}
    for required in ("a:id", "a:title", "a:updated", "a:author/a:name"):
        assert root.findtext(required, namespaces=name)
    (entry,) = root.findall("a:entry", name)
    assert entry.findtext("a:id", namespaces=name) == SITE.page("demo/sums", lang)
    assert entry.findtext("a:published", namespaces=name) == "2026-01-01T10:00:00+01:00"
    assert entry.findtext("a:updated", namespaces=name) == "2026-02-03T10:00:00+01:00"
    assert machine.feed([run()], {}, SITE, lang).count("<entry>") == 0


def test_the_feed_puts_the_latest_first_whatever_its_clock_shows() -> None:
    other = replace(run(), recipe=replace(run().recipe, path=Path("recipes/demo/means.py")))
    early = Change("2026-01-02T01:00:00+08:00", "1" * 40, "17:00 in UTC")
    late = Change("2026-01-01T20:00:00+00:00", "2" * 40, "20:00 in UTC")
    text = machine.feed([run(), other], {"demo/sums": [early], "demo/means": [late]}, SITE, "en")
    assert text.index("demo/means/") < text.index("demo/sums/")


def test_a_script_of_a_result_with_a_comment_still_runs() -> None:
    cell = recipe.Cell("code", "a = 1; a  # shown\n# done", 1, {})
    shown = [{"output_type": "execute_result", "data": {"text/plain": "1"}}]
    changed = replace(run(), recipe=replace(run().recipe, cells=(cell,)), shown=[shown])
    assert scripts.script(changed, "en", SITE).endswith("\n\na = 1; print(a)  # shown\n# done\n")


def test_a_preview_picture_is_a_png_of_the_usual_size() -> None:
    extra = machine.extra_files([run()], [page("en")], bank(), CHANGES, SITE, "en")
    content = extra["recipes/demo/sums/preview.png"]
    assert isinstance(content, bytes) and len(content) < 300_000
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("PNG", machine.PREVIEW)
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 2, "something is drawn"
    assert machine.preview_url(run().recipe, SITE).endswith("recipes/demo/sums/preview.png")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_old_address_leads_to_the_recipe(lang: str) -> None:
    moved = replace(run(), recipe=replace(run().recipe, header=run().recipe.header | {"moved_from": ["demo/adding"]}))
    extra = machine.extra_files([moved], [page(lang)], bank(), {}, SITE, lang)
    text = str(extra["recipes/demo/adding/index.html"])
    assert 'http-equiv="refresh" content="0; url=../../../recipes/demo/sums/"' in text
    assert f'rel="canonical" href="{SITE.page("demo/sums", lang)}"' in text
    assert 'href="../../../recipes/demo/sums/"' in text


# ---- zips


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("../", "../index.html"),
        ("..", "../index.html"),
        (".", "./index.html"),
        ("recipes/demo/", "recipes/demo/index.html"),
        ("figure.webp", "figure.webp"),
        ("https://example.org/a/", "https://example.org/a/"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("data:image/png;base64,AA/", "data:image/png;base64,AA/"),
        ("/absolute/", "/absolute/"),
        ("", ""),
    ],
)
def test_a_folder_becomes_its_file(path: str, file: str) -> None:
    assert pack.file_of(path) == file


def small_site(root: Path) -> Path:
    pages = {
        "index.html": '<script src="assets/head.js"></script><a href="recipes/a/b/?x=1#y">b</a><a href="#z">z</a>',
        "zh/index.html": '<script src="assets/head.js"></script><a href="../">en</a>',
        "recipes/a/b/index.html": '<svg viewBox="0 0 24 24"><use href="../../../assets/icons.svg#i0"/></svg>',
        "recipes/a/b/b.ipynb": "{}",
        "zh/recipes/a/b/b.ipynb": "{}",
        "assets/icons.svg": '<svg><symbol id="i0" viewBox="0 0 24 24"><path d="M1 1"/></symbol></svg>',
        "zh/assets/icons.svg": "<svg></svg>",
        "search/search_index.json": json.dumps({"docs": [{"location": ""}, {"location": "recipes/a/b/#c"}]}),
        "404.html": '<a href="/x/">x</a>',
        "sitemap.xml": "<urlset/>",
    }
    for name, text in pages.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_the_offline_site_names_files_and_draws_its_icons(tmp_path: Path) -> None:
    contents = pack.offline(small_site(tmp_path))
    assert b'href="recipes/a/b/index.html?x=1#y"' in contents["index.html"] and b'href="#z"' in contents["index.html"]
    assert b'href="../index.html"' in contents["zh/index.html"]
    assert (
        b'<path d="M1 1"/>' in contents["recipes/a/b/index.html"] and b"<use" not in contents["recipes/a/b/index.html"]
    )
    assert b'src="assets/offline/iframe-worker.js"' in contents["index.html"]
    index = contents["search/search_index.js"].decode()
    found = json.loads(index.removeprefix("var __index = "))["docs"]
    assert [document["location"] for document in found] == ["index.html", "recipes/a/b/index.html#c"]
    assert not {"404.html", "sitemap.xml", "search/search_index.json"} & set(contents)


def test_the_zips_are_the_same_bytes_every_time_and_hold_one_folder(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    made = {path.name: path.read_bytes() for path in pack.pack(site)}
    assert {path.name: path.read_bytes() for path in pack.pack(site)} == made, "zips do not end up in the zip"
    assert len(made) == 3
    for name, content in made.items():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            assert {entry.partition("/")[0] for entry in archive.namelist()} == {name.removesuffix(".zip")}
    with zipfile.ZipFile(io.BytesIO(made["recipes-that-run-notebooks-zh.zip"])) as archive:
        assert archive.namelist() == ["recipes-that-run-notebooks-zh/a/b.ipynb"]


def test_a_site_of_one_language_is_not_packed(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    (site / "zh" / "index.html").unlink()
    with pytest.raises(FileNotFoundError, match="run `make site`, which builds both languages"):
        pack.pack(site)
    assert not (site / "downloads").exists()


# ---- what a change does


def built(root: Path, pages: dict[str, str], value: float, picture: bytes) -> Path:
    for name, text in pages.items():
        path = root / name / "index.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<html><article>{text}</article></html>")
    (root / "recipes/a/figure-1-light.webp").write_bytes(picture)
    results = {"recipes": [{"recipe": "demo/a", "figures": [{"name": "error", "value": value}]}]}
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / "results.json").write_text(json.dumps(results))
    return root


def test_a_preview_shows_pages_figures_and_results_before_and_after(tmp_path: Path) -> None:
    stamp = '<div class="stamp">Ran on {}</div>'
    old = {"": "home", "recipes/a": f"old {stamp.format('Monday')}", "gone": "x", "same": stamp.format("Monday")}
    new = {"": "home", "recipes/a": f"new {stamp.format('Friday')}", "more": "x", "same": stamp.format("Friday")}
    before = built(tmp_path / "before", old, 0.25, b"old picture")
    after = built(tmp_path / "after", new, 0.125, b"new picture")
    pages = preview.preview(before, after, tmp_path / "out")
    assert pages == {"added": ["more/"], "changed": ["recipes/a/"], "removed": ["gone/"]}
    text = (tmp_path / "out" / "index.html").read_text()
    assert "<td>0.25</td><td>0.125</td>" in text
    shown = re.findall(r'src="(figures/[^"]+)"', text)
    assert [(tmp_path / "out" / name).read_bytes() for name in shown] == [b"old picture", b"new picture"]


def test_two_equal_sites_show_no_change(tmp_path: Path) -> None:
    sides = [built(tmp_path / name, {"recipes/a": "x"}, 1.0, b"p") for name in ("before", "after")]
    assert preview.preview(*sides, tmp_path / "out") == {"added": [], "changed": [], "removed": []}
    text = (tmp_path / "out" / "index.html").read_text()
    assert "No figure has changed" in text and "<img" not in text


def test_a_folder_without_pages_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no page; build the site there first"):
        preview.preview(tmp_path, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
