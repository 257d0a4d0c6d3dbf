"""`cookbook run --standalone`: the committed notebooks as Colab meets them, install cell included.

Each runs in an empty folder, in a fresh environment seeded with Colab's versions, without access to this repository.
What Colab has is installed once a command; a thin environment on top of it takes what the install cell adds.
"""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat

from cookbook import notebooks
from cookbook.check import PREINSTALLED
from cookbook.execute import ONE_THREAD
from cookbook.recipe import Problem, Recipe
from cookbook.site import Site

CONSTRAINTS = "constraints-colab.txt"
TOOLS = ("ipykernel", "nbmake", "pytest")
DISTRIBUTIONS = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn", "yaml": "pyyaml"}
CELL_SECONDS = 600  # one cell may install a package
# Of the caller's variables only these: the machine's language, its way to PyPI, its number of threads.
PASSED = re.compile(r"LANG|LC_\w+|TZ|PIP_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|(?:https?|no|all)_proxy", re.IGNORECASE)
GUARD = '''\
"""Loaded by every Python of this environment: opening or listing anything of the repository raises."""
import os
import sys

ROOT = os.environ["STANDALONE_FORBIDS"]


def audit(event, arguments):
    watched = event in ("open", "os.listdir", "os.scandir", "os.chdir")
    if watched and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if path == ROOT or path.startswith(ROOT + os.sep):
            raise RuntimeError(f"{path} is a file of the repository; a notebook stands alone")


sys.addaudithook(audit)
'''


def preinstalled() -> list[str]:
    """What a recipe may import without naming it, as PyPI names it."""
    return sorted(DISTRIBUTIONS.get(module, module).lower() for module in PREINSTALLED)


def install_command(python: Path, root: Path) -> list[str]:
    """The command that installs Colab's packages, and what executes a notebook."""
    constraints = str((root / CONSTRAINTS).resolve())
    return [str(python), "-m", "pip", "install", "-q", "-c", constraints, *preinstalled(), *TOOLS]


def environment(root: Path, venv: Path, home: Path, caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of a notebook's process: nothing of `caller` that could lead to the repository."""
    forbidden = root.resolve()
    folders = [Path(folder) for folder in caller.get("PATH", os.defpath).split(os.pathsep) if folder]
    outside = [str(folder) for folder in folders if not folder.resolve().is_relative_to(forbidden)]
    return {name: value for name, value in caller.items() if PASSED.fullmatch(name) or name in ONE_THREAD} | {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(venv / "bin"), *outside]),
        "PYTHONNOUSERSITE": "1",
        "STANDALONE_FORBIDS": str(forbidden),
        "TMPDIR": str(home.parent),
    }


def out_of_date(recipe: Recipe, root: Path, site: Site) -> Problem | None:
    """Why the committed English notebook is not the one that belongs to the source."""
    path = root / "notebooks" / "en" / f"{recipe.key}.ipynb"
    if not path.exists():
        return Problem(path, 1, "is missing; run `cookbook sync` and commit")
    if path.read_text("utf-8") != notebooks.text_of(notebooks.notebook(recipe, "en", site)):
        return Problem(path, 1, "differs from its source; run `cookbook sync` and commit")
    return None


