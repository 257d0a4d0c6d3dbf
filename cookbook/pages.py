"""Pages as Markdown: recipes with what they showed, cards, chapters and the question bank, in one language.

MkDocs and `cookbook pages --markdown` both take their pages from here.
"""

import html
import itertools
import json
import re
import textwrap
from pathlib import Path
from urllib.parse import urlencode

import nbformat

from cookbook import (
    answers,
    bank_pages,
    files,
    gallery,
    health,
    history,
    notebooks,
    outputs,
    proofs,
    questions,
    related,
    results,
    scripts,
    site,
)
from cookbook.notebooks import join_lines
from cookbook.outputs import Figure
from cookbook.recipe import CODE, LANGUAGES, Recipe
from cookbook.runs import Page, Run, load, rounded
from cookbook.words import say

CALLOUT = re.compile(r"^> \*\*(Note|Tip|Warning|注意|提示|警告)[:：] ?(.*?)\*\* ?(.*(?:\n>.*)*)", re.MULTILINE)
CALLOUT_KIND = {"注意": "note", "提示": "tip", "警告": "warning"}
CARDS = "<!-- cards -->"
FACTS = "<!-- facts -->"
COUNT = "<!-- answered -->"
MAX_CHANGES = 8  # shown below a recipe
MAX_RELATED = 3  # besides what to read first
CHAPTER = "<!-- results of this chapter -->"


def site_pages(runs: list[Run], bank: questions.Bank, address: site.Site, root: Path, lang: str) -> list[Page]:
    """All generated pages of one language: recipes, gallery, short answers, question bank, results, health."""
    pages = [recipe_page(run, bank, address, lang) for run in runs]
    by_key = {run.recipe.key: run.recipe for run in runs}
    near = related.related(list(by_key.values()), count=2 * MAX_RELATED)
    changes = history.changes(root)
    for run, page in zip(runs, pages, strict=True):
        key = run.recipe.key
        page.text += "\n" + foot(run.recipe, by_key, near[key], changes.get(key, []), address, lang)
    by_chapter = gallery.in_chapters(runs, bank)
    for run, page in zip(runs, pages, strict=True):
        if CHAPTER in page.text:
            table = results.chapter_table(by_chapter[run.recipe.chapter], lang)
            page.text = page.text.replace(CHAPTER, table)
    recorded = {name: health.read(root, name) for name in health.ENVIRONMENTS}
    return [
        *pages,
        gallery.gallery_page(runs, pages, bank, lang),
        *gallery.chapter_pages(runs, pages, bank, lang),
        *gallery.tag_pages(runs, pages, bank, lang),
        *bank_pages.question_pages(runs, bank, lang),
        *answers.pages(runs, bank, lang),
        results.results_page(runs, bank, address, lang),
        results.health_page(runs, recorded, health.environment(), lang),
    ]


def recipe_page(run: Run, bank: questions.Bank, address: site.Site, lang: str) -> Page:
    """One recipe as it ran."""
    recipe = run.recipe
    parts: list[str] = []
    figures: list[Figure] = []
    shown = iter(run.shown)
    count = itertools.count(1)
    pending: str | None = None  # outputs that wait for annotations of their code
    cells = [cell for cell in recipe.cells if cell.kind == "code" or cell.lang == lang]
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        annotates = "annotations" in cell.metadata.get("tags", [])
        if cell.kind == "markdown":
            is_claims = following is not None and following.is_checks
            text = claims(cell.source, lang) if is_claims else cell.source
            parts.append(page_links(callouts(unspaced(join_lines(text)) if lang == "zh" else text)))
            if annotates and pending:
                parts.append(pending)
                pending = None
            continue
        text, drawn = outputs.render(
            next(shown), cell.metadata.get(f"alt_{lang}", ""), lang, f"{recipe.slug}/figure", count, run.images
        )
        figures += drawn
        fence = outputs.fenced(cell.source, "python")
        if cell.is_checks:
            fence = f'??? quote "{say("checks_code", lang)}"\n\n{textwrap.indent(fence, "    ")}'
        parts.append(fence)
        if re.search(r"^results = ", cell.source, re.MULTILINE):
            parts.append(figures_table(run, lang, next(count)))
        if following is not None and "annotations" in following.metadata.get("tags", []):
            pending = text
        elif text:
            parts.append(text)
    first, _, rest = parts[0].partition("\n")
    parts[0] = "\n\n".join([first, actions(run, address, lang), stamp(run, lang), answered(run, bank, lang), rest])
    meta = {
        "title": recipe.header["title"][lang],
        "description": html.escape(recipe.header["description"][lang]),
        "recipe": recipe.key,
        "search": {"boost": 2},
    }
    text = "\n\n".join(part.strip("\n") for part in parts) + "\n"
    path = f"recipes/{recipe.key}.ipynb"
    return Page(path, text, meta, figures, executed_notebook(run, address, lang))


