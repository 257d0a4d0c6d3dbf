"""Collections of recipes: cards with what filters ask for, tags, short answers, neighbours."""

import io
import re
import sqlite3
import zipfile
from dataclasses import replace
from importlib import resources
from pathlib import Path

import planted
import pytest
import yaml
from bs4 import BeautifulSoup
from test_pages import SITE, bank, page, rendered, run

from cookbook import answers, bank_pages, gallery, history, recipe, related, words

LANGUAGES = recipe.LANGUAGES


def soup(markdown: str) -> BeautifulSoup:
    return BeautifulSoup(rendered(markdown), "html.parser")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_says_what_the_filters_ask_for(lang: str) -> None:
    card = soup(gallery.card(run(), page(lang), "../", lang)).find("li")
    assert card is not None
    header, record = run().recipe.header, run().record
    assert card["data-chapter"] == "demo" and card["data-level"] == header["level"]
    assert str(card["data-tag"]).split() == header["tags"]
    assert str(card["data-seconds"]) == f"{record['seconds']:.0f}", "as the card says it"
    assert card["data-gpu"] == "no" and "GPU" not in card.get_text()


def test_a_recipe_that_needs_a_gpu_says_so() -> None:
    needy = replace(run(), recipe=replace(run().recipe, header=run().recipe.header | {"gpu": True}))
    card = soup(gallery.card(needy, page("en"), "../", "en")).find("li")
    assert card is not None and card["data-gpu"] == "yes" and "needs a GPU" in card.get_text()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_filter_offers_what_some_card_has(lang: str) -> None:
    made = soup(gallery.gallery_page([run()], [page(lang)], bank(), lang).text)
    form, card = made.find("form"), made.find("li", class_="card")
    assert form is not None and card is not None
    for control in form.find_all("select"):
        name = str(control["name"])
        offered = [str(option["value"]) for option in control.find_all("option")]
        assert offered[0] == "" and len(offered) > 1
        has = str(card[f"data-{name}"])
        if name in ("chapter", "level"):
            assert offered[1:] == [has]
        if name == "tag":
            assert offered[1:] == sorted(has.split())
        assert control.find_parent("label") is not None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_tag_has_a_page_with_its_recipes(lang: str) -> None:
    index, *others = gallery.tag_pages([run()], [page(lang)], bank(), lang)
    assert [one.path for one in others] == [f"tags/{tag}.md" for tag in sorted(run().recipe.header["tags"])]
    for one in others:
        tag = Path(one.path).stem
        label = words.say(f"tag_name.{tag}", lang)
        assert run().recipe.header["title"][lang] in one.text and label in one.text
        assert f'<a href="{tag}/">{label}</a>' in index.text


def test_each_tag_that_a_header_may_name_has_a_name_in_both_languages() -> None:
    schema = yaml.safe_load((resources.files("cookbook") / "header.schema.yml").read_text("utf-8"))
    tags = schema["properties"]["tags"]["items"]["enum"]
    for lang in LANGUAGES:
        names = [words.say(f"tag_name.{tag}", lang) for tag in tags]
        assert len(set(names)) == len(tags)


@pytest.mark.parametrize(("lang", "start"), [("en", "Go through"), ("zh", "逐个")])
def test_the_short_answer_is_the_section_of_that_name_alone(tmp_path: Path, lang: str, start: str) -> None:
    root = planted.copy(tmp_path)
    name, next_name = ("Short answer", "More") if lang == "en" else ("简短回答", "更多")
    text = f'# %% [markdown] lang="{lang}"\n# ## {name}\n#\n# {start} x.\n# y\n#\n# ## {next_name}\n#\n# Not this.\n'
    path = root / planted.SOURCE
    path.write_text(path.read_text("utf-8") + "\n" + text, encoding="utf-8")
    found = [cell for cell in recipe.read(path).cells if cell.lang == lang and name in cell.source]
    only = replace(recipe.read(path), cells=tuple(found[-1:]))
    assert answers.short_answer(only, lang).replace("\n", " ") == f"{start} x. y"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_short_answers_stand_on_one_page_and_on_one_a_chapter(lang: str) -> None:
    whole, chapter = answers.pages([run()], bank(), lang)
    assert (whole.path, chapter.path) == ("answers/index.md", "answers/demo.md")
    short = answers.short_answer(run().recipe, lang)
    assert short
    for one in (whole, chapter):
        assert short.split("](")[0] in one.text
        assert f"](../recipes/{run().recipe.key}.ipynb)" in one.text
        assert all(bank().questions[question][lang] in one.text for question in ("d0-q01", "d1-q01"))


