"""`make bench`: what running and building cost, in one run on one machine, beside stock mkdocs-jupyter.

Works on a copy of the checkout, so that nothing here is touched. Seconds are medians of three unless a step is long.
`make bench SCALE=72,300,1000` measures growth instead: a shelf of stand-ins of each size, with the outputs of the real
recipes, and what check, sync, a cached run, both builds and the pages cost there.
"""

import gzip
import itertools
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
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
STOCK = """\
site_name: Stock
theme: {name: material, font: false}
plugins: [search, {mkdocs-jupyter: {include: ["*.ipynb"], include_source: true, cache: false}}]
"""
EMPTY = "site_name: Empty\ntheme: {name: material, font: false}\nplugins: [search: {lang: [en, zh]}, mkdocs-jupyter]\n"


def main() -> None:
    """Print the table."""
    numbers = os.environ.get("SCALE", "")
    if numbers:
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", numbers):
            raise SystemExit(f"SCALE={numbers}: no list of numbers of recipes; write SCALE=72,300,1000")
        growth([int(number) for number in numbers.split(",")])
        return
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        copy = copied(Path(folder) / "checkout")
        rows += execution(copy)
        rows += building(copy, Path(folder))
        rows += preview(copy)
        rows += navigation(copy)
    width = max(len(name) for name, _, _ in rows)
    for name, value, limit in rows:
        print(f"{name:<{width}}  {value:>34}  {limit}")


def copied(target: Path) -> Path:
    """A copy of this checkout, without what is made from it or kept by tools."""
    ignored = shutil.ignore_patterns(".venv", ".git", "site", "*.egg-info", ".*_cache")
    shutil.copytree(ROOT, target, ignore=ignored)
    return target


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
    empty, empty_zh, stock = folder / "empty", folder / "empty-zh", folder / "stock"
    # The search plugin loads jieba, a second of work, as soon as a page has a Chinese word.
    for base, config, title in ((empty, EMPTY, "Home"), (empty_zh, EMPTY, "首页"), (stock, STOCK, "Home")):
        (base / "docs").mkdir(parents=True)
        (base / "mkdocs.yml").write_text(config, "utf-8")
        (base / "docs" / "index.md").write_text(f"# {title}\n", "utf-8")
    for path in (copy / "build" / "executed").glob("*/*.ipynb"):
        shutil.copyfile(path, stock / "docs" / path.name)
    build = ["mkdocs", "build", "-q"]
    start, start_zh = seconds(build, empty, 3), seconds(build, empty_zh, 3)
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
        ("MkDocs' own start (an empty site, same plugins)", f"{start:.2f} s, with jieba {start_zh:.2f} s", ""),
        ("English, cold", f"{english:.2f} s, {(english - start) / pages:.3f} s a page", "at most 0.15 s a page"),
        ("English, warm", f"{warm:.2f} s", ""),
        ("Chinese, cold", f"{zh:.2f} s, {(zh - start_zh) / pages:.3f} s a page", "at most 0.15 s a page"),
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
            for pattern in ("recipes/{}.py", "recipes/{}.proof.json", "build/executed/{}.ipynb", "build/runs/{}.json"):
                target = copy / pattern.format(other)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(copy / pattern.format(key), target)
    return count


# --- growth: the same collection, larger ------------------------------------------------------------------------------


class Cost(NamedTuple):
    """What one command took: by the clock, of the processor, and at its peak in memory."""

    wall: float
    cpu: float
    memory: float  # bytes


