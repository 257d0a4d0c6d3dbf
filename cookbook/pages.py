"""Pages as Markdown: recipes with what they showed, cards, chapters and the question bank, in one language.

MkDocs and `cookbook pages --markdown` both take their pages from here.
"""

import html
import itertools
import json
import re
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nbformat

from cookbook import files, health, notebooks, outputs, proofs, questions, results, site
from cookbook.notebooks import join_lines
from cookbook.outputs import Figure
from cookbook.recipe import CODE, LANGUAGES, Recipe
from cookbook.runs import Page, Run, load, rounded
from cookbook.words import say

CALLOUT = re.compile(r"^> \*\*(Note|Tip|Warning|注意|提示|警告)[:：] ?(.*?)\*\* ?(.*(?:\n>.*)*)", re.MULTILINE)
CALLOUT_KIND = {"注意": "note", "提示": "tip", "警告": "warning"}
CARDS = "<!-- cards -->"
COUNT = "<!-- answered -->"
CHAPTER = "<!-- results of this chapter -->"


def site_pages(runs: list[Run], bank: questions.Bank, address: site.Site, root: Path, lang: str) -> list[Page]:
    """All generated pages of one language: recipes, chapters, question bank, results, health."""
    pages = [recipe_page(run, bank, address, lang) for run in runs]
    by_chapter = in_chapters(runs, bank)
    for run, page in zip(runs, pages, strict=True):
        if CHAPTER in page.text:
            table = results.chapter_table(by_chapter[run.recipe.chapter], lang)
            page.text = page.text.replace(CHAPTER, table)
    recorded = {name: health.read(root, name) for name in health.ENVIRONMENTS}
    return [
        *pages,
        *chapter_pages(runs, pages, bank, lang),
        *question_pages(runs, bank, lang),
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
            parts.append(page_links(callouts(join_lines(text) if lang == "zh" else text)))
            if annotates and pending:
                parts.append(pending)
                pending = None
            continue
        text, drawn = outputs.render(
            next(shown), cell.metadata.get(f"alt_{lang}", ""), lang, f"{recipe.slug}/figure", count, run.images
        )
        figures += drawn
        marks = "`" * max(3, 1 + max(map(len, re.findall(r"`{3,}", cell.source)), default=2))
        fence = f"{marks}python\n{cell.source}\n{marks}"
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
    parts[0] = "\n\n".join([first, actions(run, address, lang), stamp(run, lang), answers(run, bank, lang), rest])
    meta = {
        "title": recipe.header["title"][lang],
        "description": html.escape(recipe.header["description"][lang]),
        "recipe": recipe.key,
        "search": {"boost": 2},
    }
    text = "\n\n".join(part.strip("\n") for part in parts) + "\n"
    path = f"recipes/{recipe.key}.ipynb"
    return Page(path, text, meta, figures, executed_notebook(run, address, lang))


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
    versions = ", ".join(f"{name} {version.partition('+')[0]}" for name, version in record["versions"].items())
    where = say("versions", lang, python=record["python"], versions=versions, processor=record["processor"])
    return f'<div class="stamp" markdown data-search-exclude>\n{facts}\n<small>{html.escape(where)}</small>\n</div>'


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


def answers(run: Run, bank: questions.Bank, lang: str) -> str:
    """Links to the questions that this recipe answers."""
    answered = bank.chapters[run.recipe.chapter]["topics"][run.recipe.slug]["answers"]
    items = "\n".join(
        f"- [{html.escape(bank.questions[question][lang])}](../../questions/index.md#{question})"
        for question in answered
    )
    return f'<div class="answers" markdown data-search-exclude>\n{say("answers", lang)}\n\n{items}\n</div>'


def card(run: Run, page: Page, here: str, lang: str, heading: str = "h3") -> str:
    """One recipe as a list item with its first figure; `here` leads from the page to the site's root."""
    recipe, record = run.recipe, run.record
    pictures = ""
    for figure in page.figures[:2]:  # the first, for a light and for a dark page
        name = figure.name.replace("/figure-", "/thumbnail-")
        content, width, height = outputs.thumbnail(figure.content, run.images)
        if all(other.name != name for other in page.figures):
            page.figures.append(Figure(name, content))
        scheme = name.removesuffix(".webp").rpartition("-")[2]
        source = f"{here}recipes/{recipe.chapter}/{name}#only-{scheme}"
        pictures += f'<img src="{source}" alt="" width="{width}" height="{height}" loading="lazy">'
    facts = " · ".join(
        [
            say(f"level.{recipe.header['level']}", lang),
            say("seconds", lang, n=f"{record['seconds']:.0f}"),
            say("memory", lang, n=f"{record['peak_memory'] / 1e6:.0f}"),
        ]
    )
    title, description = (html.escape(recipe.header[name][lang]) for name in ("title", "description"))
    link = f'<a href="{here}recipes/{recipe.key}/">{title}</a>'
    return (
        f'<li class="card">{pictures}<{heading}>{link}</{heading}><p>{description}</p><p class="facts">{facts}</p></li>'
    )


def cards(runs: list[Run], pages: list[Page], bank: questions.Bank, here: str, lang: str) -> str:
    """Cards of all recipes, a heading and a list for each chapter that has any."""
    by_key = {page.meta.get("recipe"): page for page in pages}
    by_chapter = in_chapters(runs, bank)
    blocks = []
    for chapter, content in bank.chapters.items():
        if chosen := by_chapter.get(chapter):
            items = "\n".join(card(run, by_key[run.recipe.key], here, lang) for run in chosen)
            blocks.append(f'## {content["title"][lang]}\n\n<ul class="cards" data-search-exclude>\n{items}\n</ul>')
    return "\n\n".join(blocks)


def in_order(runs: list[Run], bank: questions.Bank) -> list[Run]:
    """Recipes in the reading order of the question bank's topics."""
    order = {slug: place for place, slug in enumerate(bank.topics)}
    return sorted(runs, key=lambda run: order[run.recipe.slug])


def in_chapters(runs: list[Run], bank: questions.Bank) -> dict[str, list[Run]]:
    """Recipes of each chapter that has any, in reading order."""
    found: dict[str, list[Run]] = {}
    for run in in_order(runs, bank):
        found.setdefault(run.recipe.chapter, []).append(run)
    return found


def chapter_pages(runs: list[Run], pages: list[Page], bank: questions.Bank, lang: str) -> list[Page]:
    """One page a chapter that has a recipe: its cards, and the topics still to come."""
    by_key = {page.meta.get("recipe"): page for page in pages}
    by_chapter = in_chapters(runs, bank)
    made = []
    for chapter, content in bank.chapters.items():
        done = {run.recipe.slug: run for run in by_chapter.get(chapter, [])}
        if not done:
            continue
        title = content["title"][lang]
        items = "\n".join(card(run, by_key[run.recipe.key], "../../", lang, "h2") for run in done.values())
        planned = "\n".join(
            f"- {topic['title'][lang]}" for slug, topic in content["topics"].items() if slug not in done
        )
        lead = say("chapter_lead", lang, done=len(done), total=len(content["topics"]))
        blocks = [f"# {title}", lead, f'<ul class="cards" data-search-exclude>\n{items}\n</ul>']
        if planned:
            blocks += [f"## {say('planned', lang)}", planned]
        made.append(
            Page(
                f"recipes/{chapter}/index.md", "\n\n".join(blocks) + "\n", {"title": title, "search": {"exclude": True}}
            )
        )
    return made


def question_pages(runs: list[Run], bank: questions.Bank, lang: str) -> list[Page]:
    """The question bank by topic and by document."""
    done = {run.recipe.slug: run.recipe for run in runs}
    topic_of, topics = bank.topic_answering, bank.topics
    # Groups of questions that ask the same, by each topic that answers one of them.
    groups: dict[str, list[list[str]]] = {}
    for group in bank.folded().values():
        for topic in dict.fromkeys(topic_of[question] for question in group):
            groups.setdefault(topic, []).append(group)

    def answer(topic: str, up: str) -> str:
        recipe = done.get(topic)
        if recipe is None:
            return f'<span class="open">{say("not_answered", lang)}</span>'
        return f'<a href="{up}recipes/{recipe.key}/">{html.escape(recipe.header["title"][lang])}</a>'

    title = say("questions", lang)
    by_topic = [f"# {title}", answered_count(runs, bank, lang)]
    for content in bank.chapters.values():
        by_topic.append(f"## {content['title'][lang]}")
        for slug, topic in content["topics"].items():
            by_topic.append(f"### {topic['title'][lang]} {{ #{slug} }}\n\n{say('answer', lang)} {answer(slug, '../')}")
            by_topic.append(_questions_of(slug, groups.get(slug, []), topic_of, topics, bank, lang))
    by_document = [f"# {say('by_document', lang)}"]
    in_document: dict[str, list[str]] = {}
    for question, content in bank.questions.items():
        in_document.setdefault(content["document"], []).append(question)
    for document, titles in bank.documents.items():
        asked = in_document.get(document, [])
        answered = sum(topic_of[question] in done for question in asked)
        count = say("answered_in", lang, answered=answered, total=len(asked))
        lines = [
            f'<li><a href="../#{question}">{html.escape(bank.questions[question][lang])}</a><br>'
            f"{answer(topic_of[question], '../../')}</li>"
            for question in asked
        ]
        items = "\n".join(lines)
        by_document += [f"## {titles[lang]}", count, f'<ol class="questions">\n{items}\n</ol>']
    return [
        Page("questions/index.md", "\n\n".join(by_topic) + "\n", {"title": title}),
        Page("questions/documents.md", "\n\n".join(by_document) + "\n", {"title": say("by_document", lang)}),
    ]


def _questions_of(
    topic: str,
    groups: list[list[str]],
    topic_of: dict[str, str],
    topics: dict[str, dict[str, Any]],
    bank: questions.Bank,
    lang: str,
) -> str:
    """The questions that one topic answers, those that ask the same folded into the earliest of them."""
    items = []
    for group in groups:
        mine = [question for question in group if topic_of[question] == topic]
        elsewhere = list(dict.fromkeys(topic_of[question] for question in group if topic_of[question] != topic))
        links = [f'<a href="#{slug}">{html.escape(topics[slug]["title"][lang])}</a>' for slug in elsewhere]
        text = f'<li id="{mine[0]}">{html.escape(bank.questions[mine[0]][lang])}'
        if mine[1:]:
            again = "".join(
                f'<li id="{question}">{html.escape(bank.questions[question][lang])} '
                f"<small>{html.escape(bank.documents[bank.questions[question]['document']][lang])}</small></li>"
                for question in mine[1:]
            )
            text += f"<details><summary>{say('same_question', lang, n=len(mine))}</summary><ul>{again}</ul></details>"
        if links:
            text += f"<br><small>{say('also_asked', lang)} {say('comma', lang).join(links)}</small>"
        items.append(text + "</li>")
    lines = "\n".join(items)
    return f'<ul class="questions">\n{lines}\n</ul>'


def answered_count(runs: list[Run], bank: questions.Bank, lang: str) -> str:
    """How many questions have a recipe."""
    done = {run.recipe.slug for run in runs}
    answered = sum(topic in done for topic in bank.topic_answering.values())
    total = len(bank.questions)
    return say(
        "answered_count", lang, answered=answered, total=total, open=total - answered, distinct=len(bank.folded())
    )


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
            source_file = base / "recipes" / run.recipe.key / f"{run.recipe.slug}.py"
            files.write(source_file, run.recipe.path.read_bytes())
    return written


def fill(text: str, runs: list[Run], pages: list[Page], bank: questions.Bank, path: str, lang: str) -> str:
    """A hand-written page with its marks for cards and counts replaced."""
    depth = path.removesuffix("index.md").count("/") + (not path.endswith("index.md"))
    text = join_lines(text) if lang == "zh" else text
    text = text.replace(CARDS, cards(runs, pages, bank, "../" * depth, lang))
    return text.replace(COUNT, answered_count(runs, bank, lang))
