"""`make bench`: what running and building cost, in one run on one machine, beside stock mkdocs-jupyter.

Works on a copy of the checkout, so that nothing here is touched. Seconds are medians of three unless a step is long.
"""

import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
STOCK = """\
site_name: Stock
theme: {name: material, font: false}
plugins: [search, {mkdocs-jupyter: {include: ["*.ipynb"], include_source: true, cache: false}}]
"""
EMPTY = "site_name: Empty\ntheme: {name: material, font: false}\nplugins: [search, mkdocs-jupyter]\n"


def main() -> None:
    """Print the table."""
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        copy = Path(folder) / "checkout"
        ignored = shutil.ignore_patterns(".venv", ".git", "site", "*.egg-info", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=ignored)
        rows += execution(copy)
        rows += building(copy, Path(folder))
        rows += preview(copy)
        rows += navigation(copy)
    width = max(len(name) for name, _, _ in rows)
    for name, value, limit in rows:
        print(f"{name:<{width}}  {value:>34}  {limit}")


def seconds(command: list[str], cwd: Path, times: int = 1) -> float:
    """Median wall seconds of a command of the environment, which must succeed."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
        done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=cwd, env=environment, capture_output=True)
        taken.append(time.perf_counter() - start)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout.decode()}{done.stderr.decode()}")
    return statistics.median(taken)


def execution(copy: Path) -> list[tuple[str, str, str]]:
    """All recipes from nothing, then with nothing changed."""
    wall = seconds(["cookbook", "run", "--no-cache"], copy)
    records = [json.loads(path.read_text("utf-8")) for path in sorted((copy / "build" / "runs").glob("*/*.json"))]
    total = sum(record["seconds"] for record in records)
    rows = [
        (f"  {record['recipe']}", f"{record['seconds']:.1f} s, {record['peak_memory'] / 1e6:.0f} MB", "")
        for record in records
    ]
    return [
        (f"{len(records)} recipes from nothing, two at a time", f"{wall:.1f} s", "at most 120 s for five"),
        *rows,
        ("sum of seconds / wall seconds", f"{total / wall:.2f}", "at least 1.6"),
        ("nothing changed: cookbook run", f"{seconds(['cookbook', 'run'], copy, 3):.2f} s", "at most 1 s"),
        ("cookbook check", f"{seconds(['cookbook', 'check'], copy, 3):.2f} s", "at most 2 s for 72"),
    ]


def building(copy: Path, folder: Path) -> list[tuple[str, str, str]]:
    """Both languages cold and warm, beside stock mkdocs-jupyter on the same executed notebooks."""
    empty, stock = folder / "empty", folder / "stock"
    for base, config in ((empty, EMPTY), (stock, STOCK)):
        (base / "docs").mkdir(parents=True)
        (base / "mkdocs.yml").write_text(config)
        (base / "docs" / "index.md").write_text("# Home\n")
    for path in (copy / "build" / "executed").glob("*/*.ipynb"):
        shutil.copyfile(path, stock / "docs" / path.name)
    build = ["mkdocs", "build", "-q"]
    start = seconds(build, empty, 3)
    ours, theirs, chinese = [], [], []
    for _ in range(3):  # in turn, so that a slow moment of the machine hits both
        shutil.rmtree(copy / "build" / "pages", ignore_errors=True)
        ours.append(seconds(build, copy))
        chinese.append(seconds([*build, "-f", "mkdocs.zh.yml"], copy))
        theirs.append(seconds(build, stock))
    english, zh, stock_seconds = map(statistics.median, (ours, chinese, theirs))
    warm = seconds(build, copy, 3)
    seconds([*build, "-f", "mkdocs.zh.yml"], copy)
    pages = len(list((copy / "site").rglob("index.html"))) // 2
    recipe_pages = list((copy / "site").glob("**/recipes/*/*/index.html"))
    stock_pages = list((stock / "site").glob("*/index.html"))
    html, packed = sizes(recipe_pages)
    stock_html, stock_packed = sizes(stock_pages)
    return [
        ("MkDocs' own start (an empty site, same plugins)", f"{start:.2f} s", ""),
        ("English, cold", f"{english:.2f} s, {(english - start) / pages:.3f} s a page", "at most 0.15 s a page"),
        ("English, warm", f"{warm:.2f} s", ""),
        ("Chinese, cold", f"{zh:.2f} s, {(zh - start) / pages:.3f} s a page", "at most 0.15 s a page"),
        (
            "stock mkdocs-jupyter, cold",
            f"{stock_seconds:.2f} s, ours / stock {english / stock_seconds:.2f}",
            "at most 1",
        ),
        ("HTML of a recipe page, mean", f"{html / 1e3:.1f} kB, {packed / 1e3:.1f} kB gzip", "at most 80 kB, 14 kB"),
        (
            "the same, stock mkdocs-jupyter",
            f"{stock_html / 1e3:.0f} kB, {stock_packed / 1e3:.0f} kB gzip, ratio {packed / stock_packed:.2f}",
            "",
        ),
        ("site, both languages", f"{folder_size(copy / 'site') / 1e6:.1f} MB", ""),
    ]


def preview(copy: Path) -> list[tuple[str, str, str]]:
    """From saving an edit of prose to the fresh page under `mkdocs serve`."""
    source = next(iter(sorted((copy / "recipes").glob("*/*.py"))))
    address = f"http://127.0.0.1:8765/recipes/{source.parent.name}/{source.stem}/"
    command = [str(BIN / "mkdocs"), "serve", "-q", "-a", "127.0.0.1:8765"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    server = subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(address, "</html>", 60)
        text = source.read_text("utf-8")
        taken = []
        for number in range(3):
            word = f"freshlyedited{number}"
            start = time.perf_counter()
            source.write_text(re.sub(r"^# > ", f"# > {word} ", text, count=1, flags=re.MULTILINE), "utf-8")
            wait_for(address, word, 60)
            taken.append(time.perf_counter() - start)
        source.write_text(text, "utf-8")
    finally:
        server.terminate()
        server.wait()
    return [("prose edit to fresh page, make serve", f"{statistics.median(taken):.2f} s", "at most 3 s")]


def wait_for(address: str, word: str, limit: float) -> None:
    """Poll a page until it shows a word."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                if word in answer.read().decode():
                    return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise SystemExit(f"{address} did not show {word!r} within {limit} s")


