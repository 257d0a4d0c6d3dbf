"""Shards: equal seconds, and a merge that is whole or refuses."""

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import planted
import pytest

from cookbook import proofs, recipe, shards


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return planted.copy(tmp_path)


def stand_ins(root: Path, seconds: list[float]) -> list[recipe.Recipe]:
    """Recipes that differ in name and recorded seconds only."""
    source = recipe.read(root / planted.SOURCE)
    made = []
    for number, value in enumerate(seconds):
        path = source.path.with_stem(f"sums-{number:02}")
        other = replace(source, path=path)
        proofs.proof_path(other).write_text(json.dumps({"seeds": {"cpu_seconds": value}}))
        made.append(other)
    return made


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8])
def test_72_recipes_are_divided_within_a_fifth_of_the_mean(root: Path, count: int) -> None:
    chance = random.Random(0)
    recipes = stand_ins(root, [chance.uniform(2, 50) for _ in range(72)])
    parts = shards.split(recipes, count)
    assert sorted(r.key for part in parts for r in part) == sorted(r.key for r in recipes)
    sums = [sum(proofs.cpu_seconds(r) for r in part) for part in parts]
    assert max(sums) < 1.2 * sum(sums) / count


def test_without_a_record_the_budget_counts(root: Path) -> None:
    source = recipe.read(root / planted.SOURCE)
    proofs.proof_path(source).unlink()
    assert proofs.cpu_seconds(source) == 30


def test_the_division_does_not_depend_on_the_order(root: Path) -> None:
    recipes = stand_ins(root, [3, 1, 2, 1, 3])
    keys = [[r.key for r in part] for part in shards.split(recipes, 2)]
    assert keys == [[r.key for r in part] for part in shards.split(recipes[::-1], 2)]


# ---- merging: the planted repository with two recipes, one a shard


@pytest.fixture
def machines(root: Path, tmp_path: Path) -> list[Path]:
    """Two checkouts that executed one recipe each, and a third that has executed none: it is the first returned."""
    planted.edit(root / planted.BANK, "      - slug: products\n", "      - slug: sums-2\n" + TOPIC)
    shutil.copyfile(root / planted.SOURCE, root / "recipes" / "demo" / "sums-2.py")
    planted.prove(root / "recipes" / "demo" / "sums-2.py")
    assert planted.cookbook(root, "run").returncode == 0  # from the cache: the code is the same
    made = []
    for number in (1, 2):
        machine = tmp_path / f"machine-{number}"
        shutil.copytree(root, machine)
        for folder in ("executed", "runs"):
            shutil.rmtree(machine / "build" / folder)
        done = planted.cookbook(machine, "run", "--shard", f"{number}/2")
        assert done.returncode == 0 and "1 of 1 recipes have passed" in done.stdout
        made.append(machine / "build")
    shutil.rmtree(root / "build")
    return [root, *made]


TOPIC = """\
        title: {en: Add more numbers, zh: 把更多的数加起来}
        answers: []
      - slug: products
"""


def test_shards_make_one_whole(machines: list[Path]) -> None:
    root, first, second = machines
    done = planted.cookbook(root, "merge", str(second), str(first))
    assert (done.returncode, done.stdout) == (0, "2 shards make 2 recipes\n")
    for key in ("sums", "sums-2"):
        assert (root / "build" / "executed" / "demo" / f"{key}.ipynb").exists()
        assert (root / "build" / "runs" / "demo" / f"{key}.json").exists()
    done = planted.cookbook(root, "pages", "--markdown", "tree")
    assert done.returncode == 0 and "tree/recipes/demo/sums-2.md" in done.stdout


def refused(root: Path, *folders: Path) -> str:
    done = planted.cookbook(root, "merge", *map(str, folders))
    assert done.returncode == 1
    assert not (root / "build").exists(), "a part was copied"
    return done.stderr


def test_a_missing_shard_is_an_error(machines: list[Path]) -> None:
    root, first, _ = machines
    assert "shard 2 of 2 is missing; run it and merge again" in refused(root, first)


def test_a_shard_named_twice_is_an_error(machines: list[Path]) -> None:
    root, first, _ = machines
    assert "name each shard once" in refused(root, first, first)


def test_a_folder_that_is_no_shard_is_an_error(machines: list[Path], tmp_path: Path) -> None:
    root, first, _ = machines
    assert "is no note of a shard" in refused(root, first, tmp_path)


def test_another_division_is_an_error(machines: list[Path]) -> None:
    root, first, second = machines
    planted.edit(second / "shard.json", '"count": 2', '"count": 3')
    assert "belongs to another division" in refused(root, first, second)


def test_a_recipe_that_no_shard_executed_is_an_error(machines: list[Path]) -> None:
    root, first, second = machines
    for path in (second / "runs").rglob("*.json"):
        path.unlink()
    assert "is in none of the shards" in refused(root, first, second)


def test_a_shard_of_other_code_is_an_error(machines: list[Path]) -> None:
    root, first, second = machines
    planted.edit(root / planted.SOURCE, "numbers = [3, 1, 2]", "numbers = [3, 2, 1]")
    assert "was executed with other code or versions" in refused(root, first, second)
