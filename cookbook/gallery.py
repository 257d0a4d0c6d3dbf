"""Cards of recipes, and the pages that collect them: the gallery with its filters, chapters, tags."""

import html
import itertools
import re
from collections.abc import Mapping
from typing import Any

from cookbook import outputs, questions
from cookbook.outputs import Figure
from cookbook.runs import Page, Run
from cookbook.words import say

LEVELS = ("beginner", "intermediate", "advanced")
SELECTED = 8  # cards on the home page
SECONDS = (20, 30, 40, 60)  # steps of the filter "takes up to"


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


def with_tag(runs: list[Run], bank: questions.Bank) -> dict[str, list[Run]]:
    """Recipes by tag, tags from A to Z, recipes in reading order."""
    found: dict[str, list[Run]] = {}
    for run in in_order(runs, bank):
        for tag in run.recipe.header["tags"]:
            found.setdefault(tag, []).append(run)
    return dict(sorted(found.items()))


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
    gpu = bool(recipe.header.get("gpu"))
    facts = [
        say(f"level.{recipe.header['level']}", lang),
        say("seconds", lang, n=f"{record['seconds']:.0f}"),
        say("memory", lang, n=f"{record['peak_memory'] / 1e6:,.0f}"),
        *([say("gpu.yes", lang)] if gpu else []),
    ]
    known = {
        "chapter": recipe.chapter,
        "level": recipe.header["level"],
        "tag": " ".join(recipe.header["tags"]),
        "seconds": f"{record['seconds']:.0f}",  # as the card says it
        "gpu": "yes" if gpu else "no",
    }
    data = "".join(f' data-{name}="{value}"' for name, value in known.items())
    title, description = (html.escape(recipe.header[name][lang]) for name in ("title", "description"))
    link = f'<a href="{here}recipes/{recipe.key}/">{title}</a>'
    return (
        f'<li class="card"{data}>{pictures}<{heading}>{link}</{heading}><p>{description}</p>'
        f'<p class="facts">{" · ".join(facts)}</p></li>'
    )


def card_list(runs: list[Run], by_key: dict[Any, Page], here: str, lang: str, heading: str = "h3") -> str:
    """Cards as a list."""
    items = "\n".join(card(run, by_key[run.recipe.key], here, lang, heading) for run in runs)
    return f'<ul class="cards" data-search-exclude>\n{items}\n</ul>'


def cards(runs: list[Run], pages: list[Page], bank: questions.Bank, here: str, lang: str) -> str:
    """Cards of all recipes, a heading and a list for each chapter that has any."""
    by_key = {page.meta.get("recipe"): page for page in pages}
    blocks = [
        f"## {bank.chapters[chapter]['title'][lang]}\n\n{card_list(chosen, by_key, here, lang)}"
        for chapter, chosen in in_chapters(runs, bank).items()
    ]
    return "\n\n".join(blocks)


def selection(runs: list[Run], pages: list[Page], bank: questions.Bank, here: str, lang: str) -> str:
    """A few cards, the first of each chapter, then the second of each; and below them all chapters."""
    by_key = {page.meta.get("recipe"): page for page in pages}
    chapters = in_chapters(runs, bank)
    in_turn = [run for turn in itertools.zip_longest(*chapters.values()) for run in turn if run]
    items = "\n".join(
        f"- [{bank.chapters[chapter]['title'][lang]}]({here}recipes/{chapter}/index.md) ({len(chosen)})"
        for chapter, chosen in chapters.items()
    )
    chosen = card_list(in_turn[:SELECTED], by_key, here, lang)
    return f"## {say('selection', lang)}\n\n{chosen}\n\n## {say('chapters', lang)}\n\n{items}"


def choice(name: str, options: Mapping[str, str | dict[str, str]], lang: str, match: str = "") -> str:
    """One filter: a labelled list of `options`, value to text or group to such a list, above them "any"."""
    rule = f' data-match="{match}"' if match else ""

    def listed(options: Mapping[str, str | dict[str, str]]) -> str:
        return "".join(
            f'<option value="{value}">{html.escape(text)}</option>'
            if isinstance(text, str)
            else f'<optgroup label="{html.escape(value)}">{listed(text)}</optgroup>'
            for value, text in options.items()
        )

    return (
        f'<label>{say(f"filter.{name}", lang)} <select name="{name}"{rule}>'
        f'<option value="">{say("filter.any", lang)}</option>{listed(options)}</select></label>'
    )


def filters(controls: list[str], what: str, lang: str) -> str:
    """Filters of the list items below; the page hides them from a reader without script."""
    inner = "\n".join(controls)
    return (
        f'<form class="filters" data-items="{html.escape(what)}" data-search-exclude>\n{inner}\n'
        f'<div><button type="reset">{say("filter.clear", lang)}</button> '
        f'<output data-text="{say("filter.shown", lang, n="{n}", total="{total}")}" '
        f'data-none="{say("filter.none", lang)}"></output></div>\n</form>'
    )


def gallery_page(runs: list[Run], pages: list[Page], bank: questions.Bank, lang: str) -> Page:
    """Every recipe as a card, by chapter, with filters that combine."""
    title = say("recipes", lang)
    chapters = in_chapters(runs, bank)
    levels = [level for level in LEVELS if any(run.recipe.header["level"] == level for run in runs)]
    controls = [
        choice("chapter", {slug: bank.chapters[slug]["title"][lang] for slug in chapters}, lang),
        choice("level", {level: say(f"level.{level}", lang) for level in levels}, lang),
        choice("tag", {tag: say(f"tag_name.{tag}", lang) for tag in with_tag(runs, bank)}, lang, "word"),
        choice("seconds", {str(n): say("seconds", lang, n=n) for n in SECONDS}, lang, "most"),
        choice("gpu", {name: say(f"gpu.{name}", lang) for name in ("no", "yes")}, lang),
    ]
    text = "\n\n".join(
        [
            f"# {title}",
            say("gallery_lead", lang, n=len(runs), tags=say("tags", lang).lower()),
            filters(controls, ".card", lang),
            cards(runs, pages, bank, "../", lang),
        ]
    )
    meta = {
        "title": title,
        "description": say("gallery_description", lang),
        "search": {"exclude": True},
        "filter": True,
    }
    return Page("recipes/index.md", text + "\n", meta)


def tag_pages(runs: list[Run], pages: list[Page], bank: questions.Bank, lang: str) -> list[Page]:
    """All tags on one page, and one page a tag with its recipes."""
    by_key = {page.meta.get("recipe"): page for page in pages}
    found = with_tag(runs, bank)
    title = say("tags", lang)
    items = "\n".join(
        f'<li><a href="{tag}/">{say(f"tag_name.{tag}", lang)}</a> <small>{len(chosen)}</small></li>'
        for tag, chosen in found.items()
    )
    lead = say("tags_lead", lang, recipes=f"[{say('recipes', lang)}](../recipes/index.md)")
    text = f'# {title}\n\n{lead}\n\n<ul class="tags">\n{items}\n</ul>\n'
    made = [Page("tags/index.md", text, {"title": title, "description": lead_text(lead), "search": {"exclude": True}})]
    for tag, chosen in found.items():
        label = say(f"tag_name.{tag}", lang)
        name = say("tag", lang, tag=label)
        blocks = [f"# {name}", card_list(chosen, by_key, "../../", lang, "h2")]
        about = say("tag_description", lang, tag=label, n=len(chosen))
        meta = {"title": name, "description": about, "search": {"exclude": True}}
        made.append(Page(f"tags/{tag}.md", "\n\n".join(blocks) + "\n", meta))
    return made


def lead_text(markdown: str) -> str:
    """A sentence without its links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)


def chapter_pages(runs: list[Run], pages: list[Page], bank: questions.Bank, lang: str) -> list[Page]:
    """One page a chapter that has a recipe: its cards, and the topics still to come."""
    by_key = {page.meta.get("recipe"): page for page in pages}
    made = []
    for chapter, chosen in in_chapters(runs, bank).items():
        content = bank.chapters[chapter]
        done = {run.recipe.slug for run in chosen}
        title = content["title"][lang]
        planned = "\n".join(
            f"- {topic['title'][lang]}" for slug, topic in content["topics"].items() if slug not in done
        )
        total = len(content["topics"])
        lead = say("chapter_lead" if planned else "chapter_whole", lang, done=len(done), total=total)
        blocks = [f"# {title}", lead, card_list(chosen, by_key, "../../", lang, "h2")]
        if planned:
            blocks += [f"## {say('planned', lang)}", planned]
        meta = {"title": title, "search": {"exclude": True}}
        made.append(Page(f"recipes/{chapter}/index.md", "\n\n".join(blocks) + "\n", meta))
    return made
