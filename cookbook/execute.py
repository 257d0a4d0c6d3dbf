"""`cookbook run`: execute each recipe once through `pytest --nbmake`, and keep what it showed and measured.

What a recipe printed is kept under a key made of everything that could change it: code, execution settings, Python,
the installed versions and the files that the recipe reads. Prose is not part of the key.
"""

import ast
import base64
import hashlib
import itertools
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from cookbook import files
from cookbook.check import imported_modules, required, requirement_name
from cookbook.notebooks import cell_id
from cookbook.outputs import encode
from cookbook.recipe import LANGUAGES, Cell, Problem, Recipe

MAX_OUTPUT_BYTES = 2_000_000  # of one cell; a page with more is slow to open
MAX_MEMORY_BYTES = 2_000_000_000
CACHE_SECONDS = 30 * 24 * 3600
INSTALLED = ("constraints.txt", "requirements-data.txt")
KERNEL = resources.files("cookbook") / "kernel"
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
    "1",
)


class Failure(NamedTuple):
    """Why a run failed. `error` is what the cell raised, "timeout" or "dead kernel"; "" for a run refused after."""

    problem: Problem
    error: str
    cell: Cell | None


def executed_path(root: Path, key: str) -> Path:
    """Where the executed notebook of a recipe lies."""
    return root / "build" / "executed" / f"{key}.ipynb"


def record_path(root: Path, key: str) -> Path:
    """Where the run record of a recipe lies."""
    return root / "build" / "runs" / f"{key}.json"


def settings(recipe: Recipe) -> dict[str, Any]:
    """nbmake's settings for this recipe: a cell that takes thrice the whole budget is taken never to end."""
    return {"timeout": 3 * recipe.header["seconds"], "allow_errors": False}


def cache_key(recipe: Recipe, root: Path) -> str:
    """Hash of everything that the outputs can depend on."""
    digest = hashlib.sha256()
    described = {f"alt_{lang}" for lang in LANGUAGES}
    code = [[c.source, c.metadata.get("tags", []), described <= c.metadata.keys()] for c in recipe.code_cells]
    digest.update(json.dumps([code, settings(recipe), sys.version, platform.machine()]).encode())
    digest.update(json.dumps(_installed()).encode())
    for name in ("startup.py", "vacuous.py", "matplotlibrc"):
        digest.update((KERNEL / name).read_bytes())
    for name in (*INSTALLED, *recipe.header.get("reads", [])):
        path = root / name
        digest.update(name.encode() + hashlib.sha256(path.read_bytes() if path.exists() else b"").digest())
    return digest.hexdigest()


@cache
def _installed() -> list[str]:
    """Name and version of every installed package: what really runs, which need not be what constraints.txt says."""
    packages = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    return sorted(path.name for path in packages if not path.name.startswith(("pip-", "recipes_that_run-")))


def run(
    recipes: Iterable[Recipe],
    root: Path,
    *,
    workers: int = 2,
    use_cache: bool = True,
    say: Callable[[str], None] = lambda _text: None,
) -> list[Problem]:
    """Bring `build/executed` and `build/runs` up to date; the reasons why recipes failed.

    A recipe that failed has no executed notebook and no record afterwards, so it cannot reach a page.
    """
    waiting = []
    for recipe in recipes:
        entry = root / "build" / "cache" / f"{cache_key(recipe, root)}.json"
        kept = _kept(entry) if use_cache else None
        if kept is None or _undescribed(recipe, kept["outputs"]):
            waiting.append((recipe, entry))
        else:
            _publish(recipe, root, kept)
    problems: list[Problem] = []
    for index, outcome in attempt([recipe for recipe, _ in waiting], root, workers):
        recipe, entry = waiting[index]
        if isinstance(outcome, Failure):
            problems.append(outcome.problem)
            executed_path(root, recipe.key).unlink(missing_ok=True)
            record_path(root, recipe.key).unlink(missing_ok=True)
            say(f"{recipe.key}: failed")
            continue
        files.write(entry, json.dumps(outcome, ensure_ascii=False))
        _encode_figures(outcome["outputs"], root)
        _publish(recipe, root, outcome)
        record = outcome["record"]
        megabytes = record["peak_memory"] / 1e6
        say(f"{recipe.key}: {record['seconds']:.1f} s, {megabytes:.0f} MB, {record['checks']} checks passed")
    return sorted(problems)