def run(
    recipes: Iterable[Recipe],
    root: Path,
    site: Site,
    *,
    base: Path | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> list[Problem]:
    """Execute notebooks one after the other; why some failed. None is executed where one is missing or out of date.

    `base` is the folder of packages that stands for Colab's; without one, Colab's are installed, which takes minutes.

    Raises:
        ValueError: Colab's packages cannot be installed.
    """
    recipes = list(recipes)
    stale = [problem for recipe in recipes if (problem := out_of_date(recipe, root, site))]
    if stale:
        return stale
    problems = []
    with tempfile.TemporaryDirectory(prefix="cookbook-standalone-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        base = base or _base(folder / "colab", root, say)
        for recipe in recipes:
            started = time.monotonic()
            added, problem = _execute(recipe, root, base, folder / recipe.slug)
            problems += [problem] if problem else []
            outcome = "failed" if problem else "passed alone"
            installed = ", ".join(added) or "nothing"
            say(f"{recipe.key}: {outcome} in {time.monotonic() - started:.0f} s; its install cell added {installed}")
    return problems


def packages_of(venv: Path) -> Path:
    """Where an environment made by this Python keeps its packages."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))


def _base(venv: Path, root: Path, say: Callable[[str], None]) -> Path:
    """Install what Colab has; the folder of the packages."""
    started = time.monotonic()
    for command in ([sys.executable, "-m", "venv", str(venv)], install_command(venv / "bin" / "python", root)):
        code, printed = _call(command, venv.parent, dict(os.environ) | {"TMPDIR": str(venv.parent)})
        if code != 0:
            last = printed.strip().splitlines()[-1] if printed.strip() else "no output"
            raise ValueError(f"{root / CONSTRAINTS}:1: cannot be installed: {last}; mend the versions")
    say(f"Colab's packages: installed in {time.monotonic() - started:.0f} s")
    return packages_of(venv)


def _thin(venv: Path, base: Path) -> None:
    """An environment without packages of its own: it sees those of `base`, and pip installs beside them."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, capture_output=True)
    packages = packages_of(venv)
    (packages / "repository_guard.py").write_text(GUARD, encoding="utf-8")
    (packages / "base.pth").write_text(f"{base}\nimport repository_guard\n", encoding="utf-8")


def _execute(recipe: Recipe, root: Path, base: Path, folder: Path) -> tuple[list[str], Problem | None]:
    """Run one notebook in the new `folder`; what its install cell added, and why it failed."""
    home, venv = folder / "home", folder / "venv"
    home.mkdir(parents=True)
    _thin(venv, base)
    committed = root / "notebooks" / "en" / f"{recipe.key}.ipynb"
    path = home / committed.name
    path.write_bytes(committed.read_bytes())
    options = ["--nbmake", "--overwrite", f"--nbmake-timeout={CELL_SECONDS}", "-q", "-p", "no:cacheprovider"]
    command = [
        str(venv / "bin" / "python"),
        "-m",
        "pytest",
        *options,
        "-c",
        os.devnull,
        "--rootdir",
        str(home),
        str(path),
    ]
    code, printed = _call(command, home, environment(root, venv, home))
    added = {dist.name.lower(): dist.version for dist in metadata.distributions(path=[str(packages_of(venv))])}
    replaced = sorted(added.keys() & set(preinstalled()))
    text = _failure(nbformat.read(path, as_version=4), printed) if code else None
    if replaced:
        text = f"cell 1: the install cell replaces {', '.join(replaced)}, which Colab has; pin a release that goes with"
        text += " Colab's, or write `deps: false` in the header"
    return [f"{name} {added[name]}" for name in sorted(added)], Problem(committed, 1, text) if text else None


def _failure(notebook: Any, printed: str) -> str:
    """What a notebook's first failing cell raised; code cells are counted from 1."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        for output in cell.outputs:
            if output.output_type == "error":
                value = output.evalue.strip().partition("\n")[0][:200]
                return f"cell {number}: {output.ename}: {value}; mend its source and run `cookbook sync`"
    last = printed.strip().splitlines()[-1] if printed.strip() else "no output"
    return f"cell ?: nbmake could not execute it: {last}; open the notebook in a new folder and run it by hand"


def _heed_interruptions() -> None:
    """A command in the background of a script ignores SIGINT, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _call(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[int, str]:
    """A command's exit status and output. An interruption ends it and everything that it started."""
    process = subprocess.Popen(
        command, cwd=folder, env=variables, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=_heed_interruptions,
    )  # fmt: skip
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):  # wakes to see a signal that came in between
                printed, _ = process.communicate(timeout=1)
                return process.returncode, printed
    except BaseException:
        process.send_signal(signal.SIGINT)  # lets nbclient end the kernel, which is in a session of its own
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise
