"""MkDocs hook: puts the generated pages into a build, and lets MkDocs render what mkdocs-jupyter registers.

mkdocs-jupyter makes a page of every notebook and copies it for download. Its own rendering is taken back, so that
links, anchors, callouts, mathematics and search work as on any other page.
"""

import html
import logging
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.utils import get_relative_url

from cookbook import (
    answers,
    check,
    execute,
    files,
    gallery,
    health,
    history,
    machine,
    pages,
    questions,
    recipe,
    runs,
    site,
)
from cookbook.words import say

log = logging.getLogger("mkdocs.hooks.cookbook")
state: dict[str, Any] = {"command": "build", "failed": set()}

# What Material leaves without a name, and axe-core rightly reports.
UNNAMED = {
    'data-md-component="search" role="dialog"': 'data-md-component="search" role="dialog" aria-label="{search}"',
    'class="md-tabs" aria-label="标签"': 'class="md-tabs" aria-label="栏目"',  # "tags" are something else here
}
# The theme's search takes Chinese apart at every known word, but never tries the last character of a word.
SEGMENT = re.compile(r"(for\(let (\w)=\w\+1;\2<)(\w\.length;\2\+\+\)\w\.slice\()")


def on_startup(command: str, dirty: bool) -> None:
    """Remember whether this is a build or a live preview."""
    state["command"] = command


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Addresses of this repository or fork, and the navigation: chapters with their recipes, then the rest.

    Raises:
        Abort: bad input, in one sentence a problem.
    """
    try:
        return _configured(config)
    except (recipe.RecipeError, questions.BankError, ValueError) as error:
        raise Abort(str(error)) from None


def _configured(config: MkDocsConfig) -> MkDocsConfig:
    root = Path(config.config_file_path).parent
    lang = str(config.theme["language"])
    bank = questions.read(root)
    address = site.read(root, fork=True)
    config.repo_url = address.repo_url
    config.repo_name = f"{address.owner}/{address.name}"
    config.site_url = address.url + ("" if lang == "en" else f"{lang}/")
    config.extra["languages_root"] = address.url
    if state["command"] == "serve":
        port = int(str(config.dev_addr).rpartition(":")[2])  # `make serve` gives English one, and Chinese the next
        english = port if lang == "en" else port - 1
        config.extra["preview"] = {"en": f"http://127.0.0.1:{english}", "zh": f"http://127.0.0.1:{english + 1}"}
        config.site_url = f"http://{config.dev_addr}/"
    recipes = [recipe.read(path) for path in recipe.find_sources(root)]
    problems = [problem for source in recipes for problem in check.problems(source, bank, root)]
    if problems:
        raise recipe.RecipeError(*problems)
    recipes = [source for source in recipes if not health.skipped(source, health.environment())]
    if state["command"] == "serve" and lang == "en":
        # The English preview executes what changed, the Chinese one shows it. A failed recipe waits for other code.
        for problem in execute.run([r for r in recipes if _key(r, root) not in state["failed"]], root, say=log.info):
            log.warning(str(problem))
        state["failed"] |= {_key(r, root) for r in recipes if not execute.executed_path(root, r.key).exists()}
    shown = []
    for source in recipes:
        try:
            shown.append(runs.load(source, root))
        except runs.NotExecuted:
            if state["command"] != "serve":
                raise
    shown = gallery.in_order(shown, bank)
    made = pages.site_pages(shown, bank, address, root, lang)
    by_chapter = gallery.in_chapters(shown, bank)
    chapters = [
        {
            bank.chapters[chapter]["title"][lang]: [
                f"recipes/{chapter}/index.md",
                *(f"recipes/{run.recipe.key}.ipynb" for run in chosen),
            ]
        }
        for chapter, chosen in by_chapter.items()
    ]
    tagged = gallery.with_tag(shown, bank)
    tags = ["tags/index.md", *({say(f"tag_name.{tag}", lang): f"tags/{tag}.md"} for tag in tagged)]
    short = [{bank.chapters[chapter]["title"][lang]: f"answers/{chapter}.md"} for chapter in by_chapter]
    config.nav = [
        "index.md",
        {say("recipes", lang): ["recipes/index.md", *chapters, {say("tags", lang): tags}]},
        {say("short_answers", lang): ["answers/index.md", *short]},
        {say("questions", lang): ["questions/index.md", {say("bank_nav", lang): "questions/documents.md"}]},
        {say("results", lang): ["results/index.md", "results/health.md"]},
        "about.md",
    ]
    changes = history.changes(root)
    for run, page in zip(shown, made, strict=False):  # the recipes' pages come first
        picture = machine.preview_url(run.recipe, address) if page.figures else ""
        changed = changes.get(run.recipe.key, [])
        page.meta["structured_data"] = machine.structured_data(run, changed, picture, address, lang)
        page.meta["preview"] = picture
    state.update(
        root=root, lang=lang, bank=bank, runs=shown, pages=made, deck=answers.deck(shown, bank, changes, address, lang),
        extras=machine.extra_files(shown, made, bank, changes, address, lang),
    )  # fmt: skip
    return config


def on_serve(server: Any, config: MkDocsConfig, builder: Any) -> Any:
    """A preview also follows what the other language's preview executed."""
    server.watch(str(state["root"] / "build" / "runs"))
    return server


