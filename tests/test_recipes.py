"""Contracts over every recipe of the collection: what holds for one must hold for all."""

import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from conftest import ROOT

from cookbook import check, execute, proofs, questions, recipe

SOURCES = sorted((ROOT / "recipes").glob("*/*.py"))


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def source(request: pytest.FixtureRequest) -> recipe.Recipe:
    return recipe.read(request.param)


def test_there_are_recipes() -> None:
    assert SOURCES


def test_the_source_keeps_the_contract(source: recipe.Recipe) -> None:
    assert check.problems(source, questions.read(ROOT), ROOT) == []


def test_jupytext_reads_the_same_cells(source: recipe.Recipe) -> None:
    cells = jupytext.reads(source.path.read_text("utf-8"), fmt="py:percent").cells
    assert [(cell.cell_type, cell.source) for cell in cells] == [(cell.kind, cell.source) for cell in source.cells]


def test_each_break_is_one_edit_of_the_code(source: recipe.Recipe) -> None:
    for edit in source.header["breaks"]:
        broken = proofs.replaced(source, edit["find"], edit["replace"])
        changed = [a.source != b.source for a, b in zip(source.cells, broken.cells, strict=True)]
        assert sum(changed) == 1, edit["name"]


def test_the_sections_stand_in_the_order_of_the_guide(source: recipe.Recipe) -> None:
    wanted = {
        "en": ("The question", "Short answer", "Checked claims", "At scale", "Exercises", "References"),
        "zh": ("问题", "简短回答", "已验证的结论", "走向大规模", "练习", "参考文献"),
    }
    for lang, names in wanted.items():
        cells = [cell.source for cell in source.cells if cell.lang == lang]
        found = [text for cell in cells for level, text in recipe.headings(cell) if level == 2 and text in names]
        assert found == list(names)


def test_nbmake_executed_it_and_its_record_is_whole(source: recipe.Recipe, executed: Path) -> None:
    notebook = nbformat.read(executed / f"{source.key}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code] == [cell.source for cell in source.code_cells]
    assert any(output.get("data", {}).get("image/png") for cell in code for output in cell.outputs)
    record = json.loads(execute.record_path(ROOT, source.key).read_text("utf-8"))
    assert record["recipe"] == source.key
    assert record["results"] and all(isinstance(value, int | float) for value in record["results"].values())
    assert record["checks"] >= 5
    assert record["seconds"] > 0
    assert record["cpu_seconds"] < source.header["seconds"] or record["seconds"] < source.header["seconds"]
    assert record["peak_memory"] < execute.MAX_MEMORY_BYTES
    trains_a_network = any(re.search(r"\bnn\.\w+\(", cell.source) for cell in code)
    assert record["parameters"] > 0 if trains_a_network else record["parameters"] >= 0
    assert {"date", "commit", "python", "versions", "processor"} <= record.keys()


# The order of these two matters: executing the breaks writes the records that the first one asks for.


def test_the_committed_proofs_are_those_of_the_code(source: recipe.Recipe) -> None:
    assert proofs.stale(source) == []


def test_the_breaks_of_changed_recipes_are_caught(sources: list[recipe.Recipe]) -> None:
    assert proofs.breaks(sources, ROOT) == []
