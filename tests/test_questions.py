"""The question bank reads as it is written, and contradictions are refused with their line."""

from pathlib import Path

import planted
import pytest
from conftest import ROOT

from cookbook import questions


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return planted.plant(tmp_path)


def test_the_bank_keeps_the_order_of_its_file(root: Path) -> None:
    bank = questions.read(root)
    assert list(bank.documents) == ["d0", "d1"]
    assert list(bank.chapters) == ["demo", "other"]
    assert list(bank.topics) == ["sums", "products", "means"]
    assert list(bank.questions) == ["d0-q01", "d0-q02", "d1-q01", "d1-q02"]


def test_topics_know_their_chapter(root: Path) -> None:
    bank = questions.read(root)
    assert {slug: topic["chapter"] for slug, topic in bank.topics.items()} == {
        "sums": "demo",
        "products": "demo",
        "means": "other",
    }
    assert list(bank.topics_of("demo") or {}) == ["sums", "products"]
    assert bank.topics_of("nowhere") is None


def test_every_question_has_the_topic_that_answers_it(root: Path) -> None:
    assert questions.read(root).topic_answering == {
        "d0-q01": "sums",
        "d1-q01": "sums",
        "d0-q02": "products",
        "d1-q02": "means",
    }


def test_the_same_question_asked_twice_is_folded_into_the_earliest(root: Path) -> None:
    assert questions.read(root).folded() == {
        "d0-q01": ["d0-q01", "d1-q01"],
        "d0-q02": ["d0-q02"],
        "d1-q02": ["d1-q02"],
    }


# What is edited, the line that the message must name by its text (and which of several), and what it says.
CONTRADICTIONS = {
    "claimed by two topics": (
        "          - d0-q02\n",
        "          - d0-q02\n          - d0-q01\n",
        "- d0-q01",
        1,
        "'d0-q01' is claimed by 'sums' and 'products'",
    ),
    "claimed twice by one topic": (
        "          - d0-q02\n",
        "          - d0-q02\n          - d0-q02\n",
        "- d0-q02",
        1,
        "'d0-q02' is claimed by 'products' and 'products'",
    ),
    "a topic names no question": (
        "          - d0-q02\n",
        "          - d0-q02\n          - d9-q01\n",
        "- d9-q01",
        0,
        "unknown question 'd9-q01'",
    ),
    "a topic mends no question": (
        "        fixes_code_of:\n          - d1-q02",
        "        fixes_code_of:\n          - d9-q02",
        "- d9-q02",
        0,
        "unknown question 'd9-q02'",
    ),
    "nobody answers": (
        "          - d0-q01\n          - d1-q01\n",
        "          - d0-q01\n",
        "- id: d1-q01",
        0,
        "no topic answers 'd1-q01'",
    ),
    "the same as nothing": ("same_as: d0-q01", "same_as: d0-q09", "- id: d1-q01", 0, "`same_as: d0-q09`"),
    "the same as a copy": (
        "    zh: 如何求平均？\n",
        "    zh: 如何求平均？\n    same_as: d1-q01\n",
        "- id: d1-q02",
        0,
        "`same_as: d1-q01`",
    ),
    "broken YAML": (
        "- id: d0-q02\n    document: d0",
        "- id: d0-q02\n   document: d0",
        "document: d0",
        1,
        "broken YAML",
    ),
    "two questions under one id": (
        "    zh: 如何求平均？\n",
        "    zh: 如何求平均？\n  - id: d0-q02\n    document: d1\n    en: Again?\n    zh: 又？\n",
        "- id: d0-q02",
        1,
        "d0-q02",
    ),
    "a topic in two chapters": (
        "      - slug: means\n",
        "      - slug: products\n        title: {en: P, zh: 乘}\n        answers: []\n      - slug: means\n",
        "- slug: products",
        1,
        "'products'",
    ),
    "a document that is not listed": (
        "- id: d1-q02\n    document: d1",
        "- id: d1-q02\n    document: d7",
        "- id: d1-q02",
        0,
        "d7",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_its_line(root: Path, case: str) -> None:
    find, replace, needle, nth, says = CONTRADICTIONS[case]
    path = root / planted.BANK
    planted.edit(path, find, replace)
    lines = [number for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if needle in line]
    with pytest.raises(questions.BankError) as caught:
        questions.read(root)
    message = str(caught.value)
    assert says in message
    assert ";" in message, "the mend follows a semicolon"
    assert "\n" not in message
    named = int(message.removeprefix(f"{path}:").partition(":")[0])
    # A YAML parser may notice broken indentation on the line after it.
    assert named in ((lines[nth], lines[nth] + 1) if case == "broken YAML" else (lines[nth],))


def test_the_second_claim_is_named_where_a_topic_also_mends_the_question(root: Path) -> None:
    # `fixes_code_of` of the first topic names the question too, but is no claim.
    path = root / planted.BANK
    planted.edit(path, "          - d1-q01\n", "          - d1-q01\n        fixes_code_of:\n          - d0-q01\n")
    planted.edit(path, "          - d0-q02\n", "          - d0-q02\n          - d0-q01\n")
    claim = [number for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if "- d0-q01" in line][2]
    with pytest.raises(questions.BankError, match=f":{claim}: "):
        questions.read(root)


def test_a_list_on_one_line_reads_the_same(root: Path) -> None:
    before = questions.read(root)
    planted.edit(root / planted.BANK, "answers:\n          - d0-q02", "answers: [d0-q02]")
    assert questions.read(root) == before


@pytest.mark.parametrize("text", ["", "chapters: []\n", "- a\n", "documents: [{}]\nchapters: []\nquestions: []\n"])
def test_a_bank_without_its_parts_is_refused(root: Path, text: str) -> None:
    (root / planted.BANK).write_text(text)
    with pytest.raises(questions.BankError, match=r"questions\.yml:\d+: .+; "):
        questions.read(root)


def test_the_public_bank_holds_what_it_promises() -> None:
    bank = questions.read(ROOT)
    assert len(bank.questions) == 165
    assert set(bank.topic_answering) == set(bank.questions)
    for texts in [*bank.documents.values(), *bank.questions.values(), *(t["title"] for t in bank.topics.values())]:
        assert texts["en"].strip() and texts["zh"].strip()
