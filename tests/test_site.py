"""The built site as files: every address leads somewhere, and every page shows what the sources and the runs say."""

import ast
import gzip
import html
import json
import re
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urljoin, urlsplit
from xml.etree import ElementTree

import nbformat
import pytest
import tinycss2
import yaml
from bs4 import BeautifulSoup, Tag
from conftest import ROOT
from PIL import Image

from cookbook import pages, recipe
from cookbook import site as address

LANGUAGES = {"en": "", "zh": "zh/"}
MAX_HTML = 80_000  # mean bytes of a recipe page
MAX_INDEX_GZIP = 20_000  # bytes of the search index, a recipe in one language
# The text alone of a page is 9 to 11 kB gzip, so what can be kept small is the markup around it. Part of that is the
# navigation, which names every recipe of the chapter: some 20 bytes each.
MAX_HTML_GZIP, MAX_MARKUP_GZIP = 16_000, 6_000
# What a browser loads by itself, as against <a>, which a reader follows.
LOADED = {
    ("link", "href"), ("script", "src"), ("img", "src"), ("img", "srcset"), ("source", "src"), ("source", "srcset"),
    ("iframe", "src"), ("embed", "src"), ("object", "data"), ("video", "src"), ("video", "poster"), ("audio", "src"),
    ("track", "src"), ("input", "src"), ("image", "href"), ("use", "href"), ("form", "action"),
}  # fmt: skip
FOLLOWED = {("a", "href"), ("area", "href")}
NOT_LOADED = {"canonical", "alternate", "prev", "next", "author", "license", "edit"}  # kinds of <link>


@cache
def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@cache
def anchors(path: Path) -> frozenset[str]:
    """What an address may name after its `#`."""
    soup = parsed(path)
    return frozenset(str(tag[name]) for name in ("id", "name") for tag in soup.find_all(attrs={name: True}))


