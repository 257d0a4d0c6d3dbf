"""`cookbook run --standalone`: what it installs, what a notebook's process sees, what it refuses, what it leaves."""

import json
import os
import re
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import planted
import pytest
from conftest import ROOT

from cookbook import cli, notebooks, recipe, site, standalone

PROBLEM = re.compile(r"[^:]+\.ipynb:1: .+; .+")
HERE = Path(sysconfig.get_path("purelib"))  # this environment stands for Colab's
NOTEBOOK = planted.NOTEBOOKS["en"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = planted.plant(tmp_path / "repository")
    assert planted.cookbook(root, "sync").returncode == 0
    return root


def run(root: Path, said: list[str] | None = None) -> list[str]:
    """The planted recipe's notebook, executed on this environment; one sentence a failure."""
    recipes = [recipe.read(root / planted.SOURCE)]
    say = said.append if said is not None else lambda _text: None
    return list(map(str, standalone.run(recipes, root, site.read(root), base=HERE, say=say)))


def with_code(root: Path, code: str) -> None:
    """The planted recipe with more code in it, and its notebooks."""
    planted.edit(root / planted.SOURCE, "total = sum(numbers)", f"{code}\ntotal = sum(numbers)")
    notebooks.sync([recipe.read(root / planted.SOURCE)], root, site.read(root))


def left_behind() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("cookbook-standalone-*"))


def test_what_colab_has_is_installed_at_its_versions(tmp_path: Path) -> None:
    command = standalone.install_command(tmp_path / "python", tmp_path)
    assert command[:4] == [str(tmp_path / "python"), "-m", "pip", "install"]
    assert command[command.index("-c") + 1] == str(tmp_path / "constraints-colab.txt")
    assert {"numpy", "scikit-learn", "scikit-image", "pillow", "pyyaml", "torch", "torchvision", "nbmake"} <= {*command}
    assert not {"sklearn", "PIL", "skimage", "yaml", "mlxtend"} & {*command}


def test_the_constraints_name_a_version_of_everything_that_is_installed() -> None:
    pins = re.findall(r"^([\w.-]+)==", (ROOT / standalone.CONSTRAINTS).read_text("utf-8"), re.MULTILINE)
    assert {*standalone.preinstalled(), *standalone.TOOLS} <= {*pins}


def test_a_notebooks_process_knows_nothing_of_the_repository(tmp_path: Path) -> None:
    root, home, venv = tmp_path / "repository", tmp_path / "1" / "home", tmp_path / "1" / "venv"
    tools = root / ".venv" / "bin"
    caller = {
        "PATH": os.pathsep.join([str(tools), "/usr/bin", ""]),
        "HOME": "/elsewhere",
        "PYTHONPATH": str(root),
        "COOKBOOK_ROOT": str(root),
        "VIRTUAL_ENV": str(root / ".venv"),
        "JUPYTER_PATH": str(root),
        "PYTEST_ADDOPTS": "-x",
        "https_proxy": "proxy",
        "PIP_CERT": "certificate",
        "OMP_NUM_THREADS": "1",
    }
    seen = standalone.environment(root, venv, home, caller)
    assert seen.pop("STANDALONE_FORBIDS") == str(root)
    assert not [value for value in seen.values() if str(root) in value]
    assert not {"PYTHONPATH", "COOKBOOK_ROOT", "VIRTUAL_ENV", "JUPYTER_PATH", "PYTEST_ADDOPTS"} & seen.keys()
    assert seen["HOME"] == str(home)
    assert seen["PATH"].split(os.pathsep) == [str(venv / "bin"), "/usr/bin"]
    assert (seen["https_proxy"], seen["PIP_CERT"], seen["OMP_NUM_THREADS"]) == ("proxy", "certificate", "1")


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (lambda root: (root / NOTEBOOK).unlink(), "is missing"),
        (lambda root: planted.edit(root / planted.SOURCE, "A list of numbers", "A row of numbers"), "differs"),
    ],
    ids=["missing", "out of date"],
)
def test_a_notebook_that_is_not_the_sources_is_refused(root: Path, spoil: Callable[[Path], None], wrong: str) -> None:
    spoil(root)
    done = planted.cookbook(root, "run", "--standalone")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"{NOTEBOOK}:1: {wrong}") and "run `cookbook sync`" in sentence


