"""The question bank as pages: by topic, with filters and short answers, and by document."""

import html
import json

from cookbook import answers, gallery, questions
from cookbook.notebooks import relink
from cookbook.recipe import LANGUAGES, Recipe
from cookbook.runs import Page, Run
from cookbook.words import say


def question_pages(runs: list[Run], bank: questions.Bank, lang: str) -> list[Page]:
    """The question bank by topic and by document."""
    done = {run.recipe.slug: run.recipe for run in runs}
    return [_by_topic(runs, done, bank, lang), _by_document(done, bank, lang)]


def _by_topic(runs: list[Run], done: dict[str, Recipe], bank: questions.Bank, lang: str) -> Page:
    """Every topic with its questions, those that ask the same folded, and its short answer where a recipe gives one."""
    topic_of = bank.topic_answering
    # Groups of questions that ask the same, by each topic that answers one of them.
    groups: dict[str, list[list[str]]] = {}
    for group in bank.folded().values():
        for topic in dict.fromkeys(topic_of[question] for question in group):
            groups.setdefault(topic, []).append(group)
    title = say("questions", lang)
    only = f'<a href="?answered=yes">{say("only_answered", lang)}</a>'
    blocks = [f"# {title}", f"{answered_count(runs, bank, lang)} {only}", _filters(done, bank, lang)]
    for content in bank.chapters.values():
        blocks.append(f"## {content['title'][lang]}")
        for slug in content["topics"]:
            blocks.append(_heading(slug, done, bank, lang))
            blocks.append(_questions_of(slug, groups.get(slug, []), slug in done, bank, lang))
            if slug in done:
                link = f"[{done[slug].header['title'][lang]}](../recipes/{done[slug].key}.ipynb)"
                answer = relink(
                    answers.short_answer(done[slug], lang), done[slug].chapter, lambda key: f"../recipes/{key}.ipynb"
                )
                text = f"{answer}\n\n{say('read_recipe', lang, recipe=link)}"
                blocks.append(f'<div class="short" markdown>\n{text}\n</div>')
    meta = {"title": title, "description": say("questions_description", lang, n=len(bank.questions)), "filter": True}
    return Page("questions/index.md", "\n\n".join(blocks) + "\n", meta)


def _heading(slug: str, done: dict[str, Recipe], bank: questions.Bank, lang: str) -> str:
    """The name of a topic: its recipe's title, or the topic's own and that it is open."""
    name = _topic_name(slug, done, bank, lang)
    if slug in done:
        return f"### {name} {{ #{slug} }}"
    mark = f'<span class="open" data-search-exclude>{say("not_answered", lang)}</span>'
    return f"### {name} {mark} {{ #{slug} data-toc-label={json.dumps(name, ensure_ascii=False)} }}"


def _topic_name(slug: str, done: dict[str, Recipe], bank: questions.Bank, lang: str) -> str:
    return str(done[slug].header["title"][lang] if slug in done else bank.topics[slug]["title"][lang])


def _filters(done: dict[str, Recipe], bank: questions.Bank, lang: str) -> str:
    documents = {name: titles[lang] for name, titles in bank.documents.items()}
    by_chapter = {
        content["title"][lang]: {slug: _topic_name(slug, done, bank, lang) for slug in content["topics"]}
        for content in bank.chapters.values()
    }
    controls = [
        f'<label class="wide">{say("filter.text", lang)} <input type="search" name="text" data-match="text"></label>',
        gallery.choice("document", documents, lang, "word"),
        gallery.choice("topic", by_chapter, lang),
        gallery.choice("answered", {name: say(f"answered.{name}", lang) for name in ("yes", "no")}, lang),
    ]
    return gallery.filters(controls, ".question", lang)


