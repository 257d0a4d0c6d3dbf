"""A small repository with one quick recipe, planted in a temporary folder; ways to edit it and to run `cookbook`."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path

from cookbook import proofs, recipe

BIN = Path(sys.executable).parent
KEY = "demo/sums"
SOURCE = Path("recipes", "demo", "sums.py")
BANK = Path("recipes", "questions.yml")
EXECUTED = Path("build", "executed", "demo", "sums.ipynb")
RECORD = Path("build", "runs", "demo", "sums.json")
NOTEBOOKS = {lang: Path("notebooks", lang, "demo", "sums.ipynb") for lang in ("en", "zh")}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
# Packages that are there wherever `cookbook` is, so that the planted recipe can require them.
PLAIN, BARE = "jsonschema", "nbformat"

MKDOCS = """\
site_name: Planted
repo_url: https://github.com/Planter/planted
docs_dir: docs/en
site_dir: site
"""

QUESTIONS = """\
documents:
  - id: d0
    title: {en: First document, zh: 第一份文档}
  - id: d1
    title: {en: Second document, zh: 第二份文档}
chapters:
  - slug: demo
    title: {en: Demonstrations, zh: 演示}
    topics:
      - slug: sums
        title: {en: Add numbers, zh: 把数加起来}
        answers:
          - d0-q01
          - d1-q01
      - slug: products
        title: {en: Multiply numbers, zh: 把数乘起来}
        answers:
          - d0-q02
  - slug: other
    title: {en: Other things, zh: 其他}
    topics:
      - slug: means
        title: {en: Take a mean, zh: 求平均}
        answers:
          - d1-q02
        fixes_code_of:
          - d1-q02
questions:
  - id: d0-q01
    document: d0
    en: How do you add numbers?
    zh: 如何把数加起来？
  - id: d0-q02
    document: d0
    en: How do you multiply numbers?
    zh: 如何把数乘起来？
  - id: d1-q01
    document: d1
    en: How are numbers added?
    zh: 数怎样相加？
    same_as: d0-q01
  - id: d1-q02
    document: d1
    en: How do you take a mean?
    zh: 如何求平均？
