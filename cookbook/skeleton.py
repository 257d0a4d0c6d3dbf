"""`cookbook new`: a source with every part that a recipe has, to be filled in."""

import json
from pathlib import Path

from cookbook import files, questions
from cookbook.recipe import Problem, RecipeError

HEADER = """\
# ---
# jupyter:
#   kernelspec: {{name: python3, display_name: Python 3, language: python}}
#   recipe:
#     title: {{en: {en}, zh: {zh}}}
#     description: {{en: "…", zh: "…"}}  # one sentence each, at most 160 characters
#     level: beginner
#     tags: [pytorch]
#     data: [{{name: "…", source: "…", licence: "…"}}]
#     seconds: 30
#     headline: {{figure: "…", baseline: "…"}}  # keys of `results`
#     breaks:
#       - {{name: "…", find: "…", replace: "…"}}
#       - {{name: "…", find: "…", replace: "…"}}
# ---
"""
SECTIONS = (
    ("Where the usual answer goes wrong", "常见答案错在哪里"),
    ("Data", "数据"),
    ("Baseline", "基线"),
    ("The recipe", "做法"),
    ("Results", "结果"),
)
CHECKS = """\
# %%
results = {}

# %% [markdown] lang="en"
# ## Checked claims
#
# - …

# %% [markdown] lang="zh"
# ## 已验证的结论
#
# - ……

# %% tags=["checks"]
assert results
"""
CLOSING = (("At scale", "走向大规模"), ("Exercises", "练习"), ("References", "参考文献"))


def new(root: Path, key: str, bank: questions.Bank) -> Path:
    """Write `recipes/<chapter>/<slug>.py` for a topic of the question bank.

    Raises:
        RecipeError: no such topic, or the file exists.
    """
    chapter, _, slug = key.removesuffix(".py").partition("/")
    path = root / "recipes" / chapter / f"{slug}.py"
    topics = bank.topics_of(chapter)
    if topics is None or slug not in topics:
        text = f"{key!r} is no topic of the question bank; add it to recipes/questions.yml first"
        raise RecipeError(Problem(root / "recipes" / "questions.yml", 1, text))
    if path.exists():
        raise RecipeError(Problem(path, 1, "exists already; edit it, or choose another topic"))
    topic = topics[slug]
    title = topic["title"]
    asked = {
        lang: "\n#\n".join(f"# > {bank.questions[question][lang]}" for question in topic["answers"])
        for lang in ("en", "zh")
    }
    parts = [
        HEADER.format(**{lang: json.dumps(text, ensure_ascii=False) for lang, text in title.items()}),
        _twins((f"# # {title['en']}\n#\n# …", f"# # {title['zh']}\n#\n# ……")),
        _twins((f"# ## The question\n#\n{asked['en']}", f"# ## 问题\n#\n{asked['zh']}")),
        _twins(("# ## Short answer\n#\n# …", "# ## 简短回答\n#\n# ……")),
        "# %%\nSEED = 0\n",
        *(_twins((f"# ## {en}\n#\n# …", f"# ## {zh}\n#\n# ……")) for en, zh in SECTIONS),
        CHECKS,
        *(_twins((f"# ## {en}\n#\n# …", f"# ## {zh}\n#\n# ……")) for en, zh in CLOSING),
    ]
    files.write(path, "\n".join(parts))
    return path


def _twins(texts: tuple[str, str]) -> str:
    """The same cell in English and in Chinese."""
    return f'# %% [markdown] lang="en"\n{texts[0]}\n\n# %% [markdown] lang="zh"\n{texts[1]}\n'
