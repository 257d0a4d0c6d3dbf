"""`cookbook run --shard I/N` and `cookbook merge`: execute on N machines, and put their parts together again."""

import json
import shutil
from pathlib import Path

from cookbook import execute, files, proofs
from cookbook.recipe import Problem, Recipe

FOLDERS = ("executed", "runs", "cache", "images")


def split(recipes: list[Recipe], count: int) -> list[list[Recipe]]:
    """Recipes in `count` parts of about equal recorded seconds: the longest first, each to the part with least."""
    parts: list[list[Recipe]] = [[] for _ in range(count)]
    seconds = [0.0] * count
    for recipe in sorted(recipes, key=lambda recipe: (-proofs.cpu_seconds(recipe), recipe.key)):
        least = seconds.index(min(seconds))
        parts[least].append(recipe)
        seconds[least] += proofs.cpu_seconds(recipe)
    return parts


def note(root: Path, number: int, count: int, recipes: list[Recipe]) -> None:
    """Leave beside the results which part of the whole this machine executed."""
    content = {"number": number, "count": count, "recipes": sorted(recipe.key for recipe in recipes)}
    files.write(root / "build" / "shard.json", json.dumps(content, indent=1) + "\n")


def merge(folders: list[Path], root: Path, recipes: list[Recipe]) -> list[Problem]:
    """Copy the `build` folders of all shards into this one; nothing is copied unless every recipe is there once.

    Returns what is missing: a shard, a recipe, or a result of other code.
    """
    found: list[Problem] = []
    shards: dict[int, Path] = {}
    counts: set[int] = set()
    has: dict[str, Path] = {}
    for folder in folders:
        path = folder / "shard.json"
        try:
            content = json.loads(path.read_text("utf-8"))
            number, count, keys = content["number"], content["count"], content["recipes"]
        except (OSError, ValueError, LookupError, TypeError):
            found.append(Problem(path, 1, "is no note of a shard; name the build folder of `cookbook run --shard I/N`"))
            continue
        if number in shards:
            found.append(Problem(path, 1, f"is shard {number}, as {shards[number]} is; name each shard once"))
        shards[number] = folder
        counts.add(count)
        has |= dict.fromkeys(keys, folder)
    if len(counts) > 1:
        found.append(Problem(folders[0], 1, f"belongs to another division: {sorted(counts)} shards; use one run's"))
    for count in counts:
        for number in sorted(set(range(1, count + 1)) - shards.keys()):
            found.append(Problem(root / "build", 1, f"shard {number} of {count} is missing; run it and merge again"))
    if found:
        return found
    for recipe in recipes:
        folder = has.get(recipe.key, Path())
        paths = folder / "executed" / f"{recipe.key}.ipynb", folder / "runs" / f"{recipe.key}.json"
        if recipe.key not in has or not all(path.is_file() for path in paths):
            found.append(Problem(recipe.path, 1, "is in none of the shards; run `cookbook run --shard` on this commit"))
        elif json.loads(paths[1].read_text("utf-8")).get("key") != execute.cache_key(recipe, root):
            text = "was executed with other code or versions than here; run every shard on this commit"
            found.append(Problem(recipe.path, 1, text))
    if found:
        return found
    for folder in folders:
        for name in FOLDERS:
            if (folder / name).is_dir():
                shutil.copytree(folder / name, root / "build" / name, dirs_exist_ok=True)
    return []
