"""The stand-ins that `make bench SCALE=…` measures with are recipes like any other."""

import itertools
import json
import shutil
from pathlib import Path

import bench
import pytest
from conftest import ROOT

from cookbook import check, questions, recipe


def test_stand_ins_and_their_question_bank_keep_the_contract(tmp_path: Path, sources: list[recipe.Recipe]) -> None:
    places = [(f"chapter-{number % 2}", f"recipe-{number:04}") for number in range(1, 8)]
    (tmp_path / "recipes").mkdir()
    bank_path = tmp_path / "recipes" / "questions.yml"
    bank_path.write_text(json.dumps(bench.stand_in_bank(places), ensure_ascii=False), "utf-8")
    for name in ("constraints.txt", "requirements-data.txt"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    bank = questions.read(tmp_path)
    titles = set()
    for (chapter, slug), source in zip(places, itertools.cycle(sources), strict=False):
        path = tmp_path / "recipes" / chapter / f"{slug}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(bench.renamed(source.path.read_text("utf-8"), slug), "utf-8")
        made = recipe.read(path)
        assert check.problems(made, bank, tmp_path) == []
        assert [cell.source for cell in made.code_cells] == [cell.source for cell in source.code_cells]
        titles.add(made.header["title"]["zh"])
    assert len(titles) == len(places)


@pytest.mark.parametrize("value", ["x", "72,", "0", "72 300"])
def test_a_scale_that_is_no_list_of_numbers_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SCALE", value)
    with pytest.raises(SystemExit, match="write SCALE=72,300,1000"):
        bench.main()
