"""Short texts of the generated parts of pages, from words.yml."""

from functools import cache
from importlib import resources
from typing import Any

import yaml


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load((resources.files("cookbook") / "words.yml").read_text("utf-8"))
    return words


def say(name: str, lang: str, **values: object) -> str:
    """The text `name` (or `group.name`) in `lang`, with its blanks filled."""
    entry = _words()
    for part in name.split("."):
        entry = entry[part]
    return str(entry[lang]).format(**values)
