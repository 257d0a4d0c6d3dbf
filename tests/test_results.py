"""Results and health: what the pages, the JSON and the CSV say, from planted records."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import planted
import pytest
from bs4 import BeautifulSoup

from cookbook import execute, health, pages, proofs, questions, recipe, results, runs, site

SITE = site.Site("Planter", "planted")
LANGUAGES = recipe.LANGUAGES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return planted.copy(tmp_path)


def load(root: Path) -> runs.Run:
    return runs.load(recipe.read(root / planted.SOURCE), root)


def results_page(root: Path, lang: str = "en") -> runs.Page:
    return results.results_page([load(root)], questions.read(root), SITE, lang)


def cells(page: runs.Page) -> list[list[str]]:
    rows = BeautifulSoup(page.text, "html.parser").select("tbody tr")
    return [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in rows]


# ---- results


@pytest.mark.parametrize(("lang", "title", "mean"), [("en", "Add numbers", "mean"), ("zh", "把数加起来", "均值")])
def test_a_row_holds_headline_baseline_spread_and_proofs(root: Path, lang: str, title: str, mean: str) -> None:
    ((name, headline, baseline, spread, seconds, memory, checks, breaks),) = cells(results_page(root, lang))
    assert (name, headline, baseline) == (title, "6 total", "3 largest")
    assert spread == f"6 – 6 {mean} 6"
    assert int(seconds) >= 0 and int(memory) > 10
    assert (checks, breaks) == ("2 / 2", "2 / 2")


@pytest.mark.parametrize(("lang", "title"), [("en", "Add numbers"), ("zh", "把数加起来")])
def test_a_recipe_may_show_what_its_chapter_needs_and_reaches(root: Path, lang: str, title: str) -> None:
    source = root / planted.SOURCE
    for word in ("easily found.", "很容易求得。"):
        planted.edit(source, f"{word}\n", f"{word}\n#\n# <!-- results of this chapter -->\n")
    run = load(root)
    run.record["parameters"] = 12345
    (page, *_) = pages.site_pages([run], questions.read(root), SITE, root, lang)
    (box,) = BeautifulSoup(page.text, "html.parser").select("tr:has(a[href='../sums/'])")
    link, parameters, _seconds, memory, headline, baseline = (cell.get_text(" ") for cell in box.find_all(["th", "td"]))
    assert (link, parameters, headline, baseline) == (title, "12,345", "6 total", "3 largest")
    assert int(memory) > 10
    assert "<!--" not in page.text


def test_proofs_of_other_code_are_not_shown(root: Path) -> None:
    source = recipe.read(root / planted.SOURCE)
    record = proofs.read(source)
    for part in record.values():
        part["code"] = "other"
    proofs.proof_path(source).write_text(json.dumps(record))
    ((*_, spread, _, _, _, breaks),) = cells(results_page(root))
    assert (spread, breaks) == ("", "0 / 2")
    (entry,) = json.loads(results_page(root).figures[0].content)["recipes"]
    assert entry["breaks"] == {"caught": 0, "count": 2}
    assert not any("seeds" in figure for figure in entry["figures"])


def test_the_json_keeps_its_published_schema(root: Path) -> None:
    data, _, schema = (file.content for file in results_page(root).figures)
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    validator.validate(json.loads(data))
    broken = json.loads(data)
    broken["recipes"][0]["figures"][0]["role"] = "decoration"
    assert not validator.is_valid(broken)
    assert results_page(root, "zh").figures[0].content == data, "one file for both languages"


def test_the_csv_has_one_line_a_figure_with_the_same_numbers(root: Path) -> None:
    data, table, _ = (file.content.decode() for file in results_page(root).figures)
    (entry,) = json.loads(data)["recipes"]
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["figure"] for row in rows] == [figure["name"] for figure in entry["figures"]]
    assert [row["role"] for row in rows] == ["headline", "baseline"]
    assert [float(row["value"]) for row in rows] == [6, 3]
    assert {(row["seeds"], row["breaks_caught"], row["breaks"]) for row in rows} == {("10", "2", "2")}


def test_names_are_escaped(root: Path) -> None:
    run = load(root)
    odd = "a < b & c"
    header = run.recipe.header | {"headline": {"figure": odd, "baseline": odd}}
    run = replace(run, recipe=replace(run.recipe, header=header), record=run.record | {"results": {odd: 1}})
    page = results.results_page([run], questions.read(root), SITE, "en")
    assert "a &lt; b &amp; c" in page.text and odd not in page.text


# ---- health


def health_page(root: Path, here: str | None = "locked", lang: str = "en") -> runs.Page:
    recorded = {name: health.read(root, name) for name in health.ENVIRONMENTS}
    return results.health_page([load(root)], recorded, here, lang)


def test_what_did_not_run_says_so(root: Path) -> None:
    ((_, locked, *others),) = cells(health_page(root))
    assert locked.startswith("✓ passed")
    assert others == ["not run"] * 3
    ((_, *all_of_them),) = cells(health_page(root, here=None))
    assert all_of_them == ["not run"] * 4


def test_a_record_is_shown_with_date_and_reason(root: Path) -> None:
    source = recipe.read(root / planted.SOURCE)
    health.note(root, "oldest", [source], [])
    health.note(root, "newest", [source], [recipe.Problem(source.path, 3, "the cell raises ValueError: <no>; mend it")])
    ((_, _, oldest, newest, colab),) = cells(health_page(root))
    assert re.fullmatch(r"✓ passed \d{4}-\d\d-\d\d · \d+ s", oldest)
    assert re.fullmatch(r"✗ failed \d{4}-\d\d-\d\d the cell raises ValueError: <no>; mend it", newest)
    assert colab == "not run"


def test_a_record_of_other_code_counts_as_not_run(root: Path) -> None:
    health.note(root, "oldest", [recipe.read(root / planted.SOURCE)], [])
    entry = json.loads(health.path_of(root, "oldest").read_text())
    entry["recipes"][planted.KEY]["code"] = "other"
    health.path_of(root, "oldest").write_text(json.dumps(entry))
    ((_, _, oldest, *_),) = cells(health_page(root))
    assert oldest == "not run its code has changed since"


def test_a_skipped_recipe_names_reason_owner_and_end(root: Path) -> None:
    planted.edit(root / planted.SOURCE, "#     breaks:\n", SKIP.format(environment="colab", until="2999-01-31"))
    ((*_, colab),) = cells(health_page(root))
    assert colab == "skipped Colab has no such package (ada, until 2999-01-31)"


def test_a_damaged_record_is_one_sentence(root: Path) -> None:
    health.path_of(root, "oldest").parent.mkdir()
    health.path_of(root, "oldest").write_text("{")
    with pytest.raises(ValueError, match=r"oldest\.json:1: is no record of an environment; delete it"):
        health.read(root, "oldest")


def test_records_of_removed_recipes_go(root: Path) -> None:
    source = recipe.read(root / planted.SOURCE)
    health.note(root, "oldest", [source], [recipe.Problem(source.path, 1, "failed")])
    source.path.rename(source.path.with_stem("products"))
    health.note(root, "oldest", [], [])
    assert health.read(root, "oldest") == {}


@pytest.mark.parametrize(
    ("note", "name"),
    [
        ("constraints=constraints.txt folder=x Python 3.11.2", "locked"),
        ("constraints=constraints-oldest.txt folder=x", "oldest"),
        ("constraints=constraints-colab.txt folder=x", "colab"),
        ("constraints= folder=x", "newest"),
        ("constraints=mine.txt folder=x", None),
        ("", None),
        (None, None),
    ],
)
def test_the_environment_is_known_by_what_make_left(
    note: str | None, name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if note is not None:
        (tmp_path / "installed").write_text(note)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert health.environment() == name


# ---- skipping

SKIP = """\
#     skip: {{environments: [{environment}], reason: "Colab has no such package", owner: ada, until: {until}}}
#     breaks:
"""


@pytest.mark.parametrize(
    ("skip", "says"),
    [
        (SKIP.format(environment="colab", until="2020-01-31"), "`skip` ended on 2020-01-31 (owner: ada)"),
        (SKIP.format(environment="colab", until="soon"), "`skip` ends on 'soon', which is no date"),
        (SKIP.format(environment="mars", until="2999-01-31"), "'mars' is not one of"),
        (SKIP.format(environment="colab", until="2999-01-31").replace(", owner: ada", ""), "'owner' is a required"),
        (SKIP.format(environment="colab", until="2999-01-31").replace("Colab has no such package", ""), "reason"),
    ],
)
def test_a_skip_without_reason_owner_or_future_end_is_refused(root: Path, skip: str, says: str) -> None:
    planted.edit(root / planted.SOURCE, "#     breaks:\n", skip)
    done = planted.cookbook(root, "check")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    line = planted.line_of(root / planted.SOURCE, "skip:")
    assert sentence.startswith(f"{planted.SOURCE}:{line}: ") and says in sentence


def test_a_skipped_recipe_is_neither_executed_nor_shown(root: Path) -> None:
    assert health.environment() == "locked", "these tests run in an environment that `make` installed"
    planted.edit(root / planted.SOURCE, "#     breaks:\n", SKIP.format(environment="locked", until="2999-01-31"))
    planted.edit(root / planted.SOURCE, "sum(numbers)  # (1)!", "sum(numbers) + 0  # (1)!")
    planted.edit(root / planted.SOURCE, 'find: "sum(numbers)"', 'find: "sum(numbers) + 0"')
    before = planted.kernels(root)
    done = planted.cookbook(root, "run")
    assert (done.returncode, planted.kernels(root)) == (0, before)
    assert "demo/sums: skipped, Colab has no such package" in done.stdout
    assert "0 of 0 recipes have passed" in done.stdout
    bank = questions.read(root)
    written = pages.write_markdown([recipe.read(root / planted.SOURCE)], bank, root, root / "tree")
    assert not any("sums" in path.name for path in written)


# ---- figures far from what was recorded


@pytest.mark.parametrize(
    ("recorded", "value", "flagged"),
    [
        ([4, 8], 12.0, False),
        ([4, 8], 12.1, True),
        ([4, 8], -0.1, True),
        ([6, 6], 6, False),
        ([6, 6], 6.01, True),
        ([0.22148, 0.22148], 0.221484, False),
    ],
)
def test_a_figure_outside_the_range_by_more_than_its_width_is_flagged(
    root: Path, recorded: list[float], value: float, flagged: bool
) -> None:
    source = recipe.read(root / planted.SOURCE)
    record = proofs.read(source)
    record["seeds"]["results"]["total"] = recorded
    proofs.proof_path(source).write_text(json.dumps(record))
    found = proofs.unusual(source, {"total": value, "largest": 3})
    assert bool(found) == flagged
    if flagged:
        assert found[0].line == planted.line_of(source.path, "results = ") - 1
        assert "'total'" in found[0].text and "find out why" in found[0].text


def test_run_says_it_but_does_not_fail(root: Path) -> None:
    source = recipe.read(root / planted.SOURCE)
    record = proofs.read(source)
    record["seeds"]["results"]["total"] = [60] * 10
    proofs.proof_path(source).write_text(json.dumps(record))
    done = planted.cookbook(root, "run")
    assert done.returncode == 0
    assert "'total' is 6, far from the 60 to 60 of the recorded seeds" in done.stdout


# ---- fresh records


@pytest.mark.parametrize(("part", "command"), [("breaks", "cookbook breaks sums"), ("seeds", "cookbook seeds sums")])
@pytest.mark.parametrize("state", ["missing", "other code"])
def test_check_refuses_a_missing_or_stale_record(root: Path, part: str, command: str, state: str) -> None:
    source = recipe.read(root / planted.SOURCE)
    record = proofs.read(source)
    if state == "missing":
        del record[part]
    else:
        record[part]["code"] = "other"
    proofs.proof_path(source).write_text(json.dumps(record))
    done = planted.cookbook(root, "check")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert f"run `{command}`" in sentence
    assert planted.cookbook(root, "run").returncode == 0, "an author may run what is not proven yet"


def test_too_few_seeds_are_no_record(root: Path) -> None:
    source = recipe.read(root / planted.SOURCE)
    record = proofs.read(source)
    record["seeds"]["results"] = {name: values[:9] for name, values in record["seeds"]["results"].items()}
    proofs.proof_path(source).write_text(json.dumps(record))
    (problem,) = proofs.stale(source)
    assert "10 seeds" in problem.text


def test_prose_does_not_make_a_record_stale(root: Path) -> None:
    planted.edit(root / planted.SOURCE, "easily found.", "found easily.")
    assert proofs.stale(recipe.read(root / planted.SOURCE)) == []
    planted.edit(root / planted.SOURCE, "numbers = [3, 1, 2]", "numbers = [3, 2, 1]")
    assert len(proofs.stale(recipe.read(root / planted.SOURCE))) == 2


def test_the_record_of_a_run_names_its_key(root: Path) -> None:
    record = json.loads((root / planted.RECORD).read_text("utf-8"))
    assert record["key"] == execute.cache_key(recipe.read(root / planted.SOURCE), root)


def test_a_proof_outlives_an_edit_of_comments_and_nothing_else() -> None:
    def hashed(*sources: str) -> str:
        cells = tuple(recipe.Cell("code", source, 1, {}) for source in sources)
        return proofs.code_hash(recipe.Recipe(Path("recipes", "demo", "sums.py"), {}, {}, cells))

    plain = hashed("x = '# no comment'\ny = 1")
    assert plain == hashed("# why\nx = '# no comment'  # a string\ny = 1")
    for other in ("x = '# a comment'\ny = 1", "x = '# no comment'\ny = 2", "x = '# no comment'\n\n\ny = 1"):
        assert hashed(other) != plain
    assert hashed("broken = (") != hashed("broken = [")