def _kept(entry: Path) -> dict[str, Any] | None:
    """A cache entry, marked as still in use; None if there is none that can be read."""
    try:
        kept: dict[str, Any] = json.loads(entry.read_text("utf-8"))
        entry.touch()
        return kept if kept["outputs"] is not None and kept["record"]["results"] else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def attempt(recipes: Sequence[Recipe], root: Path, workers: int) -> Iterator[tuple[int, dict[str, Any] | Failure]]:
    """Execute recipes, a few at a time; yields the index of each with its outputs and record, or why it failed."""
    processes: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory(prefix="cookbook-") as folder:
        pool = ThreadPoolExecutor(workers)
        try:
            tasks = {
                pool.submit(_execute, recipe, root, Path(folder, str(index)), processes): index
                for index, recipe in enumerate(recipes)
            }
            for task in as_completed(tasks):
                yield tasks[task], task.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            pool.shutdown(wait=True)


def remove_stale(root: Path, keys: set[str]) -> None:
    """Remove what was made from recipes that no longer exist, and cache entries unused for a month."""
    for entry in (root / "build" / "cache").glob("*.json"):
        if time.time() - entry.stat().st_mtime > CACHE_SECONDS:
            entry.unlink(missing_ok=True)
    for folder, suffix in (("executed", "ipynb"), ("runs", "json")):
        base = root / "build" / folder
        files.remove_others(base, f"*/*.{suffix}", {base / f"{key}.{suffix}" for key in keys})


def _execute(
    recipe: Recipe, root: Path, home: Path, processes: list[subprocess.Popen[str]]
) -> dict[str, Any] | Failure:
    """Run one recipe in the new folder `home`; its outputs and its record, or why it failed."""
    for index, requirement in enumerate(required(recipe)):
        try:
            metadata.version(requirement_name(requirement))
        except metadata.PackageNotFoundError:
            text = f"requires {requirement}, which this environment lacks; run `make site`, which installs it"
            line = recipe.header_lines.get(("requires", index), 1)
            return Failure(Problem(recipe.path, line, text), "", None)
    home.mkdir()
    startup = home / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-cookbook.py").write_bytes((KERNEL / "startup.py").read_bytes())
    (home / ".ipython" / "vacuous.py").write_bytes((KERNEL / "vacuous.py").read_bytes())
    (home / ".matplotlibrc").write_bytes((KERNEL / "matplotlibrc").read_bytes())
    for name in recipe.header.get("reads", []):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, home / name)
    path = home / f"{recipe.slug}.ipynb"
    path.write_text(nbformat.writes(bilingual_notebook(recipe, None)), encoding="utf-8")
    options = ["--nbmake", "--overwrite", "-q", "--no-header", "-p", "no:cacheprovider", "-c", os.devnull]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(home), str(path)],
        cwd=home, env=_environment(recipe, root, home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    processes.append(process)
    printed, _ = process.communicate()
    note_path = home / "run.json"
    try:
        note = json.loads(note_path.read_text("utf-8"))
    except (OSError, ValueError):
        note = {"cells": 0}
    notebook = nbformat.read(path, as_version=4)
    if process.returncode != 0:
        kept = root / "build" / "failed" / f"{recipe.key}.ipynb"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)
        return _failure(recipe, notebook, note, printed)
    outputs = [cell["outputs"] for cell in notebook.cells if cell.cell_type == "code"]
    problem = _refusal(recipe, outputs, note)
    if problem:
        return Failure(problem, "", None)
    return {"outputs": outputs, "record": _record(recipe, root, note)}


