"""The question bank as pages: by topic, with filters and short answers, and by document."""

import html

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
    blocks = [f"# {title}", answered_count(runs, bank, lang), _filters(bank, lang)]
    for content in bank.chapters.values():
        blocks.append(f"## {content['title'][lang]}")
        for slug, topic in content["topics"].items():
            blocks.append(f"### {topic['title'][lang]} {{ #{slug} }}")
            blocks.append(_questions_of(slug, groups.get(slug, []), slug in done, bank, lang))
            if slug in done:
                link = f"[{done[slug].header['title'][lang]}](../recipes/{done[slug].key}.ipynb)"
                answer = relink(
                    answers.short_answer(done[slug], lang), done[slug].chapter, lambda key: f"../recipes/{key}.ipynb"
                )
                text = f"{answer}\n\n{say('read_recipe', lang, recipe=link)}"
                blocks.append(f'<div class="short" markdown>\n{text}\n</div>')
            else:
                blocks.append(f'<p class="open">{say("not_answered", lang)}</p>')
    meta = {"title": title, "description": say("questions_description", lang, n=len(bank.questions)), "filter": True}
    return Page("questions/index.md", "\n\n".join(blocks) + "\n", meta)


def _filters(bank: questions.Bank, lang: str) -> str:
    documents = {name: titles[lang] for name, titles in bank.documents.items()}
    by_chapter = {
        content["title"][lang]: {slug: topic["title"][lang] for slug, topic in content["topics"].items()}
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


def _link(question: str, lang: str) -> str:
    """The mark that leads to a question's permanent address."""
    name = html.escape(say("link_to_question", lang))
    return f'&#8288;<a class="headerlink" href="#{question}" title="{name}" aria-label="{name}">¶</a>'


def _by_document(done: dict[str, Recipe], bank: questions.Bank, lang: str) -> Page:
    topic_of = bank.topic_answering
    blocks = [f"# {say('by_document', lang)}"]
    in_document: dict[str, list[str]] = {}
    for question, content in bank.questions.items():
        in_document.setdefault(content["document"], []).append(question)
    for document, titles in bank.documents.items():
        asked = in_document.get(document, [])
        answered = sum(topic_of[question] in done for question in asked)
        lines = [
            f'<li><a href="../#{question}">{html.escape(bank.questions[question][lang])}</a><br>'
            f"{_answer(done.get(topic_of[question]), lang)}</li>"
            for question in asked
        ]
        items = "\n".join(lines)
        count = say("answered_in", lang, answered=answered, total=len(asked))
        blocks += [f"## {titles[lang]}", count, f'<ol class="questions">\n{items}\n</ol>']
    return Page("questions/documents.md", "\n\n".join(blocks) + "\n", {"title": say("by_document", lang)})


def _answer(recipe: Recipe | None, lang: str) -> str:
    """A link to the recipe that answers a question, or that there is none yet; from the page by document."""
    if recipe is None:
        return f'<span class="open">{say("not_answered", lang)}</span>'
    return f'<a href="../../recipes/{recipe.key}/">{html.escape(recipe.header["title"][lang])}</a>'


def answered_count(runs: list[Run], bank: questions.Bank, lang: str) -> str:
    """How many questions have a recipe."""
    done = {run.recipe.slug for run in runs}
    answered = sum(topic in done for topic in bank.topic_answering.values())
    total = len(bank.questions)
    return say(
        "answered_count", lang, answered=answered, total=total, open=total - answered, distinct=len(bank.folded())
    )
