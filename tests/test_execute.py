"""`cookbook run`: what is executed, what is kept, what is refused, and what an interruption leaves."""

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import planted
import pytest

from cookbook import execute, recipe

PROBLEM = re.compile(r"(?P<path>[^:]+):(?P<line>\d+): (?P<text>.+; .+)")
FIGURE = '# %% alt_en="Three points, the first the highest." alt_zh="三个点，第一个最高。"'
MADE_BY_RUN = {planted.EXECUTED.as_posix(), planted.RECORD.as_posix()}


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """A repository of its own whose recipe has passed."""
    return planted.copy(tmp_path)


def record(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / planted.RECORD).read_text("utf-8"))
    return content


def source_edit(find: str, replace: str) -> Callable[[Path], None]:
    return lambda root: planted.edit(root / planted.SOURCE, find, replace)


def in_turn(*edits: Callable[[Path], None]) -> Callable[[Path], None]:
    def every(root: Path) -> None:
        for one in edits:
            one(root)

    return every


# ---- what a run leaves


def test_the_run_record_says_what_was_measured() -> None:
    kept = record(planted.executed())
    assert kept["recipe"] == planted.KEY
    assert kept["results"] == {"total": 6, "largest": 3}
    assert kept["checks"] == 2
    assert 0 < kept["seconds"] <= 30
    assert 20e6 < kept["peak_memory"] < 2e9
    assert kept["parameters"] == 0, "it has no network"
    age = datetime.now(UTC).date() - datetime.strptime(kept["date"], "%Y-%m-%d").date()
    assert timedelta(0) <= age <= timedelta(days=1)
    assert kept["commit"] == planted.COMMIT
    assert kept["python"] == platform.python_version()
    packages = ("matplotlib", planted.PLAIN, planted.BARE)
    assert kept["versions"] == {name: metadata.version(name) for name in packages}
    assert kept["processor"]


def test_the_executed_notebook_is_the_recipe_with_its_outputs() -> None:
    root = planted.executed()
    notebook = nbformat.read(root / planted.EXECUTED, as_version=4)
    nbformat.validate(notebook)
    source = recipe.read(root / planted.SOURCE)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in source.cells]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    kinds = [[output.output_type for output in cell.outputs] for cell in code]
    assert kinds == [[], ["stream"], ["execute_result"], ["display_data"], [], []]
    assert code[1].outputs[0].text == '{"total": 6}\n'
    assert "image/png" in code[3].outputs[0].data


def test_nothing_but_whole_files_of_known_kinds_is_left() -> None:
    names = set(planted.made(planted.executed()))
    notebooks = {path.as_posix() for path in planted.NOTEBOOKS.values()}
    kinds = {re.sub(r"[0-9a-f]{16,}", "#", name) for name in names - notebooks - MADE_BY_RUN}
    thumbnail = "build/images/#-480.webp"  # made by the first page, which another test may have asked for
    assert kinds - {thumbnail} == {"build/cache/#.json", "build/images/#-dark.webp", "build/images/#-light.webp"}


# ---- the cache


def test_nothing_changed_executes_nothing(ran: Path) -> None:
    before = planted.made(ran)
    started = time.monotonic()
    done = planted.cookbook(ran, "run")
    elapsed = time.monotonic() - started
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 of 1 recipes have passed\n"
    assert planted.made(ran) == before
    assert planted.kernels(ran) == []
    assert elapsed < 10, "a start of Python, on a busy machine"


PROSE = {
    "English text": source_edit("easily found", "found with ease"),
    "a translation": source_edit("# 1. 内置函数。", "# 1. 内建函数。"),
    "an alternative text": source_edit("三个点，第一个最高。", "三个点，第一个在最上面。"),
    "a title": in_turn(source_edit('en: "Add numbers"', 'en: "Sum numbers"'), source_edit("# # Add", "# # Sum")),
    "tags and level": in_turn(source_edit("tags: [data]", "tags: [text]"), source_edit("beginner", "advanced")),
    "a claim's words": source_edit("# - The total is six.", "# - Six is the total."),
    "a new cell of text": source_edit(
        "# %%\nresults", '# %% [markdown] lang="en"\n# Well.\n\n# %% [markdown] lang="zh"\n# 好。\n\n# %%\nresults'
    ),
    "what it requires": source_edit(f', {{name: "{planted.pinned(planted.BARE)}", deps: false}}', ""),
}