def _environment(recipe: Recipe, root: Path, home: Path) -> dict[str, str]:
    filled = [cell for cell in recipe.code_cells if cell.source.strip()]  # nbclient passes over the others
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "MPL"))
    }
    return environment | ONE_THREAD | {
        "COOKBOOK_CHECKS": str(next(number for number, cell in enumerate(filled, 1) if cell.is_checks)),
        "COOKBOOK_ROOT": str(root.resolve()),
        "IPYTHONDIR": str(home / ".ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "MATPLOTLIBRC": str(home / ".matplotlibrc"),
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip


def bilingual_notebook(recipe: Recipe, outputs: list[Any] | None) -> Any:
    """The whole recipe, both languages, as one notebook."""
    cells: list[dict[str, Any]] = []
    remaining = iter(outputs or [])
    for index, cell in enumerate(recipe.cells):
        node: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": cell_id(recipe, index),
            "metadata": cell.metadata,
            "source": cell.source,
        }
        if cell.kind == "code":
            node |= {"execution_count": None, "outputs": next(remaining, [])}
        cells.append(node)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "execution": settings(recipe)}
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def _publish(recipe: Recipe, root: Path, entry: dict[str, Any]) -> None:
    notebook = bilingual_notebook(recipe, entry["outputs"])
    files.write(executed_path(root, recipe.key), nbformat.writes(notebook) + "\n")
    record = json.dumps(entry["record"] | {"recipe": recipe.key}, indent=1, ensure_ascii=False)
    files.write(record_path(root, recipe.key), record + "\n")


def _encode_figures(outputs: list[Any], root: Path) -> None:
    """Make the pages' versions of the figures now, so that no build has to."""
    for output in itertools.chain.from_iterable(outputs):
        if "image/png" in output.get("data", {}):
            encode(base64.b64decode(output["data"]["image/png"]), root / "build" / "images")


def _failure(recipe: Recipe, notebook: Any, note: dict[str, Any], printed: str) -> Failure:
    """Why nbmake failed, in one sentence that names the cell."""
    code, interrupted = recipe.code_cells, None
    for cell, node in zip(code, (c for c in notebook.cells if c.cell_type == "code"), strict=True):
        for output in node["outputs"]:
            if output["output_type"] != "error":
                continue
            if output["ename"] == "KeyboardInterrupt":  # nbclient interrupts a cell that takes too long
                interrupted = cell
                continue
            trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output["traceback"]))
            inside = re.search(r"Cell In\[\d+\], line (\d+)", trace)
            value = output["evalue"].strip().partition("\n")[0][:200]
            if output["ename"] == "AssertionError":
                arrow = re.search(r"^-+> *\d+ (.*)$", trace, re.MULTILINE)
                value = value or (arrow.group(1) if arrow else "")
            mend = "mend the cell"
            if output["ename"] in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"):
                mend = "replace the deprecated call"
            line = cell.line + (int(inside.group(1)) if inside else 0)
            problem = Problem(recipe.path, line, f"the cell raises {output['ename']}: {value}; {mend}")
            return Failure(problem, output["ename"], cell)
    reached = interrupted or code[min(note["cells"], len(code) - 1)]
    error = "dead kernel"
    if interrupted or "timed out" in printed:
        error = "timeout"
        text = f"the cell ran for {settings(recipe)['timeout']} s, thrice the budget of the whole recipe"
        text += "; shorten it, or raise `seconds` in the header"
    elif "DeadKernel" in printed or "Kernel died" in printed:
        text = "the kernel died in this cell (out of memory, or a crash in native code); make it smaller"
    else:
        last = printed.strip().splitlines()[-1] if printed.strip() else "no output"
        text = f"nbmake could not execute it: {last}; run it by hand"
    return Failure(Problem(recipe.path, reached.line, text), error, reached)