def foot(
    recipe: Recipe,
    by_key: dict[str, Recipe],
    near: list[str],
    changes: list[history.Change],
    address: site.Site,
    lang: str,
) -> str:
    """What stands below a recipe: what to read before it and after it, its tags, and how it changed."""

    def linked(keys: list[str]) -> str:
        names = [f"[{by_key[key].header['title'][lang]}](../{key}.ipynb)" for key in keys if key in by_key]
        return say("semicolon", lang).join(names)

    lines = []
    first = recipe.header.get("builds_on", [])
    for name, keys in (("read_first", first), ("related", [key for key in near if key not in first][:MAX_RELATED])):
        if links := linked(keys):
            lines.append(f"{say(name, lang)}{say('colon', lang)}{links}")
    tags = say("comma", lang).join(
        f"[{say(f'tag_name.{tag}', lang)}](../../tags/{tag}.md)" for tag in recipe.header["tags"]
    )
    lines.append(f"{say('tags', lang)}{say('colon', lang)}{tags}")
    text = "\n\n".join(lines)
    blocks = [f'<nav class="foot" aria-label="{say("read_on", lang)}" markdown data-search-exclude>\n{text}\n</nav>']
    if changes:
        items = "\n".join(
            f'<li><time datetime="{change.time}">{change.time[:10]}</time> {html.escape(change.subject)}</li>'
            for change in changes[:MAX_CHANGES]
        )
        more = f'<p><a href="{address.history(recipe.key)}">{say("all_changes", lang)}</a></p>'
        summary = f"<summary>{say('changes', lang, n=len(changes))}</summary>"
        blocks.append(f'<details class="changes" data-search-exclude>{summary}\n<ul>\n{items}\n</ul>\n{more}</details>')
    return "\n\n".join(blocks) + "\n"


def unspaced(markdown: str) -> str:
    """Chinese without the space after a bold lead: notebooks need it to see the bold end, Python-Markdown does not."""
    return re.sub(r"([。！？：]\*\*) (?=[\u3400-\u9fff])", r"\1", markdown)


def executed_notebook(run: Run, address: site.Site, lang: str) -> str:
    """The notebook of one language with the outputs of the run, for download."""
    notebook = notebooks.notebook(run.recipe, lang, address)
    recipe_cells = [c for c in notebook.cells if c.cell_type == "code" and "install" not in c.metadata.get("tags", [])]
    for number, (cell, shown) in enumerate(zip(recipe_cells, run.shown, strict=True), 1):
        cell["outputs"] = [nbformat.from_dict(output) for output in shown]
        cell["execution_count"] = number
    return notebooks.text_of(notebook)


def callouts(markdown: str) -> str:
    """`> **Tip: title** text` as an admonition; in a notebook it stays a quotation that reads well."""

    def admonition(match: re.Match[str]) -> str:
        kind = CALLOUT_KIND.get(match.group(1), match.group(1).lower())
        body = re.sub(r"^> ?", "", match.group(3), flags=re.MULTILINE).strip()
        return f'!!! {kind} "{match.group(2) or match.group(1)}"\n\n{textwrap.indent(body, "    ")}'

    return CALLOUT.sub(admonition, markdown)


def page_links(markdown: str) -> str:
    """Links between sources as links between pages."""
    link = r"(?P<target>\]\((?!https?:)[^)\s]+)\.py(?P<rest>(?:#[^)\s]*)?(?: [^)]*)?\))"

    def linked(match: re.Match[str]) -> str:
        return f"{match['target']}.ipynb{match['rest']}" if match["target"] else match.group()

    return re.sub(f"{CODE.pattern}|{link}", linked, markdown, flags=CODE.flags)


def claims(markdown: str, lang: str) -> str:
    """The list of claims, each with its tick."""
    tick = f'<span class="tick" role="img" aria-label="{say("verified", lang)}">✓</span>'
    return re.sub(r"^- ", f"- {tick} ", markdown, flags=re.MULTILINE)


def actions(run: Run, address: site.Site, lang: str) -> str:
    """What a reader can do with the recipe, above its text."""
    recipe = run.recipe
    filled = {
        "template": "recipe-is-wrong.yml",
        "slug": recipe.key,
        "version": f"{run.record['date']} {(run.record['commit'] or '')[:12]}".strip(),
        "environment": f"Python {run.record['python']}, {versions(run)}; {run.record['processor']}",
    }
    issue = f"{address.repo_url}/issues/new?{urlencode(filled)}"
    links = [
        (address.colab(recipe.key, lang), "colab", "md-button md-button--primary"),
        (f"{recipe.slug}.ipynb", "download_notebook", "md-button"),
        (f"{recipe.slug}.py", "download_source", "md-button"),
        (address.source(recipe.key), "view_source", ""),
        (issue, "report", ""),
    ]
    items = "".join(
        f'<a href="{html.escape(target)}"{f" class={json.dumps(style)}" if style else ""}'
        f"{'' if '/' in target else ' download'}>{say(name, lang)}</a>\n"
        for target, name, style in links
    )
    return f'<nav class="actions" aria-label="{say("take_along", lang)}" data-search-exclude>\n{items}</nav>'