@pytest.mark.parametrize("case", PROSE)
def test_edited_prose_executes_nothing_and_is_published(ran: Path, case: str) -> None:
    before = record(ran)
    PROSE[case](ran)
    done = planted.cookbook(ran, "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert planted.kernels(ran) == []
    assert record(ran) == before
    notebook = nbformat.read(ran / planted.EXECUTED, as_version=4)
    cells = recipe.read(ran / planted.SOURCE).cells
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in cells]


CODE = {
    "code": source_edit("numbers = [3, 1, 2]", "numbers = [2, 1, 3]"),
    "a comment": source_edit("# (1)!", "# (1)! built in"),
    "the order of cells": in_turn(source_edit("# %%\nresults", "# %%\npass\n\n# %%\nresults")),
    "a cell's tags": source_edit("# %%\nresults", '# %% tags=["results"]\nresults'),
    "the budget": source_edit("seconds: 30", "seconds: 31"),
    "a version that is installed": lambda root: planted.edit(root / "constraints.txt", "# exact", "# more exact"),
    "a package of data": lambda root: planted.edit(root / "requirements-data.txt", "# only", "# but"),
    "what it reads": source_edit("seconds: 30", "seconds: 30\n#     reads: [mkdocs.yml]"),
}


@pytest.mark.parametrize("case", CODE)
def test_what_outputs_depend_on_is_in_the_key(tmp_path: Path, case: str) -> None:
    root = planted.plant(tmp_path)
    before = execute.cache_key(recipe.read(root / planted.SOURCE), root)
    CODE[case](root)
    assert execute.cache_key(recipe.read(root / planted.SOURCE), root) != before


@pytest.mark.parametrize("case", PROSE)
def test_prose_is_not_in_the_key(tmp_path: Path, case: str) -> None:
    root = planted.plant(tmp_path)
    before = execute.cache_key(recipe.read(root / planted.SOURCE), root)
    PROSE[case](root)
    assert execute.cache_key(recipe.read(root / planted.SOURCE), root) == before


@pytest.mark.parametrize("change", ["version", "machine"])
def test_another_python_and_another_machine_have_other_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    root = planted.plant(tmp_path)
    source = recipe.read(root / planted.SOURCE)
    before = execute.cache_key(source, root)
    if change == "version":
        monkeypatch.setattr(sys, "version", "3.99")
    else:
        monkeypatch.setattr(platform, "machine", lambda: "another")
    assert execute.cache_key(source, root) != before


def test_edited_code_executes_again(ran: Path) -> None:
    source_edit("numbers = [3, 1, 2]", "numbers = [2, 1, 3]")(ran)
    done = planted.cookbook(ran, "run")
    assert done.returncode == 0, done.stderr
    assert len(planted.kernels(ran)) == 1
    assert re.fullmatch(r"demo/sums: \d+\.\d s, \d+ MB, 2 checks passed\n1 of 1 recipes have passed\n", done.stdout)


def test_another_version_executes_again_and_the_old_one_comes_from_the_cache(ran: Path) -> None:
    path = ran / "constraints.txt"
    old = path.read_text()
    path.write_text(f"{old}another-package==1.0\n")
    assert planted.cookbook(ran, "run").returncode == 0
    assert len(planted.kernels(ran)) == 1
    path.write_text(old)
    assert planted.cookbook(ran, "run").returncode == 0
    assert len(planted.kernels(ran)) == 1


def test_without_the_cache_everything_executes(ran: Path) -> None:
    done = planted.cookbook(ran, "run", "--no-cache")
    assert done.returncode == 0, done.stderr
    assert len(planted.kernels(ran)) == 1
    assert planted.cookbook(ran, "run").returncode == 0
    assert len(planted.kernels(ran)) == 1, "the fresh outputs are in the cache"


READS = 'with open("data.csv") as file:\n    text = file.read()\n'
READS_HERE = READS.replace('"data.csv"', 'os.environ["COOKBOOK_ROOT"] + "/data.csv"')


def test_a_declared_file_may_be_read_and_its_content_counts(ran: Path) -> None:
    (ran / "data.csv").write_text("1\n")
    in_turn(
        source_edit("print(json", READS + "print(json"),
        source_edit("seconds: 30", "seconds: 30\n#     reads: [data.csv]"),
    )(ran)
    done = planted.cookbook(ran, "run")
    assert done.returncode == 0, done.stderr
    before = execute.cache_key(recipe.read(ran / planted.SOURCE), ran)
    (ran / "data.csv").write_text("2\n")
    assert execute.cache_key(recipe.read(ran / planted.SOURCE), ran) != before


