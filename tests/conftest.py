"""What several test files share: the repository, and its site built from freshly executed recipes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cookbook import recipe

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def run_command(*arguments: str, cwd: Path = ROOT, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """A command of the environment, with its output as text."""
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [str(BIN / arguments[0]), *arguments[1:]]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope="session")
def executed() -> Path:
    """`build/executed`, after every recipe has passed through nbmake."""
    done = run_command("cookbook", "run", timeout=1800)
    assert done.returncode == 0, done.stderr
    return ROOT / "build" / "executed"


@pytest.fixture(scope="session")
def site(executed: Path) -> Path:
    """`site/`, both languages, built strictly."""
    for config in ("mkdocs.yml", "mkdocs.zh.yml"):
        done = run_command("mkdocs", "build", "-q", "--strict", "-f", config)
        assert done.returncode == 0, done.stdout + done.stderr
    done = run_command("cookbook", "pack")
    assert done.returncode == 0, done.stderr
    return ROOT / "site"


@pytest.fixture(scope="session")
def sources() -> list[recipe.Recipe]:
    """Every recipe of the collection."""
    found = [recipe.read(path) for path in recipe.find_sources(ROOT)]
    assert found, "no recipe to look at"
    return found