"""

RECIPE = '''\
# ---
# jupyter:
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   recipe:
#     title: {en: "Add numbers", zh: "把数加起来"}
#     description: {en: "Add the numbers of a list.", zh: "把一列数加起来。"}
#     level: beginner
#     tags: [data]
#     requires: [PLAIN, {name: "BARE", deps: false}]
#     data: [{name: "three numbers", source: "this recipe", licence: "CC0"}]
#     seconds: 30
#     headline: {figure: "total", baseline: "largest"}
#     breaks:
#       - {name: "forgets one", find: "sum(numbers)", replace: "sum(numbers[1:])"}
#       - {name: "forgets the largest", find: "max(numbers)", replace: "min(numbers)"}
# ---

# %% [markdown] lang="en"
# # Add numbers
#
# A list of numbers has a sum, and the sum
# is easily found.

# %% [markdown] lang="zh"
# # 把数加起来
#
# 一列数有一个和，
# 而这个和
# 很容易求得。

# %% [markdown] lang="en"
# ## Short answer
#
# Add them, as [the data](sums.py) asks for:
#
# $$s = \\sum_i x_i$$
#
# | method | steps |
# | ------ | ----- |
# | adding | three |
#
# > **Tip: order** The order of the numbers
# > does not matter.

# %% [markdown] lang="zh"
# ## 简短回答
#
# 照[数据](sums.py)相加：
#
# $$s = \\sum_i x_i$$
#
# | 方法 | 步骤 |
# | ---- | ---- |
# | 相加 | 三步 |
#
# > **提示：顺序** 数的顺序
# > 无关紧要。

# %% [markdown] lang="en"
# ## Data

# %% [markdown] lang="zh"
# ## 数据

# %%
import json
import os

import matplotlib.pyplot as plt

SEED = 0
numbers = [3, 1, 2]
with open(os.environ.get("PLANTED_LOG", os.devnull), "a") as log:
    print(os.getpid(), file=log)

# %%
total = sum(numbers)  # (1)!
print(json.dumps({"total": total}))

# %% [markdown] lang="en" tags=["annotations"]
# 1. Built in.

# %% [markdown] lang="zh" tags=["annotations"]
# 1. 内置函数。


# %%
class Table:
    """Shows itself as pandas shows a table."""

    def __init__(self, number):
        self.number = number

    def _repr_html_(self):
        head = "<thead><tr><th></th><th>number</th></tr></thead>"
        body = f"<tbody><tr><th>0</th><td>{self.number}</td></tr></tbody>"
        table = f'<table border="1" class="dataframe">{head}{body}</table>'
        return f"<div><style>td {{}}</style>{table}</div>"


Table(numbers[0])

# %% alt_en="Three points, the first the highest." alt_zh="三个点，第一个最高。"
plt.figure(figsize=(3, 2))
plt.plot(numbers, "o")
plt.show()

# %%
results = {"total": total, "largest": max(numbers)}

# %% [markdown] lang="en"
# ## Checked claims
#
# - The total is six.
# - The largest is three.

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - 和是六。
# - 最大的是三。

# %% tags=["checks"]
assert total == 6
assert results["largest"] == 3

# %% [markdown] lang="en"
# ## Exercises
#
# 1. Add four numbers.

# %% [markdown] lang="zh"
# ## 练习
#
# 1. 把四个数加起来。
'''


def pinned(package: str) -> str:
    """A package with the version that is installed."""
    return f"{package}=={metadata.version(package)}"


def plant(root: Path) -> Path:
    """Write the repository into the folder `root`."""
    text = RECIPE.replace("PLAIN", pinned(PLAIN)).replace("BARE", pinned(BARE))
    contents = {
        "mkdocs.yml": MKDOCS,
        "constraints.txt": f"# exact versions\n{pinned(PLAIN)}\n",
        "requirements-data.txt": f"# only for the data in them\n{pinned(BARE)}\n",
        "docs/en/index.md": "# Planted\n\n<!-- cards -->\n\n<!-- answered -->\n",
        "docs/zh/index.md": "# 种下的\n\n<!-- cards -->\n\n<!-- answered -->\n",
        "docs/en/about.md": "# About\n",
        "docs/zh/about.md": "# 说明\n",
        str(BANK): QUESTIONS,
        str(SOURCE): text,
    }
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    prove(root / SOURCE)
    return root


def prove(path: Path) -> None:
    """Leave beside a source the record that its breaks and seeds would leave."""
    source = recipe.read(path)
    verdicts = {edit["name"]: "caught by `assert total == 6`" for edit in source.header["breaks"]}
    record = {
        "breaks": {"code": proofs.code_hash(source, source.header["breaks"]), "verdicts": verdicts},
        "seeds": {
            "code": proofs.code_hash(source),
            "cpu_seconds": 1.5,
            "results": {"total": [6] * 10, "largest": [3] * 10},
        },
    }
    proofs.proof_path(source).write_text(json.dumps(record), encoding="utf-8")


def edit(path: Path, find: str, replace: str) -> None:
    """Replace text that stands exactly once in a file."""
    text = path.read_text("utf-8")
    assert text.count(find) == 1, f"{find!r} stands {text.count(find)} times in {path.name}"
    path.write_text(text.replace(find, replace), encoding="utf-8")


def line_of(path: Path, needle: str) -> int:
    """Number of the first line that holds `needle`."""
    lines = path.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if needle in line)


def log(root: Path) -> Path:
    """Where each execution of the planted recipe leaves the id of its kernel's process; outside the repository."""
    return root.parent / f"{root.name}.log"


def kernels(root: Path) -> list[int]:
    """Process ids of the kernels that have executed the planted recipe, one an execution."""
    return [int(line) for line in log(root).read_text().split()] if log(root).exists() else []


def environment(root: Path, **extra: str) -> dict[str, str]:
    """The variables of a plain shell: nothing of the test run or of a CI job leaks into the command."""
    leaking = ("GITHUB_REPOSITORY", "MPLBACKEND")
    plain = {name: value for name, value in os.environ.items() if name not in leaking}
    return plain | {"PLANTED_LOG": str(log(root))} | extra


def cookbook(root: Path, *arguments: str, timeout: float = 300, **extra: str) -> subprocess.CompletedProcess[str]:
    """`cookbook ARGUMENTS` in the repository at `root`; `extra` are variables of its environment."""
    command = [str(BIN / "cookbook"), *arguments]
    return subprocess.run(
        command, cwd=root, env=environment(root, **extra), capture_output=True, text=True, timeout=timeout
    )


@cache
def executed() -> Path:
    """A planted repository whose recipe was executed, shared by all tests of a process: copy it, never edit it."""
    folder = Path(tempfile.mkdtemp(prefix="planted-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = plant(folder / "repository")
    for name in ("objects", "refs"):
        (root / ".git" / name).mkdir(parents=True)
    (root / ".git" / "HEAD").write_text(f"{COMMIT}\n")
    for verb in ("sync", "run"):
        done = cookbook(root, verb)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(kernels(root)) == 1
    return root


def copy(folder: Path) -> Path:
    """A copy of the executed repository below `folder`, in which nothing has been executed again yet."""
    root = folder / "repository"
    shutil.copytree(executed(), root)
    return root


def made(root: Path) -> dict[str, bytes]:
    """Every file below notebooks/ and build/, hidden ones too; build/failed, kept for the author, is left out."""
    files = (path for folder in ("notebooks", "build") for path in (root / folder).rglob("*") if path.is_file())
    named = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    return {name: content for name, content in named.items() if not name.startswith("build/failed/")}
