"""The command `cookbook`: its words, where it may be called, and the skeleton of a new recipe."""

import re
import resource
import shutil
import time
from pathlib import Path

import planted
import pytest
from conftest import ROOT

from cookbook import check, cli, questions, recipe, skeleton

PROBLEM = re.compile(r"[^:]+:\d+: .+; .+")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return planted.plant(tmp_path / "repository")


@pytest.mark.parametrize("verb", ["new", "check", "sync", "run", "pages"])
def test_every_verb_says_what_it_does(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    assert f"cookbook {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["bake"], ["pages"], ["new"], ["run", "-n", "two"], ["sync", "sums"]])
def test_a_wrong_call_is_told_how_to_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: cookbook" in capsys.readouterr().err


@pytest.mark.parametrize("folder", [".", "recipes", "recipes/demo"])
def test_it_works_anywhere_in_the_repository(root: Path, folder: str) -> None:
    done = planted.cookbook(root / folder, "check")
    assert (done.returncode, done.stderr) == (0, "")


def test_outside_of_the_repository_it_says_where_to_go(tmp_path: Path) -> None:
    done = planted.cookbook(tmp_path, "check")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "change to the folder that holds mkdocs.yml" in sentence


@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_recipe_that_is_not_there_is_named(root: Path, verb: str) -> None:
    done = planted.cookbook(root, verb, "differences")
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert PROBLEM.fullmatch(sentence) and "'differences'" in sentence


@pytest.mark.parametrize("verb", [["sync"], ["pages", "--markdown", "out"]])
def test_a_configuration_without_the_repositorys_address_is_refused(tmp_path: Path, verb: list[str]) -> None:
    root = planted.copy(tmp_path)
    planted.edit(root / "mkdocs.yml", "https://github.com/Planter/planted", "https://example.org/planted")
    done = planted.cookbook(root, *verb)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("mkdocs.yml:1: ") and "repo_url" in sentence


@pytest.mark.parametrize("workers", ["0", "-1"])
def test_no_workers_is_refused(root: Path, workers: str) -> None:
    done = planted.cookbook(root, "run", "-n", workers)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr and done.stderr.strip()
    assert planted.made(root) == {}


def test_a_recipe_named_twice_runs_once(tmp_path: Path) -> None:
    root = planted.copy(tmp_path)
    done = planted.cookbook(root, "run", "--no-cache", "sums", "demo/sums")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(planted.kernels(root)) == 1


def test_running_one_recipe_leaves_what_the_others_made(tmp_path: Path) -> None:
    root = planted.copy(tmp_path)
    shutil.copyfile(root / planted.SOURCE, root / "recipes" / "demo" / "products.py")
    assert planted.cookbook(root, "run", "products").returncode == 0
    assert (root / planted.EXECUTED).exists() and (root / planted.RECORD).exists()


def test_shards_share_the_recipes_among_machines(tmp_path: Path) -> None:
    root = planted.copy(tmp_path)
    shutil.copyfile(root / planted.SOURCE, root / "recipes" / "demo" / "products.py")
    executed = root / "build" / "executed"
    made = []
    for shard in ("1/2", "2/2"):
        shutil.rmtree(executed)
        done = planted.cookbook(root, "run", "--shard", shard)
        assert done.returncode == 0, done.stderr
        made.append({path.stem for path in executed.rglob("*.ipynb")})
    assert all(made) and not made[0] & made[1]
    assert made[0] | made[1] == {"sums", "products"}


def test_an_interruption_is_told_in_one_sentence(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_arguments: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.chdir(root)
    monkeypatch.setitem(cli.COMMANDS, "check", interrupted)
    assert cli.main(["check"]) == 130
    assert capsys.readouterr().err == "interrupted; nothing half-written was left, run it again\n"


@pytest.mark.parametrize("verb", ["check", "sync", "run"])
def test_verbs_return_0_in_process_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    monkeypatch.chdir(planted.copy(tmp_path))
    assert cli.main([verb]) == 0
    captured = capsys.readouterr()
    assert captured.out and not captured.err


# ---- how quick

TOPIC = """\
      - slug: sums-{n}
        title: {{en: Add numbers, zh: 把数加起来}}
        answers: []
"""


def test_72_recipes_are_checked_within_two_seconds(root: Path) -> None:
    topics = "".join(TOPIC.format(n=n) for n in range(71))
    planted.edit(root / planted.BANK, "  - slug: other\n", f"{topics}  - slug: other\n")
    text = (root / planted.SOURCE).read_text("utf-8")
    for n in range(71):
        path = root / "recipes" / "demo" / f"sums-{n}.py"
        path.write_text(text, encoding="utf-8")
        planted.prove(path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = planted.cookbook(root, "check")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout == "72 recipes and 4 questions keep the contract\n"
    # The processor's time: on a busy machine the wall's also counts what the others do.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_a_run_of_what_has_not_changed_takes_about_a_second(tmp_path: Path) -> None:
    root = planted.copy(tmp_path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    assert planted.cookbook(root, "run").returncode == 0
    elapsed = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert min(elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) < 1


# ---- a new recipe


def test_a_new_recipe_fails_only_for_what_is_to_be_filled_in(root: Path) -> None:
    done = planted.cookbook(root, "new", "demo/products")
    assert (done.returncode, done.stdout, done.stderr) == (0, "recipes/demo/products.py\n", "")
    path = root / "recipes" / "demo" / "products.py"
    lines = path.read_text("utf-8").splitlines()
    done = planted.cookbook(root, "check", "products")
    assert done.returncode == 1
    for sentence in done.stderr.splitlines():
        assert PROBLEM.fullmatch(sentence), sentence
        line = lines[int(sentence.split(":")[1]) - 1]
        assert "…" in sentence + line, f"{sentence!r} names {line!r}, where nothing is to be filled in"


def test_an_unfilled_text_is_noticed(root: Path) -> None:
    # The dots of the skeleton must not reach a page.
    planted.cookbook(root, "new", "demo/products")
    path = root / "recipes" / "demo" / "products.py"
    fill_breaks(path)
    done = planted.cookbook(root, "check", "products")
    assert done.returncode == 1
    assert "…" in done.stderr


def fill_breaks(path: Path) -> None:
    text = path.read_text("utf-8")
    one = '{name: "…", find: "…", replace: "…"}'
    assert text.count(one) == 2
    text = text.replace(one, '{name: "none", find: "SEED = 0", replace: "SEED = None"}', 1)
    text = text.replace(one, '{name: "empty", find: "results = {}", replace: "results = None"}', 1)
    path.write_text(text, encoding="utf-8")


def test_a_new_recipe_passes_once_filled(root: Path) -> None:
    planted.cookbook(root, "new", "demo/products")
    path = root / "recipes" / "demo" / "products.py"
    fill_breaks(path)
    text = re.sub("……|…", "x", path.read_text("utf-8"))
    path.write_text(text, encoding="utf-8")
    planted.prove(path)
    done = planted.cookbook(root, "check", "products")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_new_recipe_asks_the_questions_of_its_topic(root: Path) -> None:
    path = root / planted.SOURCE
    path.unlink()
    planted.cookbook(root, "new", "demo/sums")
    text = path.read_text("utf-8")
    for question in ("How do you add numbers?", "How are numbers added?", "如何把数加起来？", "数怎样相加？"):
        assert f"# > {question}\n" in text
    read = recipe.read(path)
    assert read.header["title"] == {"en": "Add numbers", "zh": "把数加起来"}
    assert [cell.lang for cell in read.cells if cell.kind == "markdown"][:2] == ["en", "zh"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("demo/sums", "exists already"),
        ("demo/differences", "is no topic of the question bank"),
        ("nowhere/sums", "is no topic of the question bank"),
        ("other/sums", "is no topic of the question bank"),
        ("sums", "is no topic of the question bank"),
        ("../demo/sums", "is no topic of the question bank"),
        ("demo/../demo/products", "is no topic of the question bank"),
    ],
)
def test_a_new_recipe_that_cannot_be_is_refused(root: Path, key: str, says: str) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    done = planted.cookbook(root, "new", key)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert PROBLEM.fullmatch(sentence) and says in sentence
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_title_with_quotation_marks_makes_a_header_that_reads(root: Path) -> None:
    planted.edit(root / planted.BANK, "{en: Multiply numbers, zh: 把数乘起来}", "{en: 'Say \"times\": {x}', zh: 乘}")
    path = skeleton.new(root, "demo/products", questions.read(root))
    assert recipe.read(path).header["title"]["en"] == 'Say "times": {x}'


def test_every_topic_of_the_bank_can_be_started(tmp_path: Path) -> None:
    bank = questions.read(ROOT)
    for name in ("constraints.txt", "requirements-data.txt"):
        (tmp_path / name).touch()
    for slug, topic in bank.topics.items():
        path = skeleton.new(tmp_path, f"{topic['chapter']}/{slug}", bank)
        lines = path.read_text("utf-8").splitlines()
        for problem in check.problems(recipe.read(path), bank, tmp_path):
            assert "…" in problem.text + lines[problem.line - 1], str(problem)