def test_the_command_hands_over_the_named_recipes(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake(recipes: list[recipe.Recipe], *_rest: object, **_options: object) -> list[str]:
        return [f"{source.key}: refused" for source in recipes]

    monkeypatch.chdir(root)
    monkeypatch.setattr(standalone, "run", fake)
    assert cli.main(["run", "--standalone", "sums"]) == 1
    assert capsys.readouterr().err == "demo/sums: refused\n"


def test_a_notebook_passes_alone_and_leaves_nothing(root: Path) -> None:
    before, files, said = left_behind(), planted.made(root), []
    assert run(root, said) == []
    assert len(said) == 1 and "demo/sums: passed alone" in said[0] and "added nothing" in said[0]
    assert planted.made(root) == files
    assert left_behind() == before


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("import cookbook", "cell 3: ModuleNotFoundError: "),
        ("open({root!r} + '/mkdocs.yml')", "cell 3: RuntimeError: "),
        ("os._exit(1)", "cell ?: nbmake could not execute it: "),
    ],
    ids=["our package", "a file", "a dead kernel"],
)
def test_a_notebook_that_fails_is_named_with_its_cell(root: Path, code: str, wrong: str) -> None:
    with_code(root, code.format(root=str(root)))
    (sentence,) = run(root)
    assert PROBLEM.fullmatch(sentence)
    assert sentence.startswith(f"{root / NOTEBOOK}:1: {wrong}")


def test_every_way_into_the_repository_is_closed(root: Path) -> None:
    code = f"""
closed = 0
for call in (os.listdir, os.scandir, os.chdir, open):
    for name in ("", "/recipes/../mkdocs.yml"):
        try:
            call("{root.parent}"
                 "/repository" + name)
        except RuntimeError:
            closed += 1
os.listdir("{root.parent}")
assert closed == 8 and os.getcwd() == os.environ["HOME"]
"""
    with_code(root, code)
    assert run(root) == []


def test_an_install_cell_that_replaces_what_colab_has_is_refused(root: Path) -> None:
    # What pip does when a requirement wants another numpy: a second one, in front of the first.
    code = "import sysconfig\nfolder = sysconfig.get_path('purelib') + '/numpy-99.0.dist-info'\nos.mkdir(folder)\n"
    code += "print('Name: numpy\\nVersion: 99.0', file=open(folder + '/METADATA', 'w'))"
    with_code(root, code)
    (sentence,) = run(root)
    assert PROBLEM.fullmatch(sentence)
    assert "replaces numpy, which Colab has" in sentence


def test_an_interruption_leaves_no_process_and_no_file(root: Path) -> None:
    with_code(root, "import time\nopen('started', 'w').write(str(os.getpid()))\ntime.sleep(600)")
    code = f"""
import signal
from pathlib import Path
from cookbook import recipe, site, standalone
signal.signal(signal.SIGINT, signal.default_int_handler)
root = Path({str(root)!r})
standalone.run([recipe.read(root / {str(planted.SOURCE)!r})], root, site.read(root), base=Path({str(HERE)!r}))
"""
    before = left_behind()
    python = str(planted.BIN / "python")
    command = subprocess.Popen([python, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    started: list[Path] = []
    for _ in range(300):
        started = [path for folder in left_behind() - before for path in folder.glob("sums/home/started")]
        if (started and started[0].read_text()) or command.poll() is not None:
            break
        time.sleep(0.1)
    assert started, "the notebook never started"
    kernel = int(started[0].read_text())
    command.send_signal(signal.SIGINT)
    try:
        command.wait(timeout=40)
    finally:
        command.kill()
    for _ in range(50):
        if not Path("/proc", str(kernel)).exists():
            break
        time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
    assert left_behind() <= before


def test_the_failing_cell_is_the_first_that_raised() -> None:
    def cell(*outputs: dict[str, object]) -> dict[str, object]:
        return {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "execution_count": 1, "outputs": outputs}

    error = {"output_type": "error", "ename": "ValueError", "evalue": "two\nlines", "traceback": []}
    notebook = nbformat.from_dict({"cells": [json.loads(json.dumps(item)) for item in (cell(), cell(error))]})
    assert standalone._failure(notebook, "").startswith("cell 2: ValueError: two; ")
    assert standalone._failure(nbformat.from_dict({"cells": []}), "said\nthis").startswith("cell ?: nbmake could not ")
