"""The question bank: recipes/questions.yml, and which recipe answers what."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml


class BankError(Exception):
    """The question bank contradicts itself; the message names file, line and mend."""


@dataclass(frozen=True)
class Bank:
    """Documents, chapters with their topics, and questions, each in the file's order."""

    documents: dict[str, dict[str, str]]  # id -> title by language
    chapters: dict[str, dict[str, Any]]  # slug -> {"title": …, "topics": {slug: topic}}
    questions: dict[str, dict[str, str]]  # id -> {"document", "en", "zh", "same_as"?}

    def topics_of(self, chapter: str) -> dict[str, Any] | None:
        return self.chapters[chapter]["topics"] if chapter in self.chapters else None

    @cached_property
    def topics(self) -> dict[str, dict[str, Any]]:
        """All topics by slug, in reading order."""
        return {
            slug: {**topic, "chapter": chapter}
            for chapter, content in self.chapters.items()
            for slug, topic in content["topics"].items()
        }

    @cached_property
    def topic_answering(self) -> dict[str, str]:
        """Question id -> slug of the topic whose recipe answers it."""
        return {question: slug for slug, topic in self.topics.items() for question in topic["answers"]}

    def folded(self) -> dict[str, list[str]]:
        """Question ids that ask the same, by the id of the earliest."""
        groups: dict[str, list[str]] = {}
        for question, content in self.questions.items():
            groups.setdefault(content.get("same_as", question), []).append(question)
        return groups


def read(root: Path) -> Bank:
    """Read and verify `recipes/questions.yml`.

    Raises:
        BankError: broken YAML, an unknown id, or a question that no topic or two topics answer.
    """
    path = root / "recipes" / "questions.yml"
    text = path.read_text(encoding="utf-8")
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise BankError(f"{path}:{mark.line + 1 if mark else 1}: broken YAML: {reason}; mend the line") from None
    try:
        return _verified(data, text.split("\n"), path)
    except (TypeError, KeyError, AttributeError) as error:
        message = f"lacks a part ({error}); see the comment at its top"
        raise BankError(f"{path}:1: {message}") from None


def _verified(data: Any, lines: list[str], path: Path) -> Bank:
    """The question bank, after looking for contradictions."""
    chapters = {
        chapter["slug"]: {
            "title": chapter["title"],
            "topics": {topic["slug"]: topic for topic in chapter["topics"]},
        }
        for chapter in data["chapters"]
    }
    bank = Bank(
        {document["id"]: document["title"] for document in data["documents"]},
        chapters,
        {question["id"]: question for question in data["questions"]},
    )

    def fail(needle: str, nth: int, message: str, within: str = "") -> None:
        hits, key = [], ""
        for number, line in enumerate(map(str.strip, lines), 1):
            if line.removeprefix("- ") == needle and within in ("", key):
                hits.append(number)
            key = line[:-1] if line.endswith(":") else key
        raise BankError(f"{path}:{hits[min(nth, len(hits) - 1)] if hits else 1}: {message}")

    slugs = [topic["slug"] for chapter in data["chapters"] for topic in chapter["topics"]]
    for word, names in (("slug", slugs), ("id", [question["id"] for question in data["questions"]])):
        for index, name in enumerate(names):
            if name in names[:index]:
                fail(f"{word}: {name}", 1, f"{name!r} stands here a second time; rename one of them")
    claimed: dict[str, str] = {}
    for slug, topic in bank.topics.items():
        for question in [*topic["answers"], *topic.get("fixes_code_of", [])]:
            if question not in bank.questions:
                fail(question, 0, f"topic {slug!r} names unknown question {question!r}; correct it")
        for question in topic["answers"]:
            if question in claimed:
                message = f"question {question!r} is claimed by {claimed[question]!r} and {slug!r}"
                fail(question, 1, f"{message}; leave it in one of them", within="answers")
            claimed[question] = slug
    for question, content in bank.questions.items():
        if question not in claimed:
            fail(f"id: {question}", 0, f"no topic answers {question!r}; add it to one")
        if content["document"] not in bank.documents:
            fail(f"id: {question}", 0, f"{question!r} is of unknown document {content['document']!r}; correct it")
        original = content.get("same_as", question)
        if "same_as" in bank.questions.get(original, {"same_as": ""}) and original != question:
            fail(f"id: {question}", 0, f"`same_as: {original}` is no earliest question; correct it")
    return bank