def _questions_of(topic: str, groups: list[list[str]], answered: bool, bank: questions.Bank, lang: str) -> str:
    """The questions that one topic answers, those that ask the same folded into the earliest of them."""
    topic_of, topics = bank.topic_answering, bank.topics
    (other_lang,) = (other for other in LANGUAGES if other != lang)
    items = []
    for group in groups:
        mine = [question for question in group if topic_of[question] == topic]
        elsewhere = list(dict.fromkeys(topic_of[question] for question in group if topic_of[question] != topic))
        links = [f'<a href="#{slug}">{html.escape(topics[slug]["title"][lang])}</a>' for slug in elsewhere]
        documents = dict.fromkeys(bank.questions[question]["document"] for question in mine)
        known = {
            "topic": topic,
            "document": " ".join(documents),
            "answered": "yes" if answered else "no",
            "text": " ".join(bank.questions[question][other_lang] for question in mine),  # found in either language
        }
        data = "".join(f' data-{name}="{html.escape(value)}"' for name, value in known.items())
        asked = html.escape(bank.questions[mine[0]][lang])
        text = f'<li class="question" id="{mine[0]}"{data}>{asked}{_link(mine[0], lang)}'
        if mine[1:]:
            again = "".join(
                f'<li id="{question}">{_wording(mine, index, bank, lang)}'
                f"<small>{html.escape(bank.documents[bank.questions[question]['document']][lang])}</small></li>"
                for index, question in enumerate(mine[1:], 1)
            )
            summary = say("same_question", lang, n=len(mine) - 1)
            text += f"<details><summary>{summary}</summary><ul>{again}</ul></details>"
        if links:
            text += f"<br><small>{say('also_asked', lang)} {say('comma', lang).join(links)}</small>"
        items.append(text + "</li>")
    lines = "\n".join(items)
    return f'<ul class="questions">\n{lines}\n</ul>'


def _wording(group: list[str], index: int, bank: questions.Bank, lang: str) -> str:
    """How one question of a group is worded, unless an earlier one was worded the same."""
    text = bank.questions[group[index]][lang]
    said = any(bank.questions[question][lang] == text for question in group[:index])
    return "" if said else f"{html.escape(text)} "


def _link(question: str, lang: str) -> str:
    """The mark that leads to a question's permanent address."""
    name = html.escape(say("link_to_question", lang))
    return f'&#8288;<a class="headerlink" href="#{question}" title="{name}" aria-label="{name}">¶</a>'


def _by_document(done: dict[str, Recipe], bank: questions.Bank, lang: str) -> Page:
    topic_of = bank.topic_answering
    blocks = [f"# {say('by_document', lang)}", say("by_document_lead", lang)]
    in_document: dict[str, list[str]] = {}
    for question, content in bank.questions.items():
        in_document.setdefault(content["document"], []).append(question)
    for document, titles in bank.documents.items():
        asked = in_document.get(document, [])
        answered = sum(topic_of[question] in done for question in asked)
        lines = [f"<li>{_listed(question, done.get(topic_of[question]), bank, lang)}</li>" for question in asked]
        items = "\n".join(lines)
        count = say("answered_in", lang, answered=answered, total=len(asked))
        blocks += [f"## {titles[lang]}", count, f'<ol class="questions">\n{items}\n</ol>']
    return Page("questions/documents.md", "\n\n".join(blocks) + "\n", {"title": say("by_document", lang)})


def _listed(question: str, recipe: Recipe | None, bank: questions.Bank, lang: str) -> str:
    """A question that leads to its place by topic, and the recipe that answers it; from the page by document."""
    text = html.escape(bank.questions[question][lang])
    if recipe is None:
        return f'<a class="open" href="../#{question}">{text}</a>'
    tick = f'<span class="tick" role="img" aria-label="{say("answered.yes", lang)}">✓</span>'
    answer = f'<a href="../../recipes/{recipe.key}/">{html.escape(recipe.header["title"][lang])}</a>'
    return f'{tick} <a href="../#{question}">{text}</a><br>{answer}'


def answered_count(runs: list[Run], bank: questions.Bank, lang: str) -> str:
    """How many questions have a recipe."""
    done = {run.recipe.slug for run in runs}
    answered = sum(topic in done for topic in bank.topic_answering.values())
    total = len(bank.questions)
    return say(
        "answered_count", lang,
        answered=answered, total=total, distinct=len(bank.folded()), documents=len(bank.documents),
    )  # fmt: skip
