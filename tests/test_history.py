"""What git knows of recipes: their changes, also under an older name, and nothing where it cannot know."""

import subprocess
from pathlib import Path

import pytest

from cookbook import history


def git(root: Path, *arguments: str, date: str = "2026-01-01T12:00:00+00:00") -> None:
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    environment = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin", "HOME": str(root)}
    subprocess.run(["git", *identity, *arguments], cwd=root, env=environment, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one recipe that was written, renamed and changed, and one that came later."""
    root = tmp_path / "repository"
    folder = root / "recipes" / "demo"
    folder.mkdir(parents=True)
    git(root, "init", "-q")
    (folder / "old.py").write_text("one = 1\ntwo = 2\nthree = 3\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Recipe: sums", date="2026-01-01T12:00:00+00:00")
    git(root, "mv", "recipes/demo/old.py", "recipes/demo/sums.py")
    git(root, "commit", "-q", "-m", "A better name", date="2026-01-02T12:00:00+00:00")
    (folder / "sums.py").write_text("one = 1\ntwo = 2\nthree = 4\n")
    (folder / "means.py").write_text("mean = 2\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "Means; a wrong sum mended", date="2026-01-03T12:00:00+00:00")
    return root


def test_the_changes_of_a_recipe_the_newest_first_and_across_its_names(root: Path) -> None:
    found = history.changes(root)
    assert [change.subject for change in found["demo/sums"]] == [
        "Means; a wrong sum mended", "A better name", "Recipe: sums",
    ]  # fmt: skip
    assert [change.time[:10] for change in found["demo/sums"]] == ["2026-01-03", "2026-01-02", "2026-01-01"]
    assert [change.subject for change in found["demo/means"]] == ["Means; a wrong sum mended"]
    assert "demo/old" not in found


def test_strange_letters_in_a_message_do_no_harm(root: Path) -> None:
    (root / "recipes" / "demo" / "means.py").write_text("mean = 3\n")
    message = root / "message"
    message.write_bytes(b"a\x1eb\x1fc\x08d \xe9")
    git(root, "commit", "-q", "-a", "-F", str(message))
    assert history.changes(root)["demo/means"][0].subject.startswith("a b c d ")


def test_a_change_of_the_whole_site_is_none_of_each_recipe(root: Path) -> None:
    folder = root / "recipes" / "demo"
    for number in range(history.MAX_RECIPES):
        (folder / f"new{number}.py").write_text(f"number = {number}\n" * 5)
    (folder / "means.py").write_text("mean = 4\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "All of them")
    found = history.changes(root)
    assert "All of them" not in [change.subject for change in found["demo/means"]]
    assert found["demo/new0"][0].subject == "All of them", "that is where it began"


def test_a_shallow_clone_claims_no_history(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", "shallow")
    assert history.changes(tmp_path / "shallow") == {}


def test_outside_of_git_there_is_no_history(tmp_path: Path) -> None:
    assert history.changes(tmp_path) == {}
