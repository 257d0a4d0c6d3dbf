"""Short answers: the recipes' own sections of that name, on pages to read or print, and as decks of cards."""

import hashlib
import html
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cookbook import gallery, questions, site
from cookbook.history import Change
from cookbook.notebooks import absolute_links, join_lines, relink
from cookbook.recipe import FENCE, HEADING, Recipe
from cookbook.runs import Page, Run
from cookbook.words import say

# What a card looks like in Anki; it brings no style of its own but the font's size.
CARD_STYLE = ".card { font-size: 1.1rem; line-height: 1.6; max-width: 42rem; margin: auto; }"


def short_answer(recipe: Recipe, lang: str) -> str:
    """The text below the heading "Short answer", as Markdown, one paragraph a line in Chinese; "" without one."""
    name = say("short_answer", lang)
    for cell in recipe.cells:
        if cell.lang != lang:
            continue
        fences = [fence.span() for fence in FENCE.finditer(cell.source)]
        heads = [
            head
            for head in HEADING.finditer(cell.source)
            if not any(start <= head.start() < end for start, end in fences)
        ]
        for index, head in enumerate(heads):
            level = len(head.group(1))
            following = next((other for other in heads[index + 1 :] if len(other.group(1)) <= level), None)
            if head.group(2).strip() == name:
                text = cell.source[head.end() : following.start() if following else None].strip()
                return join_lines(text) if lang == "zh" else text
    return ""


def pages(runs: list[Run], bank: questions.Bank, lang: str) -> list[Page]:
    """All short answers on one page, and one page a chapter."""
    chapters = gallery.in_chapters(runs, bank)
    title = say("short_answers", lang)
    decks = f'<div class="deck" markdown>\n{say("deck", lang, deck=deck_name(lang))}\n</div>'
    contents = "\n".join(
        f"- [{bank.chapters[chapter]['title'][lang]}]({chapter}.md) ({len(chosen)})"
        for chapter, chosen in chapters.items()
    )
    blocks = [f"# {title}", say("short_answers_lead", lang), decks, contents]
    made = []
    for chapter, chosen in chapters.items():
        name = bank.chapters[chapter]["title"][lang]
        blocks.append(f"## {name}")
        blocks += [entry(run, bank, "../", "###", lang) for run in chosen]
        heading = f"{title}{say('colon', lang)}{name}"
        own = [f"# {heading}", decks, *(entry(run, bank, "../", "##", lang) for run in chosen)]
        about = say("short_answers_of", lang, chapter=name)
        made.append(Page(f"answers/{chapter}.md", "\n\n".join(own) + "\n", _meta(heading, about)))
    first = Page("answers/index.md", "\n\n".join(blocks) + "\n", _meta(title, say("short_answers_description", lang)))
    return [first, *made]


def _meta(title: str, description: str) -> dict[str, object]:
    return {"title": title, "description": html.escape(description), "search": {"exclude": True}}


def entry(run: Run, bank: questions.Bank, up: str, heading: str, lang: str) -> str:
    """The title of a recipe, the questions it answers, and its short answer."""
    recipe = run.recipe
    link = f"{up}recipes/{recipe.key}.ipynb"
    title = recipe.header["title"][lang]
    asked = "".join(f"<li>{html.escape(text)}</li>" for text in asked_by(recipe, bank, lang))
    return "\n\n".join(
        [
            f"{heading} [{title}]({link}) {{ #{recipe.slug} }}",
            f'<ul class="asked">{asked}</ul>',
            relink(short_answer(recipe, lang), recipe.chapter, lambda key: f"{up}recipes/{key}.ipynb"),
        ]
    )


def asked_by(recipe: Recipe, bank: questions.Bank, lang: str) -> list[str]:
    """The questions that a recipe answers, each wording once."""
    answers = bank.topics[recipe.slug]["answers"]
    return list(dict.fromkeys(bank.questions[question][lang] for question in answers))


def deck_name(lang: str) -> str:
    """The file of a language's deck, beside the page of all short answers."""
    return f"recipes-that-run-{lang}.apkg"


def number_for(text: str) -> int:
    """A number that stays the same for a text, in the range that Anki wants of decks and models."""
    return (1 << 30) + int.from_bytes(hashlib.sha256(text.encode()).digest()[:3])


def deck(
    runs: list[Run], bank: questions.Bank, changes: dict[str, list[Change]], address: site.Site, lang: str
) -> bytes:
    """An Anki package: one card a recipe, with its questions before and its short answer behind.

    Deck, model and notes have ids made of the recipes' names, so that a later import updates the cards and leaves the
    learner's progress alone.
    """
    import genanki  # here, since most commands make no deck
    import markdown

    model = genanki.Model(
        number_for("model"),
        "Recipes that run",
        fields=[{"name": name} for name in ("Question", "Answer", "Link")],
        templates=[
            {
                "name": "Card",
                "qfmt": "{{Question}}",
                "afmt": '{{FrontSide}}<hr id="answer">{{Answer}}<p>{{Link}}</p>',
            }
        ],
        css=CARD_STYLE,
    )
    title = f"{say('site', lang)}{say('colon', lang)}{say('short_answers', lang)}"
    made = genanki.Deck(number_for(f"deck {lang}"), title)
    for run in gallery.in_order(runs, bank):
        recipe = run.recipe
        asked = "".join(f"<p>{html.escape(text)}</p>" for text in asked_by(recipe, bank, lang))
        link = f'<a href="{address.page(recipe.key, lang)}">{html.escape(recipe.header["title"][lang])}</a>'
        answer = markdown.markdown(
            absolute_links(short_answer(recipe, lang), recipe.chapter, lang, address),
            extensions=["tables", "fenced_code", "pymdownx.arithmatex"],
            extension_configs={"pymdownx.arithmatex": {"generic": True}},
        )
        note = genanki.Note(
            model=model,
            fields=[asked, answer, link],
            guid=genanki.guid_for(recipe.key, lang),
            tags=[recipe.chapter, *recipe.header["tags"]],
        )
        made.add_note(note)
    with tempfile.TemporaryDirectory(prefix="cookbook-") as folder:
        path = Path(folder, deck_name(lang))
        # Anki updates what is newer: the time of the last run or change, so that the same recipes make the same deck.
        times = [_seconds(run.record["date"][:10]) for run in runs]
        times += [_seconds(change.time) for run in runs for change in changes.get(run.recipe.key, [])]
        genanki.Package(made).write_to_file(os.fspath(path), timestamp=max(times, default=0.0))
        return path.read_bytes()


def _seconds(time: str) -> float:
    """Seconds since 1970 of an ISO 8601 time, or of midnight in UTC of a date."""
    read = datetime.fromisoformat(time)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