def _refusal(recipe: Recipe, outputs: list[Any], note: dict[str, Any]) -> Problem | None:
    """What is wrong with a run that raised nothing."""
    for cell, shown in zip(recipe.code_cells, outputs, strict=True):
        size = len(json.dumps(shown))
        if size > MAX_OUTPUT_BYTES:
            text = f"the cell's output has {size / 1e6:.0f} MB; the limit is {MAX_OUTPUT_BYTES / 1e6:.0f}: show less"
            return Problem(recipe.path, cell.line, text)
        for output in shown:
            if output.get("name") == "stderr":
                first = str(output["text"]).strip().partition("\n")[0][:160]
                return Problem(recipe.path, cell.line, f"the cell warns: {first}; mend the cause")
    if problem := _undescribed(recipe, outputs):
        return problem
    checks = next(cell for cell in recipe.cells if cell.is_checks)
    results = note["results"]
    if not results or any(isinstance(value, float) and not math.isfinite(value) for value in results.values()):
        return Problem(recipe.path, checks.line, "`results` is empty or holds a figure that is no number; mend it")
    for part, name in recipe.header["headline"].items():
        if part in ("figure", "baseline") and not isinstance(results.get(name), int | float):
            text = f"the header's {part} {name!r} is no number of `results`, which has {', '.join(map(repr, results))}"
            line = recipe.header_lines.get(("headline",), 1)
            return Problem(recipe.path, line, f"{text}; name one of these")
    for line, figures in note.get("vacuous", []):
        text = f"the assertion holds for every possible value of {figures}; tighten the bound"
        return Problem(recipe.path, checks.line + line, text)
    budget = recipe.header["seconds"]
    # Processor seconds too: beside other work on the machine, a recipe within its budget takes longer by the clock.
    seconds = min(note["ended"] - note["started"], note["cpu_after"] - note["cpu_before"])
    if seconds > budget:
        text = f"took {seconds:.0f} s of its budget of {budget}; make it faster, or raise `seconds` in the header"
        return Problem(recipe.path, recipe.header_lines.get(("seconds",), 1), text)
    if note["peak_memory"] > MAX_MEMORY_BYTES:
        text = f"used {note['peak_memory'] / 1e9:.1f} GB of memory; the limit is 2: make it smaller"
        return Problem(recipe.path, 1, text)
    undeclared = sorted(set(note["reads"]) - set(recipe.header.get("reads", [])))
    if undeclared:
        text = f"reads {undeclared[0]} of this repository; a recipe stands alone, so take data from a package"
        return Problem(recipe.path, 1, text)
    return None


def _undescribed(recipe: Recipe, outputs: list[Any]) -> Problem | None:
    """The first figure without alternative text, or text without a figure: neither is part of the cache key."""
    for cell, shown in zip(recipe.code_cells, outputs, strict=True):
        drew = any("image/png" in output.get("data", {}) for output in shown)
        if cell.metadata.get("alt_en") and not drew:
            return Problem(recipe.path, cell.line, "describes a figure but draws none; end the cell with plt.show()")
        for lang in LANGUAGES if drew else ():
            if not cell.metadata.get(f"alt_{lang}"):
                text = f'draws a figure without alternative text; describe it: `# %% alt_{lang}="…"`'
                return Problem(recipe.path, cell.line, text)
    return None


def _record(recipe: Recipe, root: Path, note: dict[str, Any]) -> dict[str, Any]:
    """What the page's stamp and the results table are made from."""
    checks = next(cell for cell in recipe.cells if cell.is_checks)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True)
    return {
        "recipe": recipe.key,
        "key": cache_key(recipe, root),
        "results": note["results"],
        "checks": sum(isinstance(node, ast.Assert) for node in ast.parse(checks.source).body),
        "seconds": round(note["ended"] - note["started"], 2),
        "cpu_seconds": round(note["cpu_after"] - note["cpu_before"], 2),
        "peak_memory": note["peak_memory"],
        "parameters": note["parameters"],
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or None,
        "python": platform.python_version(),
        "versions": _versions(recipe),
        "processor": _processor(),
    }


def _versions(recipe: Recipe) -> dict[str, str]:
    """Versions of the packages that the recipe imports or requires."""
    providers = _providers()
    names = {name for module in imported_modules(recipe) for name in providers.get(module, [])}
    names |= {requirement_name(requirement) for requirement in required(recipe)}
    return {name.lower(): metadata.version(name) for name in sorted(names, key=str.lower)}


@cache
def _providers() -> dict[str, list[str]]:
    """Module name -> packages that bring it; most of a second to find out."""
    return dict(metadata.packages_distributions())


def _processor() -> str:
    """The processor's name, as the operating system has it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        name = re.search(r"^model name\s*: *(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if name:
            return name.group(1)
    return platform.processor() or platform.machine()
