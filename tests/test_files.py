"""Files are written whole or not at all."""

import os
from pathlib import Path

import pytest

from cookbook import files


def test_a_file_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    assert files.write(path, "字\n")
    assert path.read_bytes() == "字\n".encode()


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    files.write(tmp_path / "b.bin", b"\r\n\x00")
    assert (tmp_path / "b.bin").read_bytes() == b"\r\n\x00"


def test_the_same_content_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert files.write(path, "same")
    os.utime(path, ns=(1, 1))
    assert not files.write(path, "same")
    assert path.stat().st_mtime_ns == 1


def test_other_content_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write(path, "old, and longer")
    assert files.write(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_others_may_read(tmp_path: Path) -> None:
    # A temporary file is private to its owner, and a web server is another user.
    files.write(tmp_path / "a.txt", "page")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_an_interruption_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(Path, step, interrupted)
    with pytest.raises(error):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_only_unwanted_files_of_the_pattern_are_removed(tmp_path: Path) -> None:
    names = ["a/wanted.txt", "a/stale.txt", "a/other.md", "top.txt"]
    for name in names:
        files.write(tmp_path / name, name)
    (tmp_path / "a" / "folder.txt").mkdir()
    assert files.remove_others(tmp_path, "*/*.txt", {tmp_path / "a/wanted.txt"}) == [tmp_path / "a/stale.txt"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["other.md", "top.txt", "wanted.txt"]


def test_nothing_is_removed_from_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert files.remove_others(tmp_path / "none", "*", set()) == []