def cost(command: list[str], cwd: Path) -> Cost:
    """Run a command of the environment, which must succeed."""
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    with tempfile.TemporaryFile() as printed:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], cwd=cwd, env=environment, stdout=printed, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{printed.read().decode()}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def growth(numbers: list[int]) -> None:
    """Print what a shelf of each size costs, and how the cost of one recipe changes with the size."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        base = copied(Path(folder) / "checkout")
        seconds(["cookbook", "run"], base)
        measured: dict[int, dict[str, float]] = {}
        for number in sorted(set(numbers)):
            shelf = Path(folder) / f"shelf-{number}"
            fill_shelf(base, shelf, number)
            measured[number] = shelf_cost(shelf, number)
            shutil.rmtree(shelf)
            print(f"measured {number} recipes", file=sys.stderr, flush=True)
    smallest, largest = measured[min(measured)], measured[max(measured)]
    width = max(map(len, smallest))
    columns = "".join(f"{number:>10}" for number in measured)
    print(f"{'recipes':<{width}}{columns}{'a recipe':>10}  at most")
    for name, first in smallest.items():
        values = "".join(f"{figures[name]:>10,.4g}" for figures in measured.values())
        total = not re.search(r"memory|a page|a recipe", name)
        ratio = largest[name] / first
        ratio *= min(measured) / max(measured) if total else 1
        limit = "2,000 MB" if "memory" in name else "1.3"
        print(f"{name:<{width}}{values}" + (f"{'':>10}" if "memory" in name else f"{ratio:>10.2f}") + f"  {limit}")
    print("Seconds are of the processor, which other work on the machine does not change; `a recipe` is the largest")
    print("number's cost of one recipe over the smallest's.")


def shelf_cost(shelf: Path, number: int) -> dict[str, float]:
    """What the commands and the site of one shelf cost."""
    steps = {
        "check, s": ["cookbook", "check"],
        "sync, s": ["cookbook", "sync"],
        "run, everything cached, s": ["cookbook", "run"],
        "English build, s": ["mkdocs", "build", "-q"],
        "Chinese build, s": ["mkdocs", "build", "-q", "-f", "mkdocs.zh.yml"],
    }
    costs = {}
    for name, command in steps.items():
        costs[name] = cost(command, shelf)
        print(f"{number:>6} {name:<28}{costs[name].cpu:>8.1f} of {costs[name].wall:.1f}", file=sys.stderr, flush=True)
    found = {name: taken.cpu for name, taken in costs.items()}
    for name in steps:
        if "build" in name:
            found[name.replace(", s", ", ms a recipe")] = 1000 * costs[name].cpu / number
            found[name.replace(", s", ", memory, MB")] = costs[name].memory / 1e6
    site = shelf / "site"
    found["site, kB a recipe"] = folder_size(site) / number / 1e3
    for name, base in (("English", site), ("Chinese", site / "zh")):
        index = (base / "search" / "search_index.json").read_bytes()
        raw, packed = sizes(list(base.glob("recipes/*/*/index.html")))
        found |= {
            f"{name} search index, kB a recipe": len(index) / number / 1e3,
            f"{name} search index, gzip, kB a recipe": len(gzip.compress(index)) / number / 1e3,
            f"{name} recipe, HTML, kB a page": raw / 1e3,
            f"{name} recipe, HTML, gzip, kB a page": packed / 1e3,
        }
    return found


def fill_shelf(base: Path, shelf: Path, number: int) -> None:
    """A copy of the checkout `base` whose recipes are replaced by `number` stand-ins with the outputs of real ones.

    Chapters and recipes a chapter both grow, each with the root of the number. Nothing is executed: the code is that
    of the real recipes, so their entries of the execution cache serve.
    """
    shutil.copytree(base, shelf)
    real = sorted((base / "recipes").glob("*/*.py"))
    for folder in ("recipes", "notebooks/en", "notebooks/zh", "build/executed", "build/runs"):
        for chapter in (shelf / folder).glob("*/"):
            shutil.rmtree(chapter)
    chapters = max(1, round(number**0.5))
    places = [(f"chapter-{i % chapters + 1:03}", f"recipe-{i + 1:04}") for i in range(number)]
    for (chapter, slug), source in zip(places, itertools.cycle(real), strict=False):
        key = f"{source.parent.name}/{source.stem}"
        for pattern in ("recipes/{}.proof.json", "build/executed/{}.ipynb", "build/runs/{}.json"):
            target = shelf / pattern.format(f"{chapter}/{slug}")
            target.parent.mkdir(parents=True, exist_ok=True)
            if (base / pattern.format(key)).exists():
                shutil.copyfile(base / pattern.format(key), target)
        text = renamed(source.read_text("utf-8"), slug)
        (shelf / "recipes" / chapter / f"{slug}.py").write_text(text, "utf-8")
    bank = stand_in_bank(places)
    (shelf / "recipes" / "questions.yml").write_text(json.dumps(bank, ensure_ascii=False, indent=1), "utf-8")


def renamed(source: str, slug: str) -> str:
    """A source under another name: a title of its own, links to itself instead of others, and built on nothing."""
    titles = re.search(r'title: \{en: "(.*)", zh: "(.*)"\}$', source, re.MULTILINE)
    if titles is None:
        raise SystemExit("a recipe's header has no title on one line, which the stand-ins are named by")
    for title in titles.groups():
        source = re.sub(rf'(["#] ?){re.escape(title)}("|$)', rf"\g<1>{title} {slug[-4:]}\2", source, flags=re.MULTILINE)
    source = re.sub(r"^#     builds_on: .*\n", "", source, flags=re.MULTILINE)
    return re.sub(r"\]\((?!https?:)[^)\s]+\.py(?:#[^)\s]*)?\)", f"]({slug}.py)", source)


def stand_in_bank(places: list[tuple[str, str]]) -> dict[str, Any]:
    """A question bank for invented topics, as dense as the real one: two or three questions a topic."""

    def said(english: str, chinese: str) -> dict[str, str]:
        return {"en": english, "zh": chinese}

    topics: dict[str, list[dict[str, Any]]] = {}
    questions = []
    for index, (chapter, slug) in enumerate(places):
        asked = [f"q{index + 1:04}-{part}" for part in range(2 + index % 2)]
        topic = {"slug": slug, "title": said(f"Topic {index + 1}", f"第 {index + 1} 个主题"), "answers": asked}
        topics.setdefault(chapter, []).append(topic)
        text = said(
            f"Why does method {index + 1} fail when its data are few, and what helps?",
            f"数据很少时第 {index + 1} 种方法为什么会失效，怎样补救？",
        )
        questions += [{"id": name, "document": f"s{index // 14}", **text} for name in asked]
    documents = [
        {"id": name, "title": said(f"Document {name}", f"文档 {name}")}
        for name in sorted({q["document"] for q in questions})
    ]
    chapters = [
        {"slug": slug, "title": said(f"Chapter {slug[-3:]}", f"第 {slug[-3:]} 章"), "topics": content}
        for slug, content in topics.items()
    ]
    return {"documents": documents, "chapters": chapters, "questions": questions}


def sizes(pages: list[Path]) -> tuple[float, float]:
    """Mean bytes of pages, raw and gzipped."""
    contents = [path.read_bytes() for path in pages]
    return statistics.mean(map(len, contents)), statistics.mean(len(gzip.compress(content)) for content in contents)


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