def test_figures_do_not_depend_on_the_authors_matplotlib(ran: Path) -> None:
    done = planted.cookbook(ran, "run", "--no-cache", MPLBACKEND="agg")
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(ran / planted.EXECUTED, as_version=4)
    assert any("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))


# ---- bad input that only execution shows

# What is done to a recipe that had passed, the text on the line to name, how many lines above it the cell begins (None:
# the line itself is named), what the sentence says.
BAD_INPUT: dict[str, tuple[Callable[[Path], None], str | None, int | None, str]] = {
    "a cell that raises": (
        source_edit("print(json", 'raise KeyError("no such number")\nprint(json'),
        "raise KeyError",
        None,
        "KeyError",
    ),
    "a cell that raises in a function": (
        source_edit("print(json", 'def broken(_):\n    raise OSError("gone")\n\n\nvalue = broken(1)\nprint(json'),
        "value = broken",
        None,
        "OSError: gone",
    ),
    "a check that fails": (
        source_edit("numbers = [3, 1, 2]", "numbers = [3, 1, 1]"),
        "assert total == 6",
        None,
        "assert total == 6",
    ),
    "a deprecated call": (
        source_edit("print(json", "import locale\n\nlocale.getdefaultlocale()\nprint(json"),
        "locale.getdefault",
        None,
        "replace the deprecated call",
    ),
    "a call that will change": (
        source_edit("print(json", 'import warnings\n\nwarnings.warn("soon", FutureWarning)\nprint(json'),
        "warnings.warn",
        None,
        "replace the deprecated call",
    ),
    "a cell that warns": (
        source_edit("print(json", 'import warnings\n\nwarnings.warn("careful")\nprint(json'),
        "total = sum",
        1,
        "careful",
    ),
    "a cell that never ends": (
        in_turn(
            source_edit("seconds: 30", "seconds: 1"),
            source_edit("import json\n", "while True:\n    pass\n\nimport json\n"),
        ),
        "while True",
        1,
        "the cell ran for 3 s",
    ),
    "a kernel that ends itself": (
        source_edit("print(json", "os._exit(1)\nprint(json"),
        "total = sum",
        1,
        "the kernel died",
    ),
    "a kernel that is killed": (
        source_edit("print(json", "os.kill(os.getpid(), 9)\nprint(json"),
        "total = sum",
        1,
        "the kernel died",
    ),
    "an output of 20 MB": (
        source_edit("print(json", 'print("x" * 20_000_000)\nprint(json'),
        "total = sum",
        1,
        "has 20 MB; the limit is 2",
    ),
    "a figure without alternative text, drawn without plt.show": (
        in_turn(source_edit(FIGURE, "# %%"), source_edit('"o")\nplt.show()\n', '"o");\n')),
        "plt.figure",
        1,
        "figure without alternative text",
    ),
    "a figure that is described but not drawn": (
        source_edit("plt.show()\n", "plt.close()\n"),
        "plt.figure",
        1,
        "describes a figure but draws none",
    ),
    "a file of the repository that is not declared": (
        in_turn(lambda root: (root / "data.csv").touch(), source_edit("print(json", READS_HERE + "print(json")),
        None,
        None,
        "reads data.csv",
    ),
    "a file that is not beside the notebook": (
        source_edit("print(json", READS + "print(json"),
        'with open("data',
        None,
        "FileNotFoundError",
    ),
    "results that are no number": (
        source_edit('"largest": max(numbers)}', '"largest": max(numbers), "loss": float("nan")}'),
        'tags=["checks"]',
        None,
        "no number",
    ),
    "results that are empty": (
        in_turn(
            source_edit('results = {"total": total, "largest": max(numbers)}', "results = {}\nlargest = max(numbers)"),
            source_edit('results["largest"]', "largest"),
        ),
        'tags=["checks"]',
        None,
        "`results` is empty",
    ),
}


def refused(root: Path, line: int | None, says: str) -> None:
    """`cookbook run` fails in one sentence and leaves the recipe without anything that a page could show."""
    before = planted.made(root)
    done = planted.cookbook(root, "run")
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["demo/sums: failed", "0 of 1 recipes have passed"]
    (sentence,) = done.stderr.splitlines()
    named = PROBLEM.fullmatch(sentence)
    assert named, sentence
    assert named["path"] == planted.SOURCE.as_posix()
    assert int(named["line"]) == (line or 1)
    assert says in named["text"]
    after = planted.made(root)
    assert after == {name: content for name, content in before.items() if name not in MADE_BY_RUN}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_a_recipe_that_fails_after_an_edit_loses_its_executed_notebook(ran: Path, case: str) -> None:
    change, needle, above, says = BAD_INPUT[case]
    change(ran)
    line = planted.line_of(ran / planted.SOURCE, needle) - (above or 0) if needle else None
    refused(ran, line, says)


def test_a_recipe_that_fails_reaches_no_page_and_mended_it_comes_back(ran: Path) -> None:
    before = planted.made(ran)
    source_edit("numbers = [3, 1, 2]", "numbers = [3, 1, 1]")(ran)
    refused(ran, planted.line_of(ran / planted.SOURCE, "assert total"), "assert total == 6")
    pages = planted.cookbook(ran, "pages", "--markdown", "out")
    assert pages.returncode == 1
    (sentence,) = pages.stderr.splitlines()
    assert PROBLEM.fullmatch(sentence) and "`cookbook run sums`" in sentence
    assert not (ran / "out").exists()
    kept = ran / "build" / "failed" / "demo" / "sums.ipynb"
    nbformat.validate(nbformat.read(kept, as_version=4))
    source_edit("numbers = [3, 1, 1]", "numbers = [3, 1, 2]")(ran)
    executions = len(planted.kernels(ran))
    assert planted.cookbook(ran, "run").returncode == 0
    assert planted.made(ran) == before
    assert len(planted.kernels(ran)) == executions, "from the cache"


def test_alternative_text_lost_after_the_run_is_missed_from_the_cache_too(ran: Path) -> None:
    # The outputs are in the cache, but a page made from them would show an undescribed figure.
    source_edit('"o")\nplt.show()\n', '"o");\n')(ran)
    assert planted.cookbook(ran, "run").returncode == 0
    source_edit(FIGURE, "# %%")(ran)
    refused(ran, planted.line_of(ran / planted.SOURCE, "plt.figure") - 1, "figure without alternative text")


def test_one_recipe_that_fails_does_not_take_the_other_with_it(ran: Path) -> None:
    second = ran / "recipes" / "demo" / "products.py"
    shutil.copyfile(ran / planted.SOURCE, second)
    planted.edit(second, "numbers = [3, 1, 2]", "numbers = [3, 1, 1]")
    done = planted.cookbook(ran, "run", "--no-cache", "-n", "2")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("recipes/demo/products.py:")
    assert done.stdout.splitlines()[-1] == "1 of 2 recipes have passed"
    assert (ran / planted.EXECUTED).exists() and (ran / planted.RECORD).exists()
    assert not (ran / planted.EXECUTED).with_stem("products").exists()


def test_a_package_that_is_required_but_not_installed_is_named(ran: Path) -> None:
    (ran / "constraints.txt").write_text(f"{planted.pinned(planted.PLAIN)}\nabsent-package==1.0\n")
    source_edit("requires: [", "requires: [absent-package==1.0, ")(ran)
    done = planted.cookbook(ran, "run")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert PROBLEM.fullmatch(sentence) and "absent-package" in sentence


def test_what_was_made_from_a_removed_recipe_goes(ran: Path) -> None:
    (ran / planted.SOURCE).rename(ran / "recipes" / "demo" / "products.py")
    planted.edit(ran / "recipes" / "demo" / "products.py", "[the data](sums.py)", "[the data](products.py)")
    planted.edit(ran / "recipes" / "demo" / "products.py", "[数据](sums.py)", "[数据](products.py)")
    done = planted.cookbook(ran, "run")
    assert done.returncode == 0, done.stderr
    assert planted.kernels(ran) == [], "the code is the same, so are its outputs"
    assert not MADE_BY_RUN & set(planted.made(ran))
    assert (ran / planted.EXECUTED).with_stem("products").exists()


GOOD_NOTE: dict[str, Any] = {
    "cells": 6,
    "results": {"total": 6, "largest": 3},
    "reads": [],
    "peak_memory": 10**8,
    "parameters": 0,
    "started": 0.0,
    "ended": 10.0,
    "cpu_before": 1.0,
    "cpu_after": 11.0,
}
DRAWN = [{"output_type": "display_data", "data": {"image/png": ""}, "metadata": {}}]
OUTPUTS: list[list[Any]] = [[], [], [], DRAWN, [], []]


@pytest.mark.parametrize(
    ("change", "needle", "says"),
    [
        ({"ended": 30.0, "cpu_after": 31.0}, None, ""),
        ({"ended": 99.0}, None, ""),  # of which others had most
        ({"ended": 31.0, "cpu_after": 32.0}, "seconds: 30", "took 31 s of its budget of 30"),
        ({"peak_memory": 2 * 10**9}, None, ""),
        ({"peak_memory": 21 * 10**8}, "# ---", "used 2.1 GB of memory; the limit is 2"),
        ({"results": {}}, 'tags=["checks"]', "`results` is empty"),
        ({"results": {"a": float("inf")}}, 'tags=["checks"]', "no number"),
        ({"results": {"total": 1, "largest": 2, "b": "text"}}, None, ""),
        ({"results": {"total": 1, "b": 2}}, "headline:", "the header's baseline 'largest' is no number of `results`"),
        ({"results": {"total": 1, "largest": "text"}}, "headline:", "'largest' is no number of `results`"),
        ({"reads": ["data.csv"]}, "# ---", "reads data.csv"),
    ],
)
def test_a_run_that_raised_nothing_is_still_measured(
    tmp_path: Path, change: dict[str, Any], needle: str | None, says: str
) -> None:
    source = recipe.read(planted.plant(tmp_path) / planted.SOURCE)
    problem = execute._refusal(source, OUTPUTS, GOOD_NOTE | change)
    if needle is None:
        assert problem is None
    else:
        assert problem is not None and says in problem.text and PROBLEM.fullmatch(f"x:1: {problem.text}")
        assert (problem.path, problem.line) == (source.path, planted.line_of(source.path, needle))


# ---- interruptions


@contextlib.contextmanager
def running(root: Path):
    """`cookbook run` while its slow recipe executes; whatever is left of it is ended afterwards."""
    source_edit("SEED = 0\n", "SEED = 0\nimport time\n")(root)
    source_edit("total = sum", 'time.sleep(float(os.environ.get("PLANTED_SLEEP", "0")))\ntotal = sum')(root)
    process = subprocess.Popen(
        [str(planted.BIN / "cookbook"), "run"],
        cwd=root,
        env=planted.environment(root, PLANTED_SLEEP="25"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A job in the background of a shell ignores Ctrl-C, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 120
        while not planted.kernels(root):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the recipe did not start"
            time.sleep(0.05)
        time.sleep(0.3)  # until the slow cell
        yield process
    finally:
        for group in (process.pid, *planted.kernels(root)[:1]):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        process.communicate()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


INTERRUPTIONS = {
    "Ctrl-C in the terminal": (os.killpg, signal.SIGINT),
    "SIGINT to the command": (os.kill, signal.SIGINT),
    "SIGTERM to the command": (os.kill, signal.SIGTERM),
    "SIGKILL to the command": (os.kill, signal.SIGKILL),
}


@pytest.mark.parametrize("case", INTERRUPTIONS)
def test_an_interrupted_run_leaves_nothing_half_written_and_the_next_one_succeeds(ran: Path, case: str) -> None:
    send, number = INTERRUPTIONS[case]
    before = planted.made(ran)
    with running(ran) as process:
        (kernel,) = planted.kernels(ran)
        send(process.pid, number)
        _, errors = process.communicate(timeout=20) if number != signal.SIGKILL else ("", "")
        process.wait(timeout=20)
        if number == signal.SIGINT:
            assert process.returncode == 130
            assert errors == "interrupted; nothing half-written was left, run it again\n"
            # A kernel that goes on would hold a processor and its memory.
            deadline = time.monotonic() + 10
            while is_alive(kernel) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert not is_alive(kernel)
        else:
            assert process.returncode != 0
        assert planted.made(ran) == before, "the old run is there, whole"
        done = planted.cookbook(ran, "run")
        assert (done.returncode, done.stderr) == (0, "")
        assert len(planted.kernels(ran)) == 2
    nbformat.validate(nbformat.read(ran / planted.EXECUTED, as_version=4))
    assert record(ran)["checks"] == 2
    assert not [name for name in planted.made(ran) if Path(name).name.startswith(".")]


def test_an_interruption_before_the_first_result_leaves_nothing(tmp_path: Path) -> None:
    root = planted.plant(tmp_path / "repository")
    with running(root) as process:
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=20)
    assert planted.made(root) == {}