def cards_of(package: bytes, folder: Path) -> list[tuple[str, str, str]]:
    """Guid, fields and tags of every note of an Anki package."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        path = Path(archive.extract("collection.anki2", folder))
    with sqlite3.connect(path) as connection:
        return connection.execute("select guid, flds, tags from notes").fetchall()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_deck_has_one_card_a_recipe_that_a_second_import_updates(tmp_path: Path, lang: str) -> None:
    (note,) = cards_of(answers.deck([run()], bank(), {}, SITE, lang), tmp_path)
    guid, fields, tags = note
    asked, answer, link = fields.split("\x1f")
    assert bank().questions["d0-q01"][lang] in asked
    assert re.sub(r"<[^>]*>", "", answer).strip()
    assert SITE.page(run().recipe.key, lang) in link
    assert "demo" in tags.split()
    changed = replace(run().recipe, header=run().recipe.header | {"title": {"en": "Other", "zh": "别的"}})
    (later,) = cards_of(answers.deck([replace(run(), recipe=changed)], bank(), {}, SITE, lang), tmp_path / "later")
    assert later[0] == guid and later[1] != fields
    other = "zh" if lang == "en" else "en"
    assert cards_of(answers.deck([run()], bank(), {}, SITE, other), tmp_path / "other")[0][0] != guid


def test_a_card_is_newer_when_only_its_text_changed(tmp_path: Path) -> None:
    def modified(changes: dict[str, list[history.Change]], folder: Path) -> int:
        cards_of(answers.deck([run()], bank(), changes, SITE, "en"), folder)
        with sqlite3.connect(folder / "collection.anki2") as connection:
            return int(connection.execute("select mod from notes").fetchone()[0])

    later = {"demo/sums": [history.Change("2099-01-01T00:00:00+00:00", "0" * 40, "Clearer")]}
    assert modified(later, tmp_path / "later") > modified({}, tmp_path / "first"), "Anki updates only what is newer"


def test_code_in_a_short_answer_does_not_end_it() -> None:
    text = (
        "# Title\n\n## Short answer\n\nUse:\n\n```python\n# a comment\nx = 1\n```\n\n### Why\n\nSo.\n\n## Next\n\nNo."
    )
    cell = recipe.Cell("markdown", text, 1, {"lang": "en"})
    answer = answers.short_answer(recipe.Recipe(Path("recipes", "demo", "x.py"), {}, {}, (cell,)), "en")
    assert answer.startswith("Use:") and answer.endswith("So.")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_question_carries_what_its_filters_ask_for(lang: str) -> None:
    by_topic, _ = bank_pages.question_pages([run()], bank(), lang)
    items = {str(item["id"]): item for item in soup(by_topic.text).find_all("li", class_="question")}
    assert set(items) == {"d0-q01", "d0-q02", "d1-q02"}
    assert items["d0-q01"]["data-document"] == "d0 d1", "the folded question counts for both documents"
    assert [items[name]["data-answered"] for name in items] == ["yes", "no", "no"]
    other = "zh" if lang == "en" else "en"
    assert bank().questions["d0-q01"][other] in str(items["d0-q01"]["data-text"]), "found in either language"
    assert items["d0-q01"].find("a", href="#d0-q01") is not None
    assert answers.short_answer(run().recipe, lang).split("](")[0] in by_topic.text


def stand_in(slug: str, text: str, tags: list[str]) -> recipe.Recipe:
    cell = recipe.Cell("markdown", text, 1, {"lang": "en"})
    return recipe.Recipe(Path("recipes", "demo", f"{slug}.py"), {"tags": tags}, {}, (cell,))


def test_the_nearest_recipe_shares_words_or_tags() -> None:
    recipes = [
        stand_in("cats", "convolution pooling photographs of cats", ["images"]),
        stand_in("dogs", "convolution pooling photographs of dogs", ["images"]),
        stand_in("words", "sentences tokens vocabulary grammar", ["text"]),
        stand_in("verbs", "conjugation endings stems", ["text"]),
    ]
    near = related.related(recipes, count=1)
    assert near == {
        "demo/cats": ["demo/dogs"],
        "demo/dogs": ["demo/cats"],
        "demo/words": ["demo/verbs"],
        "demo/verbs": ["demo/words"],
    }
    assert all(key not in others for key, others in related.related(recipes, count=3).items())
    assert related.related(recipes[:1]) == {"demo/cats": []}