def pages_of(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def file_of(site: Path, base: str, url: str) -> Path | None:
    """The file that GitHub Pages sends for an address of the site; None for an address elsewhere."""
    bare = url.partition("#")[0].partition("?")[0]
    if not bare.startswith(base):
        return None
    path = site / unquote(bare.removeprefix(base))
    return path / "index.html" if bare.endswith("/") else path


def url_of(site: Path, base: str, path: Path) -> str:
    return base + path.relative_to(site).as_posix().removesuffix("index.html")


def references(soup: BeautifulSoup) -> Iterator[tuple[Tag, str, bool]]:
    """Every address on a page, with its element, and whether the browser loads it by itself."""
    for name, attribute in LOADED | FOLLOWED:
        for tag in soup.find_all(name, attrs={attribute: True}):
            kinds = set(tag.get("rel") or [])
            loaded = (name, attribute) in LOADED and not (name == "link" and kinds & NOT_LOADED)
            value = str(tag[attribute])
            parts = [part.split()[0] for part in value.split(",") if part.split()] if attribute == "srcset" else [value]
            for part in parts:
                yield tag, part, loaded
    for tag in soup.find_all(style=True):
        for url in urls_in_css(tinycss2.parse_declaration_list(str(tag["style"]))):
            yield tag, url, True
    for tag in soup.find_all("style"):
        for url in urls_in_css(tinycss2.parse_stylesheet(tag.get_text())):
            yield tag, url, True


def urls_in_css(nodes: list[Any]) -> Iterator[str]:
    """Addresses in a parsed stylesheet: url(…), and @import of a string."""
    for node in nodes:
        if node.type == "url":
            yield node.value
        elif node.type == "function" and node.lower_name == "url":
            yield "".join(argument.value for argument in node.arguments if argument.type == "string")
        elif node.type == "at-rule" and node.lower_at_keyword == "import":
            yield from (part.value for part in node.prelude if part.type == "string")
        for attribute in ("prelude", "content", "value", "arguments"):
            inner = getattr(node, attribute, None)
            if isinstance(inner, list):
                yield from urls_in_css(inner)


def faults(site: Path, base: str) -> list[str]:
    """Everything on a site that leads nowhere, that another host would serve, or that a page must have and lacks."""
    found = []
    for path in pages_of(site):
        here = url_of(site, base, path)
        soup = parsed(path)
        found += [f"{path.relative_to(site)}: {text}" for text in (*lacks(soup), *misled(site, base, here, soup))]
    for path in sorted(site.rglob("*.css")):
        here = url_of(site, base, path)
        rules = tinycss2.parse_stylesheet(path.read_text("utf-8"), skip_comments=True)
        for url in urls_in_css(rules):
            text = wrong_address(site, base, urljoin(here, url), loaded=True)
            found += [f"{path.relative_to(site)}: {text}"] if text else []
    for path in sorted(site.rglob("assets/head.js")):  # what the theme's script loads later
        for name in (
            *re.findall(r'new URL\("([^."]+.*?)", site\)', path.read_text("utf-8")),
            "search/search_index.json",
        ):
            text = wrong_address(site, base, urljoin(urljoin(url_of(site, base, path), ".."), name), loaded=True)
            found += [f"{path.relative_to(site)}: {text}"] if text else []
    return found


def lacks(soup: BeautifulSoup) -> Iterator[str]:
    """What each page must have once."""
    for name, count in (("h1", len(soup.find_all("h1"))), ("main", len(soup.find_all("main")))):
        if count != 1:
            yield f"{count} <{name}>"
    if soup.html is None or not soup.html.get("lang"):
        yield "no language"
    if soup.title is None or not soup.title.get_text(strip=True):
        yield "no title"
    description = soup.find("meta", attrs={"name": "description"})
    if description is None or not str(description.get("content", "")).strip():
        yield "no description"
    ids = [str(tag["id"]) for tag in soup.find_all(id=True)]
    yield from (f"id {name!r} more than once" for name in sorted({name for name in ids if ids.count(name) > 1}))
    yield from ("an empty id" for name in ids if not name)
    yield from (f"image {tag.get('src')} without alternative text" for tag in soup.find_all("img", alt=False))


def misled(site: Path, base: str, here: str, soup: BeautifulSoup) -> Iterator[str]:
    """What leads nowhere or elsewhere on one page."""
    for tag, reference, loaded in references(soup):
        url = urljoin(here, reference.strip())
        if not reference.strip():
            yield f"<{tag.name}> with an empty address"
        elif text := wrong_address(site, base, url, loaded=loaded):
            yield text
        if tag.has_attr("download") and not (file_of(site, base, url) or Path()).is_file():
            yield f"downloads {url}, which is no file"


def wrong_address(site: Path, base: str, url: str, *, loaded: bool) -> str | None:
    """Why an address is wrong, if it is."""
    file = file_of(site, base, url)
    if file is None:
        if loaded and urlsplit(url).scheme == "data":
            return None
        if loaded:
            return f"loads {url} from another host"
        if urlsplit(url).scheme not in ("https", "http", "mailto"):
            return f"links to {url}"
        if urlsplit(url).netloc == urlsplit(base).netloc:
            return f"links to {url}, above the site"
        return None
    if not file.is_file():
        return f"leads to {url}, which does not exist"
    anchor = unquote(urlsplit(url).fragment)
    if anchor and not loaded and file.suffix == ".html" and anchor not in anchors(file):
        return f"leads to {url}, which has no such anchor"
    return None


# --- the crawl -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def base() -> str:
    """Where the site is when published."""
    return address.read(ROOT, fork=True).url


@pytest.fixture(scope="session")
def records(executed: Path, sources: list[recipe.Recipe]) -> dict[str, dict[str, Any]]:
    folder = executed.parent / "runs"
    return {source.key: json.loads((folder / f"{source.key}.json").read_text("utf-8")) for source in sources}


@pytest.fixture(scope="session")
def bank() -> dict[str, Any]:
    """The question bank as it stands in the file, not as the package reads it."""
    return dict(yaml.safe_load((ROOT / "recipes" / "questions.yml").read_text("utf-8")))


def page_of(site: Path, lang: str, place: str) -> BeautifulSoup:
    return parsed(site / f"{LANGUAGES[lang]}{place}" / "index.html")


def text_of(tag: Tag | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def test_every_address_leads_somewhere_and_every_page_is_whole(site: Path, base: str) -> None:
    assert len(pages_of(site)) >= 10
    assert faults(site, base) == []


PLANTED = """<!doctype html><html lang="en"><head><title>t</title><meta name="description" content="d">
<link rel="stylesheet" href="x.css"></head><body><main><h1>h</h1><a href="other/#there">good</a>{}</main></body></html>
"""
FAULTS = {
    "broken link": ('<a href="nowhere/">x</a>', "nowhere/, which does not exist"),
    "broken absolute link": ('<a href="/base/nowhere.html">x</a>', "nowhere.html, which does not exist"),
    "link above the site": ('<a href="/questions/">x</a>', "above the site"),
    "broken anchor here": ('<a href="#nowhere">x</a>', "no such anchor"),
    "broken anchor there": ('<a href="other/#nowhere">x</a>', "no such anchor"),
    "missing image": ('<img src="none.webp" alt="">', "none.webp, which does not exist"),
    "missing image of a set": ('<img src="x.png" srcset="x.png 1x, none.webp 2x" alt="">', "none.webp"),
    "image without alternative text": ('<img src="x.png">', "without alternative text"),
    "missing script": ('<script src="none.js"></script>', "none.js, which does not exist"),
    "script of another host": ('<script src="https://cdn.example/x.js"></script>', "from another host"),
    "script of another host without scheme": ('<script src="//cdn.example/x.js"></script>', "from another host"),
    "image of another host": ('<img src="https://cdn.example/x.png" alt="">', "from another host"),
    "frame of another host": ('<iframe src="https://video.example/"></iframe>', "from another host"),
    "style of another host": ('<p style="background: url(https://cdn.example/x.png)">x</p>', "from another host"),
    "import of another host": ('<style>@import "https://cdn.example/x.css";</style>', "from another host"),
    "missing download": ('<a href="none.ipynb" download>x</a>', "none.ipynb, which is no file"),
    "link to nothing": ('<a href="javascript:void(0)">x</a>', "links to javascript:"),
    "duplicate id": ('<p id="same">x</p><p id="same">x</p>', "id 'same' more than once"),
    "empty id": ('<h2 id="">x</h2>', "an empty id"),
    "second heading": ("<h1>x</h1>", "2 <h1>"),
}


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A tiny site without fault."""
    (tmp_path / "other").mkdir()
    (tmp_path / "index.html").write_text(PLANTED.format(""), "utf-8")
    (tmp_path / "other" / "index.html").write_text(
        PLANTED.format('<p id="there">x</p>').replace("x.css", "../x.css").replace("other/", "../other/"), "utf-8"
    )
    (tmp_path / "x.css").write_text('@font-face { src: url("x.woff2") }', "utf-8")
    for name in ("x.png", "x.woff2", "x.js"):
        (tmp_path / name).touch()
    return tmp_path


def test_crawl_finds_nothing_wrong_with_a_sound_site(planted: Path) -> None:
    assert faults(planted, "https://host.example/base/") == []


@pytest.mark.parametrize("name", FAULTS)
def test_crawl_reports_a_planted_fault(planted: Path, name: str) -> None:
    markup, expected = FAULTS[name]
    (planted / "index.html").write_text(PLANTED.format(markup), "utf-8")
    found = faults(planted, "https://host.example/base/")
    assert len(found) >= 1 and any(expected in text for text in found), found


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (' lang="en"', "no language"),
        ("<title>t</title>", "no title"),
        ("<h1>h</h1>", "0 <h1>"),
        ("d", "no description"),
    ],
)
def test_crawl_reports_what_a_page_lacks(planted: Path, part: str, expected: str) -> None:
    whole = PLANTED.format("")
    page = whole.replace('content="d"', 'content=""') if part == "d" else whole.replace(part, "")
    assert page != whole
    (planted / "index.html").write_text(page, "utf-8")
    assert faults(planted, "https://host.example/base/") == [f"index.html: {expected}"]


@pytest.mark.parametrize("css", ['@font-face { src: url("none.woff2") }', "a { background: url(none.png) }"])
def test_crawl_reports_what_a_stylesheet_does_not_find(planted: Path, css: str) -> None:
    (planted / "x.css").write_text(css, "utf-8")
    assert "which does not exist" in faults(planted, "https://host.example/base/")[0]


@pytest.mark.parametrize(
    ("worker", "expected"), [("none.js", "/base/none.js, which does not exist"), ("x.js", "search_index.json, which")]
)
def test_crawl_reports_what_the_search_does_not_find(planted: Path, worker: str, expected: str) -> None:
    (planted / "assets").mkdir()
    (planted / "assets" / "head.js").write_text(f'search: new URL("{worker}", site).href,', "utf-8")
    assert expected in faults(planted, "https://host.example/base/")[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_leave_to_one_file_what_the_theme_would_repeat(site: Path, lang: str) -> None:
    head = (site / LANGUAGES[lang] / "assets" / "head.js").read_text("utf-8")
    assert head.count("__md_get =") == 1 and '"clipboard.copy": ""' not in head and "None" not in head
    icons = BeautifulSoup((site / LANGUAGES[lang] / "assets" / "icons.svg").read_text("utf-8"), "html.parser")
    drawn = {str(symbol["id"]) for symbol in icons.find_all("symbol")}
    asked = set()
    for path in (site / LANGUAGES[lang]).glob("recipes/*/*/index.html"):
        page = parsed(path)
        assert page.select("body script:not([src])")[0].get_text() == "paint()"
        assert len(page.select('script:not([src], [type="application/ld+json"])')) == 1
        asked |= {str(use["href"]).rpartition("#")[2] for use in page.find_all("use")}
    assert asked and asked <= drawn


def test_crawl_reports_a_stylesheet_that_loads_from_another_host(planted: Path) -> None:
    (planted / "x.css").write_text('@media screen { a { background: url("https://cdn.example/x.png") } }', "utf-8")
    assert "from another host" in faults(planted, "https://host.example/base/")[0]


# --- both languages --------------------------------------------------------------------------------------------------


def test_every_page_has_a_twin_and_both_link_to_each_other(site: Path, base: str) -> None:
    english = [path for path in pages_of(site) if "zh" not in path.relative_to(site).parts]
    chinese = [path for path in pages_of(site) if "zh" in path.relative_to(site).parts]
    assert [site / "zh" / path.relative_to(site) for path in english] == chinese
    for path in english:
        twin = site / "zh" / path.relative_to(site)
        for one, other, lang in ((path, twin, "zh"), (twin, path, "en")):
            links = parsed(one).select(f'header a[rel="alternate"][hreflang="{lang}"]')
            assert len(links) == 1, one
            # A page that stands for any address cannot know its twin, so its switch leads to the start.
            expected = other.with_name("index.html") if other.name == "404.html" else other
            target = urljoin(url_of(site, base, one), str(links[0]["href"]))
            assert target == url_of(site, base, expected), one
            assert parsed(one).html["lang"] == ("en" if lang == "zh" else "zh"), one


def test_every_recipe_has_a_page_in_both_languages(site: Path, sources: list[recipe.Recipe]) -> None:
    for lang, prefix in LANGUAGES.items():
        found = {path.parent.relative_to(site / prefix / "recipes").as_posix() for path in
                 (site / prefix / "recipes").glob("*/*/index.html")}  # fmt: skip
        assert found == {source.key for source in sources}
        for source in sources:
            soup = page_of(site, lang, f"recipes/{source.key}")
            heading = soup.find("h1")
            assert heading is not None
            title = "".join(str(part) for part in heading.find_all(string=True, recursive=False))
            assert title == source.header["title"][lang]
            description = soup.find("meta", attrs={"name": "description"})
            assert description is not None and description["content"] == source.header["description"][lang]


def test_no_two_pages_of_a_language_have_the_same_title(site: Path) -> None:
    for prefix in ("", "zh/"):
        folder = site / prefix
        pages = [path for path in pages_of(folder) if prefix or "zh" not in path.relative_to(site).parts]
        titles = [parsed(path).title.get_text() for path in pages if path.name != "404.html"]
        assert sorted(titles) == sorted(set(titles))


def test_a_page_shows_no_mark_that_was_left_unfilled(site: Path) -> None:
    for path in pages_of(site):
        article = parsed(path).find("article")
        shown = "" if article is None else article.decode()
        for mark in ("<!-- cards", "<!-- answered", "!!! ", "??? ", "{ #", "{: ", "{ .md-", "…</p>\n<h2"):
            assert mark not in html.unescape(re.sub(r"<pre.*?</pre>|<code.*?</code>", "", shown, flags=re.S)), (
                path,
                mark,
            )


# --- what stands above a recipe --------------------------------------------------------------------------------------


def actions(site: Path, lang: str, source: recipe.Recipe) -> list[str]:
    return [str(tag["href"]) for tag in page_of(site, lang, f"recipes/{source.key}").select(".actions a")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_colab_and_source_links_name_files_of_this_repository(
    site: Path, sources: list[recipe.Recipe], lang: str
) -> None:
    where = address.read(ROOT, fork=True)
    for source in sources:
        links = actions(site, lang, source)
        colab = [link for link in links if urlsplit(link).netloc == "colab.research.google.com"]
        prefix = f"/github/{where.owner}/{where.name}/blob/main/"
        assert [urlsplit(link).path for link in colab] == [f"{prefix}notebooks/{lang}/{source.key}.ipynb"]
        assert (ROOT / urlsplit(colab[0]).path.removeprefix(prefix)).is_file(), "run `cookbook sync` and commit"
        assert f"{where.repo_url}/blob/main/recipes/{source.key}.py" in links
        assert (ROOT / "recipes" / f"{source.key}.py").is_file()
        report = [link for link in links if link.startswith(f"{where.repo_url}/issues/new?")]
        asked = parse_qs(urlsplit(report[0]).query)
        assert (ROOT / ".github" / "ISSUE_TEMPLATE" / asked["template"][0]).is_file()
        assert asked["slug"] == [source.key]


def metadata_of(script: str) -> dict[str, Any]:
    """Inline script metadata, found by the expression that its specification gives."""
    block = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
    (match,) = (match for match in block.finditer(script) if match["type"] == "script")
    return tomllib.loads("".join(line[2:] or "\n" for line in match["content"].splitlines(keepends=True)))


def printed(statement: ast.stmt) -> str:
    """A statement as a script shows it when a notebook shows what it gives; a styled table without its style."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and node.attr == "style":
            statement = ast.Expr(node.value)
    return ast.dump(ast.parse(f"print({ast.unparse(statement)})").body[0]) if isinstance(statement, ast.Expr) else ""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_downloads_are_the_executed_notebook_and_a_script_of_the_source(
    site: Path, executed: Path, sources: list[recipe.Recipe], lang: str
) -> None:
    for source in sources:
        folder = site / LANGUAGES[lang] / "recipes" / source.key
        assert {f"{source.slug}.ipynb", f"{source.slug}.py"} <= set(actions(site, lang, source))
        script = (folder / f"{source.slug}.py").read_text("utf-8")
        assert metadata_of(script).keys() >= {"requires-python", "dependencies"}
        wanted = ast.parse("\n".join(cell.source for cell in source.code_cells)).body
        for statement, expected in zip(ast.parse(script).body, wanted, strict=True):
            assert ast.dump(statement) in (ast.dump(expected), printed(expected))
        notebook = nbformat.read(folder / f"{source.slug}.ipynb", as_version=nbformat.NO_CONVERT)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        shown = [cell for cell in code if "install" not in cell.metadata.get("tags", [])]
        assert [cell.source for cell in shown] == [cell.source for cell in source.code_cells]
        ran = nbformat.read(executed / f"{source.key}.ipynb", as_version=4)
        assert [cell.outputs for cell in shown] == [cell.outputs for cell in ran.cells if cell.cell_type == "code"]
        assert any(cell.outputs for cell in shown)
        prose = "".join(cell.source for cell in notebook.cells if cell.cell_type != "code")
        chinese = len(re.findall(r"[\u4e00-\u9fff]", prose)) / len(prose)  # an English page may quote Chinese data
        assert chinese > 0.2 if lang == "zh" else chinese < 0.05


@pytest.mark.parametrize("lang", LANGUAGES)
def test_links_in_notebooks_lead_to_pages_of_the_site(
    site: Path, base: str, sources: list[recipe.Recipe], lang: str
) -> None:
    published = address.read(ROOT).url  # committed notebooks name the repository's own site, in a fork too
    for source in sources:
        notebook = nbformat.read(ROOT / "notebooks" / lang / f"{source.key}.ipynb", as_version=4)
        for cell in notebook.cells:
            for target in re.findall(r"\]\(([^)\s]+)\)", cell.source if cell.cell_type == "markdown" else ""):
                assert re.match(r"https?://|#|mailto:", target), f"{source.key}: {target} is relative"
                if target.startswith(published):
                    assert wrong_address(site, published, target, loaded=False) is None
                    assert target.startswith(f"{published}zh/") == (lang == "zh")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_stamp_shows_what_the_run_record_says(
    site: Path, sources: list[recipe.Recipe], records: dict[str, dict[str, Any]], lang: str
) -> None:
    for source in sources:
        record = records[source.key]
        stamp = page_of(site, lang, f"recipes/{source.key}").select_one(".stamp")
        bold = [tag.get_text() for tag in stamp.select("strong")]
        numbers = [re.findall(r"\d+", text) for text in bold]
        seconds, memory = round(record["seconds"]), round(record["peak_memory"] / 1e6)
        assert numbers[0] == [str(seconds)] and numbers[1] == [str(memory)], bold
        assert set(numbers[2]) == {str(record["checks"])}
        shown = text_of(stamp)
        assert record["date"] in shown and record["python"] in shown and record["processor"] in shown
        for package, version in record["versions"].items():
            assert f"{package} {version.partition('+')[0]}" in shown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_assert_stands_below_a_ticked_claim(
    site: Path, sources: list[recipe.Recipe], records: dict[str, dict[str, Any]], lang: str
) -> None:
    for source in sources:
        soup = page_of(site, lang, f"recipes/{source.key}")
        checks = next(cell for cell in source.cells if cell.is_checks)
        asserts = [node for node in ast.parse(checks.source).body if isinstance(node, ast.Assert)]
        ticked = [tag.find_parent("li") for tag in soup.select("article .tick")]
        assert len(ticked) == len(asserts) == records[source.key]["checks"] > 0
        assert len(set(map(id, ticked))) == len(ticked) and len({id(item.find_parent("ul")) for item in ticked}) == 1
        assert all(len(text_of(item)) > 10 for item in ticked)
        folded = soup.select("article details .highlight")
        assert checks.source in [block.get_text().strip("\n") for block in folded], "the checks are not folded below"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_code_stands_on_the_page_as_in_the_source(site: Path, sources: list[recipe.Recipe], lang: str) -> None:
    for source in sources:
        blocks = page_of(site, lang, f"recipes/{source.key}").select("article .highlight pre")
        shown = [block.get_text().rstrip("\n") for block in blocks]
        expected = [cell.source.rstrip("\n") for cell in source.code_cells]
        assert [text for text in shown if text in set(expected)] == expected


def text_outputs(executed: Path, key: str) -> Iterator[str]:
    """What a recipe printed, line by line."""
    notebook = nbformat.read(executed / f"{key}.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            yield from output.get("text", "").splitlines()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_output_and_figure_stands_on_the_page(
    site: Path, executed: Path, sources: list[recipe.Recipe], lang: str
) -> None:
    for source in sources:
        soup = page_of(site, lang, f"recipes/{source.key}")
        printed = "\n".join(block.get_text() for block in soup.select(".nb-output"))
        for line in text_outputs(executed, source.key):
            assert line.rstrip() in printed
        notebook = nbformat.read(executed / f"{source.key}.ipynb", as_version=4)
        shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
        figures = sum("image/png" in data for data in shown)
        # A kernel without its inline backend would draw nothing, and nobody would miss it.
        assert figures >= sum(bool(cell.metadata.get("alt_en")) for cell in source.code_cells)
        tables = 1 + sum("text/html" in data and "image/png" not in data for data in shown)  # 1: the headline figures
        tables += sum(pages.CHAPTER in cell.source for cell in source.cells if cell.lang == lang)
        assert len(soup.select(".nb-table")) == tables
        for scheme in ("light", "dark"):
            images = soup.select(f'article img.figure[src$="#only-{scheme}"]')
            assert len(images) == figures
            assert all(image["alt"] and image["width"] and image["height"] for image in images)
            chinese = [bool(re.search(r"[\u4e00-\u9fff]", str(image["alt"]))) for image in images]
            assert chinese == [lang == "zh"] * figures


# --- question bank ---------------------------------------------------------------------------------------------------


def answered_by(bank: dict[str, Any], sources: list[recipe.Recipe]) -> dict[str, str | None]:
    """Question -> key of the recipe that answers it, or None."""
    keys = {source.slug: source.key for source in sources}
    return {
        question: keys.get(topic["slug"])
        for chapter in bank["chapters"]
        for topic in chapter["topics"]
        for question in topic["answers"]
    }


def normal(text: str) -> str:
    """Text without what Markdown and HTML do to spaces and quotation marks."""
    return re.sub(r"\s+", "", text)


def test_the_question_bank_holds_165_questions(bank: dict[str, Any]) -> None:
    assert len({question["id"] for question in bank["questions"]}) == len(bank["questions"]) == 165


@pytest.mark.parametrize("lang", LANGUAGES)
def test_questions_by_topic_are_all_there_once_with_their_text(site: Path, bank: dict[str, Any], lang: str) -> None:
    soup = page_of(site, lang, "questions")
    for question in bank["questions"]:
        items = soup.find_all(id=question["id"])
        assert len(items) == 1, question["id"]
        # A wording that several documents share stands once, above the documents.
        entry = items[0] if "question" in items[0].get("class", []) else items[0].find_parent(class_="question")
        assert normal(question[lang]) in normal(entry.get_text()), question["id"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_questions_by_document_are_all_there_once_with_their_text(site: Path, bank: dict[str, Any], lang: str) -> None:
    soup = page_of(site, lang, "questions/documents")
    links = {
        str(tag["href"]).rpartition("#")[2]: tag.get_text() for tag in soup.select('article ol.questions a[href*="#"]')
    }
    assert set(links) == {question["id"] for question in bank["questions"]}
    assert len(soup.select("article ol.questions > li")) == len(bank["questions"])
    for question in bank["questions"]:
        assert normal(links[question["id"]]) == normal(question[lang])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_question_links_to_its_recipe_or_says_that_there_is_none(
    site: Path, base: str, bank: dict[str, Any], sources: list[recipe.Recipe], lang: str
) -> None:
    here = f"{base}{LANGUAGES[lang]}questions/documents/"
    answers = answered_by(bank, sources)
    assert set(answers) == {question["id"] for question in bank["questions"]}
    for item in page_of(site, lang, "questions/documents").select("article ol.questions > li"):
        question, *rest = item.find_all("a")
        key = answers[str(question["href"]).rpartition("#")[2]]
        targets = [urljoin(here, str(link["href"])) for link in rest]
        assert targets == ([f"{base}{LANGUAGES[lang]}recipes/{key}/"] if key else [])
        assert bool(item.select(".open")) == (key is None)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("place", [".", "questions"])
def test_the_count_of_questions_is_the_count_in_the_bank(
    site: Path, bank: dict[str, Any], sources: list[recipe.Recipe], lang: str, place: str
) -> None:
    answers = answered_by(bank, sources)
    done, total = sum(key is not None for key in answers.values()), len(answers)
    distinct = len({question.get("same_as", question["id"]) for question in bank["questions"]})
    counts = {
        "en": f"{total} questions from 5 documents; without repeats, {distinct}. "
        f"{done} of the {total} have an answer so far.",
        "zh": f"5 份文档共 {total} 道题，去重后 {distinct} 道；{total} 道中已有 {done} 道解答。",
    }
    assert normal(counts[lang]) in normal(text_of(page_of(site, lang, place).find("article")))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_count_of_each_document_is_the_count_in_the_bank(
    site: Path, bank: dict[str, Any], sources: list[recipe.Recipe], lang: str
) -> None:
    answers = answered_by(bank, sources)
    headings = page_of(site, lang, "questions/documents").select("article h2")
    assert len(headings) == len(bank["documents"])
    for heading, document in zip(headings, bank["documents"], strict=True):
        assert normal(document["title"][lang]) in normal(heading.get_text())
        asked = [question["id"] for question in bank["questions"] if question["document"] == document["id"]]
        done = sum(answers[question] is not None for question in asked)
        count = text_of(heading.find_next_sibling("p"))
        assert re.findall(r"\d+", count) == [str(done), str(len(asked))]
        assert len(heading.find_next_sibling("ol").find_all("li")) == len(asked)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_recipe_names_the_questions_that_it_answers(
    site: Path, bank: dict[str, Any], sources: list[recipe.Recipe], lang: str
) -> None:
    answers = answered_by(bank, sources)
    for source in sources:
        links = page_of(site, lang, f"recipes/{source.key}").select(".answers a")
        named = {str(link["href"]).rpartition("#")[2]: normal(link.get_text()) for link in links}
        asked = {question["id"]: normal(question[lang]) for question in bank["questions"]}
        own = {question for question, key in answers.items() if key == source.key}
        assert named.keys() <= own != set()
        assert sorted(named.values()) == sorted({asked[question] for question in own}), "each wording once"


def cards_of(site: Path, base: str, lang: str, place: str) -> dict[str, Tag]:
    """Cards of a page by the recipe that each leads to."""
    here = urljoin(f"{base}{LANGUAGES[lang]}", place)
    return {
        urljoin(here, str(card.select_one("a")["href"])): card for card in page_of(site, lang, place).select("li.card")
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_gallery_shows_every_recipe_with_its_picture_and_figures(
    site: Path, base: str, sources: list[recipe.Recipe], records: dict[str, dict[str, Any]], lang: str
) -> None:
    cards = cards_of(site, base, lang, "recipes/")
    assert len(cards) == len(sources)
    for source in sources:
        card = cards[f"{base}{LANGUAGES[lang]}recipes/{source.key}/"]
        assert len(card.select("img")) == 2, "one picture for light pages, one for dark ones"
        facts = re.findall(r"\d+", text_of(card.select_one(".facts")).replace(",", ""))
        record = records[source.key]
        assert facts == [str(round(record["seconds"])), str(round(record["peak_memory"] / 1e6))]
        assert source.header["description"][lang] in text_of(card)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_home_shows_some_recipes_of_each_chapter_and_leads_to_the_rest(
    site: Path, base: str, sources: list[recipe.Recipe], lang: str
) -> None:
    here = f"{base}{LANGUAGES[lang]}"
    shown = [url.removeprefix(f"{here}recipes/").strip("/") for url in cards_of(site, base, lang, "")]
    links = {urljoin(here, str(link["href"])) for link in page_of(site, lang, "").select("article a[href]")}
    assert f"{here}recipes/" in links
    assert len(shown) == len(set(shown)) == min(8, len(sources))
    for chapter in {source.chapter for source in sources}:
        assert any(key.startswith(f"{chapter}/") for key in shown)
        assert f"{here}recipes/{chapter}/" in links


# --- scripts, sitemap, search, weight --------------------------------------------------------------------------------


def test_katex_is_named_by_the_sites_own_script_only(site: Path) -> None:
    scripts = {site / prefix / "assets" / "site.js" for prefix in LANGUAGES.values()}
    for path in pages_of(site):
        for tag, reference, loaded in references(parsed(path)):
            assert not (loaded and "katex" in reference.lower()), f"{path}: {tag}"
    named = {path for path in site.rglob("*.js") if "katex" in path.read_text("utf-8").lower()}
    assert {path for path in named if path.parent.name != "katex"} == scripts


def test_sitemaps_name_every_page_of_both_languages_by_its_full_address(site: Path, base: str) -> None:
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    named: list[str] = []
    for file in (site / "sitemap.xml", site / "zh" / "sitemap.xml"):
        raw = file.read_bytes()
        assert gzip.decompress(file.with_name("sitemap.xml.gz").read_bytes()) == raw
        for entry in ElementTree.fromstring(raw).findall("s:url", space):
            location = entry.findtext("s:loc", namespaces=space)
            twins = {str(link.get("hreflang")): str(link.get("href")) for link in entry.findall("x:link", space)}
            assert location in twins.values() and set(twins) == {"en", "zh"}
            assert twins["zh"] == base + "zh/" + twins["en"].removeprefix(base)
            for url in twins.values():
                assert url.startswith("https://")
                assert wrong_address(site, base, url, loaded=False) is None
            named.append(str(location))
    pages = [url_of(site, base, path) for path in pages_of(site) if path.name != "404.html"]
    assert sorted(named) == sorted(pages)


def search_index(site: Path, lang: str) -> list[dict[str, str]]:
    data = json.loads((site / LANGUAGES[lang] / "search" / "search_index.json").read_text("utf-8"))
    return list(data["docs"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_search_index_holds_every_recipe_and_leads_to_its_sections(
    site: Path, base: str, sources: list[recipe.Recipe], lang: str
) -> None:
    docs = search_index(site, lang)
    for doc in docs:
        url = base + LANGUAGES[lang] + doc["location"]
        assert wrong_address(site, base, url, loaded=False) is None
    for source in sources:
        place = f"recipes/{source.key}/"
        titles = {doc["title"].replace("\u200b", "") for doc in docs if doc["location"].startswith(place)}
        prose = [cell.source for cell in source.cells if cell.lang == lang]
        expected = [title for text in prose for _, title in recipe.headings(text)]
        assert len(titles) >= len(set(expected)) > 3
        assert source.header["title"][lang] in titles


def test_search_index_separates_chinese_words(site: Path) -> None:
    text = "".join(doc["title"] + doc["text"] for doc in search_index(site, "zh"))
    runs = re.findall(r"[\u4e00-\u9fff]+", text)
    assert len(runs) > 500
    # Long runs are words of the dictionary; without segmentation whole clauses would stand together.
    assert max(map(len, runs)) <= 10
    assert sum(map(len, runs)) / len(runs) < 2.5


@pytest.mark.parametrize("lang", LANGUAGES)
def test_search_index_holds_no_outputs_and_no_stamps(
    site: Path, executed: Path, sources: list[recipe.Recipe], records: dict[str, dict[str, Any]], lang: str
) -> None:
    for source in sources:
        docs = [doc for doc in search_index(site, lang) if doc["location"].startswith(f"recipes/{source.key}/")]
        text = normal(html.unescape("".join(doc["text"] for doc in docs)).replace("\u200b", ""))
        own = normal("".join(cell.source for cell in source.cells))
        printed = [normal(line) for line in text_outputs(executed, source.key)]
        printed = [line for line in printed if len(line) > 12 and line not in own]
        assert printed, "nothing was printed that could be looked for"
        assert [line for line in printed if line in text] == []
        assert normal(records[source.key]["processor"]) not in text
        assert "Colab" not in text or "Colab" in own


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_search_index_stays_within_its_budget(site: Path, sources: list[recipe.Recipe], lang: str) -> None:
    content = (site / LANGUAGES[lang] / "search" / "search_index.json").read_bytes()
    assert len(gzip.compress(content)) / len(sources) < MAX_INDEX_GZIP


def test_recipe_pages_stay_within_their_budget(site: Path, sources: list[recipe.Recipe], record_property: Any) -> None:
    raw, packed, text = [], [], []
    for prefix in LANGUAGES.values():
        for source in sources:
            content = (site / prefix / "recipes" / source.key / "index.html").read_bytes()
            raw.append(len(content))
            packed.append(len(gzip.compress(content, 9)))
            words = BeautifulSoup(content, "html.parser").select_one("article").get_text()
            text.append(len(gzip.compress(words.encode(), 9)))
    record_property("bytes", sum(raw) / len(raw))
    record_property("gzip", sum(packed) / len(packed))
    assert sum(raw) / len(raw) <= MAX_HTML, raw
    assert sum(packed) / len(packed) <= MAX_HTML_GZIP, packed
    assert (sum(packed) - sum(text)) / len(packed) <= MAX_MARKUP_GZIP, (packed, text)


# --- to read on, to take along, and for programs ---------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_previous_and_next_lead_through_the_chapter(
    site: Path, base: str, sources: list[recipe.Recipe], lang: str
) -> None:
    for chapter in {source.chapter for source in sources}:
        start = f"{base}{LANGUAGES[lang]}recipes/{chapter}/"
        url, seen = start, []
        while True:
            (step,) = parsed(file_of(site, base, url) or Path()).select(".md-footer__link--next") or [None]
            if step is None:
                break
            before, url = url, urljoin(url, str(step["href"]))
            back = parsed(file_of(site, base, url) or Path()).select_one(".md-footer__link--prev")
            assert back is not None and urljoin(url, str(back["href"])) == before
            seen.append(url)
        keys = {source.key for source in sources if source.chapter == chapter}
        assert {url.removeprefix(f"{base}{LANGUAGES[lang]}recipes/").strip("/") for url in seen} == keys
        assert len(seen) == len(keys)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_recipe_leads_to_what_to_read_first_and_to_related_ones(
    site: Path, base: str, sources: list[recipe.Recipe], lang: str
) -> None:
    start = f"{base}{LANGUAGES[lang]}recipes/"
    assert any(source.header.get("builds_on") for source in sources)
    for source in sources:
        links = page_of(site, lang, f"recipes/{source.key}").select("nav.foot a")
        targets = [urljoin(f"{start}{source.key}/", str(link["href"])) for link in links]
        recipes = [url.removeprefix(start).strip("/") for url in targets if url.startswith(start)]
        first = source.header.get("builds_on", [])
        assert recipes[: len(first)] == first
        assert len(recipes) >= len(first) + 3 and source.key not in recipes
        tags = [url.removesuffix("/").rpartition("/")[2] for url in targets if "/tags/" in url]
        assert tags == source.header["tags"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_is_there_as_markdown(site: Path, lang: str) -> None:
    for path in (site / LANGUAGES[lang]).rglob("index.html"):
        text = path.with_suffix(".md").read_text("utf-8")
        title = re.sub(r"[¶\s]", "", parsed(path).select_one("h1").get_text())
        assert re.sub(r"[¶\s\\`]", "", text.partition("\n")[0].removeprefix("# ")) == title, path
        assert not re.search(r"</?(div|span|p|nav|form)\b", re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)), path


@pytest.mark.parametrize("lang", LANGUAGES)
def test_llms_txt_leads_to_markdown_of_every_recipe(
    site: Path, base: str, sources: list[recipe.Recipe], lang: str
) -> None:
    text = (site / LANGUAGES[lang] / "llms.txt").read_text("utf-8")
    links = re.findall(r"\]\((\S+)\)", text)
    for url in links:
        assert url.endswith(".md") and wrong_address(site, base, url, loaded=False) is None
    assert {f"{base}{LANGUAGES[lang]}recipes/{source.key}/index.md" for source in sources} <= set(links)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_recipe_says_to_programs_what_it_is(site: Path, base: str, sources: list[recipe.Recipe], lang: str) -> None:
    for source in sources:
        soup = page_of(site, lang, f"recipes/{source.key}")
        (script,) = soup.select('script[type="application/ld+json"]')
        data = json.loads(script.get_text())
        assert set(data["@type"]) == {"TechArticle", "LearningResource"}
        assert data["headline"] == source.header["title"][lang]
        canonical = soup.select_one('link[rel="canonical"]')
        assert canonical is not None and data["url"] == canonical["href"]
        (picture,) = soup.select('meta[property="og:image"]')
        assert picture["content"] == data["image"]
        with Image.open(file_of(site, base, data["image"]) or "") as image:
            assert image.size == (1200, 630)
        assert soup.select_one('meta[property="og:title"]')["content"] == source.header["title"][lang]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_feed_leads_to_pages_of_its_language(site: Path, base: str, lang: str) -> None:
    space = {"a": "http://www.w3.org/2005/Atom"}
    feed = ElementTree.parse(site / LANGUAGES[lang] / "feed.xml").getroot()
    links = [link.get("href", "") for link in feed.findall("a:entry/a:link", space)]
    changes = page_of(site, lang, "recipes/models/cnn-digits").select(".changes")  # none in a shallow clone
    assert bool(links) == bool(changes)
    for url in links:
        assert url.startswith(f"{base}{LANGUAGES[lang]}recipes/")
        assert wrong_address(site, base, url, loaded=False) is None
    for path in pages_of(site / LANGUAGES[lang]):
        (link,) = parsed(path).select('link[type="application/atom+xml"]')
        if lang == "zh" or "zh" not in path.relative_to(site).parts:
            target = file_of(site, base, urljoin(url_of(site, base, path), str(link["href"])))
            assert target == site / LANGUAGES[lang] / "feed.xml"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_all_notebooks_come_as_one_zip(site: Path, sources: list[recipe.Recipe], lang: str) -> None:
    name = f"recipes-that-run-notebooks-{lang}"
    with zipfile.ZipFile(site / "downloads" / f"{name}.zip") as archive:
        assert set(archive.namelist()) == {f"{name}/{source.key}.ipynb" for source in sources}
        for source in sources:
            own = site / LANGUAGES[lang] / "recipes" / source.key / f"{source.slug}.ipynb"
            assert archive.read(f"{name}/{source.key}.ipynb") == own.read_bytes()


def test_a_report_fills_in_fields_that_the_form_has(site: Path, sources: list[recipe.Recipe]) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "recipe-is-wrong.yml").read_text("utf-8"))
    # GitHub fills inputs and text areas only.
    fields = {field.get("id") for field in form["body"] if field["type"] in ("input", "textarea")}
    for source in sources:
        (report,) = (link for link in actions(site, "en", source) if "/issues/new?" in link)
        filled = parse_qs(urlsplit(report).query)
        assert {"slug", "version", "environment"} <= set(filled) - {"template"} <= fields