def navigation(copy: Path) -> list[tuple[str, str, str]]:
    """What 72 recipes in the navigation add to one page: every topic gets a copy of the first recipe."""
    before = next(iter(sorted((copy / "site" / "recipes").glob("*/*/index.html"))))
    packed = len(gzip.compress(before.read_bytes()))
    count = stand_ins(copy)
    checked = seconds(["cookbook", "check"], copy, 3)
    build = seconds(["mkdocs", "build", "-q"], copy)
    after = len(gzip.compress(before.read_bytes()))
    return [
        (f"{count} recipes: gzip of the same page", f"{(after - packed) / 1e3:+.2f} kB", "at most +2 kB"),
        (f"{count} recipes: cookbook check", f"{checked:.2f} s", "at most 2 s"),
        (f"{count} recipes: English build", f"{build:.1f} s", ""),
    ]


def stand_ins(copy: Path) -> int:
    """Give every topic without a recipe a copy of the first one, executed as that was; the number of recipes."""
    import yaml

    source = next(iter(sorted((copy / "recipes").glob("*/*.py"))))
    key = f"{source.parent.name}/{source.stem}"
    bank = yaml.safe_load((copy / "recipes" / "questions.yml").read_text("utf-8"))
    count = 0
    for chapter in bank["chapters"]:
        for topic in chapter["topics"]:
            count += 1
            other = f"{chapter['slug']}/{topic['slug']}"
            if (copy / "recipes" / f"{other}.py").exists():
                continue
            for pattern in ("recipes/{}.py", "build/executed/{}.ipynb", "build/runs/{}.json"):
                target = copy / pattern.format(other)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(copy / pattern.format(key), target)
    return count


def sizes(pages: list[Path]) -> tuple[float, float]:
    """Mean bytes of pages, raw and gzipped."""
    contents = [path.read_bytes() for path in pages]
    return statistics.mean(map(len, contents)), statistics.mean(len(gzip.compress(content)) for content in contents)


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