def _key(source: recipe.Recipe, root: Path) -> str:
    return execute.cache_key(source, root)


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(found: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, their figures and downloads."""
    folder = state["root"] / "build" / "pages" / state["lang"]
    wanted: set[Path] = set()

    def add(path: str, content: str | bytes) -> None:
        target = folder / path
        files.write(target, content)
        wanted.add(target)
        found.append(File(path, str(folder), config.site_dir, config.use_directory_urls))

    # Cards add thumbnails to the recipes' pages, so the hand-written pages come first.
    texts = {}
    for source in sorted((state["root"] / "docs" / state["lang"]).glob("**/*.md")):
        path = source.relative_to(state["root"] / "docs" / state["lang"]).as_posix()
        text = source.read_text("utf-8")
        texts[path] = pages.fill(text, state["runs"], state["pages"], state["bank"], path, state["lang"])
    state["texts"] = texts | {page.path: page.text for page in state["pages"]}
    state["meta"] = {page.path: page.meta for page in state["pages"]}
    for page in state["pages"]:
        base = Path(page.path).parent.as_posix()
        add(page.path, page.download or page.text)
        for figure in page.figures:
            add(f"{base}/{figure.name}", figure.content)
    add(f"answers/{answers.deck_name(state['lang'])}", state["deck"])
    files.remove_others(folder, "**/*", wanted)
    del state["runs"], state["pages"]  # figures and notebooks are in files now: half a megabyte a recipe
    return found


@event_priority(-100)  # after mkdocs-jupyter has replaced `render`
def on_pre_page(page: MkDocsPage, config: MkDocsConfig, files: Files) -> MkDocsPage:
    """Give MkDocs its own renderer back."""
    page.__dict__.pop("render", None)
    return page


@event_priority(200)
def on_page_markdown(markdown: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
    """The text of generated pages; hand-written pages with their marks filled in."""
    page.meta.update(state["meta"].get(page.file.src_uri, {}))
    text = state["texts"].get(page.file.src_uri)
    if text is None:
        return markdown
    if page.file.src_uri in state["meta"]:
        return str(text)
    return str(text).partition("\n---\n")[2] if text.startswith("---\n") else str(text)


# Marks around names, operators, brackets, numbers and spaces, which have no colour of their own here.
PLAIN = re.compile(r'<span class="(?:n|o|ow|p|w|mi|mf|si|sa|kc|fm|vm)">([^<]*)</span>|(?<=<pre>)<span></span>')
# Kinds of code that the stylesheet gives the same colour, and two marks of one kind with only spaces between.
SAME = {"k": "kd|kn|kp|kr|kt|nd", "s": "s1|s2|sb|sc", "nf": "nc|ne|nn", "nb": "bp|no", "c": "c1|ch|cm|cs|sd"}
KIND = [(re.compile(rf'(?<=<span class=")(?:{kinds})(?=">)'), kind) for kind, kinds in SAME.items()]
TWICE = re.compile(r'(<span class="(\w+)">[^<]*)</span>(\s*)<span class="\2">')
INDENT = re.compile(r"(<pre.*?</pre>)|\n\s+", re.DOTALL)
GENERATOR = re.compile(r'<meta name="generator"[^>]*>\n?')
THEME_SCRIPT = re.compile(r'<script (src="[^"]*assets/javascripts/bundle\.)')
ICON = re.compile(r'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="([^"]+)"/></svg>')


def on_page_content(content: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
    """Code without marks that make no difference to its colours; they are a third of a page's bytes."""
    content = PLAIN.sub(r"\1", content)
    for kinds, kind in KIND:
        content = kinds.sub(kind, content)
    while content != (content := TWICE.sub(r"\1\3", content)):
        pass
    if "recipe" not in page.meta:  # recipes are written from their notebooks
        state["extras"][f"{page.url}index.md"] = machine.page_markdown(content, page.canonical_url or "")
    return content


def on_env(env: Any, config: MkDocsConfig, files: Files) -> None:
    """Where the theme keeps the script that searches: its name changes with the theme's version."""
    workers = [file.url for file in files if re.fullmatch(r"assets/javascripts/workers/search\..*\.js", file.url)]
    config.extra["search_worker"] = workers[0]
    state["icons"] = {}


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Previous and next stay within a chapter."""
    for page in nav.pages:
        for side in ("previous_page", "next_page"):
            other = getattr(page, side)
            if other is not None and Path(other.file.src_uri).parent != Path(page.file.src_uri).parent:
                setattr(page, side, None)
    return nav


def on_post_page(output: str, page: MkDocsPage, config: MkDocsConfig) -> str:
    """Name what the theme leaves unnamed, and leave out what a reader has no use for.

    Icons are drawn from one file, which a browser keeps, and the search index is made by now.
    """
    sheet = get_relative_url("assets/icons.svg", page.url)

    def drawn(match: re.Match[str]) -> str:
        number = state["icons"].setdefault(match.group(1), len(state["icons"]))
        return f'<svg viewBox="0 0 24 24"><use href="{sheet}#i{number}"/></svg>'

    output = GENERATOR.sub("", ICON.sub(drawn, output)).replace(" data-search-exclude", "")
    if page.parent is not None:  # a chapter with a page of its own: the theme points at a label without text
        title = html.escape(str(page.parent.title))
        output = re.sub(r'aria-labelledby="__nav_\d+_\d+_label"', lambda _: f'aria-label="{title}"', output)
    return named(output)


def on_post_build(config: MkDocsConfig) -> None:
    """The icons that the pages refer to."""
    symbols = "".join(
        f'<symbol id="i{number}" viewBox="0 0 24 24"><path d="{path}"/></symbol>'
        for path, number in state["icons"].items()
    )
    files.write(
        Path(config.site_dir) / "assets" / "icons.svg",
        f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n',
    )
    for path, content in state["extras"].items():
        files.write(Path(config.site_dir) / path, content)
    worker = Path(config.site_dir) / config.extra["search_worker"]
    text, found = SEGMENT.subn(r"\1=\3", worker.read_text("utf-8"))
    if found != 1:
        raise Abort(f"{worker.name}:1: the theme's search has changed; see whether `SEGMENT` is still needed")
    files.write(worker, text)


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    """The same for 404.html."""
    return named(output)


def named(output: str) -> str:
    """A page with names for what has none, whose text need not wait for the theme's script, and without indentation."""
    output = THEME_SCRIPT.sub(r"<script defer \1", output)
    output = INDENT.sub(lambda match: match.group(1) or "\n", output)
    for old, new in UNNAMED.items():
        output = output.replace(old, new.format(search=say("search", state["lang"])))
    return output