def stamp(run: Run, lang: str) -> str:
    """When and where the recipe ran, and what that took."""
    record = run.record
    facts = say(
        "stamp", lang, date=record["date"], seconds=f"{record['seconds']:.0f}",
        memory=f"{record['peak_memory'] / 1e6:.0f}", checks=record["checks"],
    )  # fmt: skip
    where = say("versions", lang, python=record["python"], versions=versions(run), processor=record["processor"])
    return f'<div class="stamp" markdown data-search-exclude>\n{facts}\n<small>{html.escape(where)}</small>\n</div>'


def versions(run: Run) -> str:
    """The packages that a recipe imported, as `torch 2.14.1, …`."""
    return ", ".join(f"{name} {version.partition('+')[0]}" for name, version in run.record["versions"].items())


def figures_table(run: Run, lang: str, number: int) -> str:
    """The headline figures as measured in this run, beside their spread over the recorded seeds."""
    spread = proofs.spread(run.recipe)
    columns = [say("figure", lang), say("this_run", lang)]
    if spread:
        columns.append(say("over_seeds", lang, n=proofs.num_seeds(run.recipe)))
    rows = []
    for name, value in run.record["results"].items():
        cells = [rounded(value)]
        if name in spread:
            low, mean, high = map(rounded, spread[name])
            cells.append(f"{low} – {high}, {say('mean', lang)} {mean}")
        elif spread:
            cells.append("")
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>' + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "\n".join(rows)
    table = f'<table class="frame">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'
    return outputs.box(table, "table", number, lang)


def answered(run: Run, bank: questions.Bank, lang: str) -> str:
    """Links to the questions that this recipe answers."""
    first: dict[str, str] = {}  # of questions with the same wording
    for question in bank.chapters[run.recipe.chapter]["topics"][run.recipe.slug]["answers"]:
        first.setdefault(bank.questions[question][lang], question)
    items = "\n".join(
        f"- [{html.escape(text)}](../../questions/index.md#{question})" for text, question in first.items()
    )
    return f'<div class="answers" markdown data-search-exclude>\n{say("answers", lang)}\n\n{items}\n</div>'


def write_markdown(recipes: list[Recipe], bank: questions.Bank, root: Path, folder: Path) -> list[Path]:
    """All pages of both languages below `folder` as plain Markdown with their images, for any generator.

    Raises:
        NotExecuted: a recipe has no outputs yet.
    """
    runs = [load(recipe, root) for recipe in recipes if not health.skipped(recipe, health.environment())]
    address = site.read(root, fork=True)
    written = []
    for lang in LANGUAGES:
        base = folder if lang == "en" else folder / lang
        pages = site_pages(runs, bank, address, root, lang)
        for source in sorted((root / "docs" / lang).rglob("*.md")):
            relative = source.relative_to(root / "docs" / lang)
            text = fill(source.read_text("utf-8"), runs, pages, bank, relative.as_posix(), lang)
            pages.append(Page(relative.as_posix(), text))
        for page in pages:
            path = base / re.sub(r"\.ipynb$", ".md", page.path)
            files.write(path, re.sub(r"(\]\((?!https?:)[^)\s]+)\.ipynb(#[^)\s]*)?\)", r"\1.md\2)", page.text))
            written.append(path)
            for figure in page.figures:
                files.write(path.parent / figure.name, figure.content)
            if page.download:
                files.write(path.with_suffix("") / f"{path.stem}.ipynb", page.download)
        for run in runs:
            path = base / "recipes" / run.recipe.key / f"{run.recipe.slug}.py"
            files.write(path, scripts.script(run, lang, address))
        files.write(
            base / "answers" / answers.deck_name(lang), answers.deck(runs, bank, history.changes(root), address, lang)
        )
    return written


def fill(text: str, runs: list[Run], pages: list[Page], bank: questions.Bank, path: str, lang: str) -> str:
    """A hand-written page with its marks for cards and counts replaced."""
    depth = path.removesuffix("index.md").count("/") + (not path.endswith("index.md"))
    text = join_lines(text) if lang == "zh" else text
    text = text.replace(CARDS, gallery.selection(runs, pages, bank, "../" * depth, lang))
    text = text.replace(FACTS, results.facts(runs, lang))
    return text.replace(COUNT, bank_pages.answered_count(runs, bank, lang))
