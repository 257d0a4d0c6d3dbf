"""What git knows of each recipe: when it came, and what changed since."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

FIELD, RECORD = "\x1f", "\0"  # git allows no NUL in a message
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_RECIPES = 3  # touched by one commit; one that touches more is a change of the site, not of what a recipe says


class Change(NamedTuple):
    """One commit that touched a recipe. `time` is ISO 8601 with its offset."""

    time: str
    commit: str
    subject: str


def changes(root: Path) -> dict[str, list[Change]]:
    """The commits of each recipe, by `chapter/slug`, the newest first; renamed files keep their past.

    Empty outside of a git repository and in a shallow clone, which knows only a part.
    """
    layout = f"--format=%x00%cI{FIELD}%H{FIELD}%s"
    command = ["git", "-c", "core.quotepath=off", "log", layout, "--name-status", "--find-renames", "--", "recipes"]
    if _git(root, ["git", "rev-parse", "--is-shallow-repository"]).strip() != "false":
        return {}
    found: dict[str, list[Change]] = {}
    now: dict[str, str] = {}  # an older name of a recipe -> its name today
    for record in _git(root, command).split(RECORD)[1:]:
        head, _, listing = record.partition("\n")
        change = Change(*(CONTROL.sub(" ", part) for part in head.split(FIELD, 2)))
        lines = [line.split("\t") for line in listing.split("\n")]
        touched = [(status, *paths) for status, *paths in lines if paths and paths[-1].endswith(".py")]
        of_the_site = len(touched) > MAX_RECIPES
        for status, *paths in touched:
            key = _key(paths[-1])
            today = now.get(key, key)
            if status.startswith("R"):
                now[_key(paths[0])] = today
            if status == "A" or not of_the_site:
                found.setdefault(today, []).append(change)
    return found


def _key(path: str) -> str:
    return path.removesuffix(".py").partition("recipes/")[2]


def _git(root: Path, command: list[str]) -> str:
    """What git says, or "" where there is no git or no repository."""
    try:
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, encoding="utf-8", errors="replace", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout
