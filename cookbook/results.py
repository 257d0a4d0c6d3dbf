"""The pages "Results" and "Health": what every recipe measured, and where it has passed."""

import csv
import html
import io
import json
from importlib import resources
from typing import Any

from cookbook import health, outputs, proofs, questions, site
from cookbook.outputs import Figure
from cookbook.runs import Page, Run, rounded
from cookbook.words import say


def results_page(runs: list[Run], bank: questions.Bank, address: site.Site, lang: str) -> Page:
    """One row a recipe, and the same as JSON and CSV beside the page."""
    names = ("recipe", "headline", "baseline", "over_seeds_any", "seconds_column", "memory_column", "checks", "breaks")
    # Figures of different recipes have different units, so there is no order among them.
    own_unit = ("headline", "baseline", "over_seeds_any")
    labels = [say(name, lang) if name in own_unit else f"<button>{say(name, lang)}</button>" for name in names]
    head = "".join(f'<th scope="col">{label}</th>' for label in labels)
    rows = "\n".join(_row(run, lang) for run in runs)
    table = f'<table class="frame sortable">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>'
    parts = [
        f"# {say('results', lang)}",
        say("results_lead", lang),
        outputs.box(table, "table", 1, lang),
        say("results_files", lang),
    ]
    data = as_json(runs, bank, address)
    beside = [
        Figure("results.json", (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()),
        Figure("results.csv", as_csv(data).encode()),
        Figure("results.schema.json", (resources.files("cookbook") / "results.schema.json").read_bytes()),
    ]
    meta = {"title": say("results", lang), "description": say("results_description", lang), "hide": ["toc"]}
    return Page("results/index.md", "\n\n".join(parts) + "\n", meta, beside)


def chapter_table(runs: list[Run], lang: str) -> str:
    """What the recipes of one chapter need and reach, for a page of that chapter."""
    names = ("recipe", "parameters_column", "seconds_column", "memory_column", "headline", "baseline")
    head = "".join(f'<th scope="col">{say(name, lang)}</th>' for name in names)
    rows = []
    for run in runs:
        recipe, record = run.recipe, run.record
        title = f'<a href="../{recipe.slug}/">{html.escape(recipe.header["title"][lang])}</a>'
        network = f"{record['parameters']:,}" if record["parameters"] else "–"
        needs = (network, f"{record['seconds']:.0f}", f"{record['peak_memory'] / 1e6:,.0f}")
        reached = (recipe.header["headline"][part] for part in ("figure", "baseline"))
        cells = [*needs, *(_named(name, record["results"][name]) for name in reached)]
        rows.append(f'<tr><th scope="row">{title}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    body = "\n".join(rows)
    table = f'<table class="frame">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'
    return outputs.box(table, "table", 0, lang)


def _row(run: Run, lang: str) -> str:
    recipe, record = run.recipe, run.record
    headline = recipe.header["headline"]
    figure, baseline = headline["figure"], headline["baseline"]
    spread = proofs.spread(recipe).get(figure)
    caught, breaks = proofs.caught(recipe)
    lower = f"<br><small>{say('lower', lang)}</small>" if headline.get("better") == "lower" else ""
    over_seeds = ""
    if spread is not None:
        low, mean, high = map(rounded, spread)
        over_seeds = f"{low} – {high}<br><small>{say('mean', lang)} {mean}</small>"
    cells = [
        (None, _named(figure, record["results"][figure]) + lower),
        (None, _named(baseline, record["results"][baseline])),
        (None, over_seeds),
        (record["seconds"], f"{record['seconds']:.0f}"),
        (record["peak_memory"], f"{record['peak_memory'] / 1e6:,.0f}"),
        (record["checks"], f"{record['checks']} / {record['checks']}"),
        (caught, f"{caught} / {breaks}"),
    ]
    title = html.escape(recipe.header["title"][lang])
    first = f'<th scope="row"><a href="../recipes/{recipe.key}/">{title}</a></th>'
    rest = "".join(
        f"<td>{text}</td>" if value is None else f'<td data-sort="{value}">{text}</td>' for value, text in cells
    )
    return f"<tr>{first}{rest}</tr>"


def _named(name: str, value: Any) -> str:
    return f"<strong>{rounded(value)}</strong><br><small>{html.escape(name)}</small>"


def as_json(runs: list[Run], bank: questions.Bank, address: site.Site) -> dict[str, Any]:
    """All results, as results.schema.json describes them."""
    return {"recipes": [_entry(run, bank, address) for run in runs]}


def _entry(run: Run, bank: questions.Bank, address: site.Site) -> dict[str, Any]:
    recipe, record = run.recipe, run.record
    headline = recipe.header["headline"]
    spread, num_seeds = proofs.spread(recipe), proofs.num_seeds(recipe)
    roles = {headline["figure"]: "headline", headline["baseline"]: "baseline"}
    figures = []
    for name, value in record["results"].items():
        figure = {"name": name, "role": roles.get(name, "other"), "value": value}
        if name in spread:
            low, mean, high = spread[name]
            figure["seeds"] = {"count": num_seeds, "min": low, "mean": float(f"{mean:.5g}"), "max": high}
        figures.append(figure)
    caught, breaks = proofs.caught(recipe)
    return {
        "recipe": recipe.key,
        "title": recipe.header["title"],
        "page": {lang: address.page(recipe.key, lang) for lang in recipe.header["title"]},
        "questions": bank.topics[recipe.slug]["answers"],
        "better": headline.get("better", "higher"),
        "figures": figures,
        "checks": record["checks"],
        "breaks": {"caught": caught, "count": breaks},
        **{name: record[name] for name in MEASURED},
    }


MEASURED = ("seconds", "cpu_seconds", "peak_memory", "parameters", "date", "commit", "python", "versions", "processor")


def as_csv(data: dict[str, Any]) -> str:
    """The same, one line a figure."""
    columns = ["recipe", "figure", "role", "value", "seeds", "min", "mean", "max"]
    columns += ["checks", "breaks_caught", "breaks", "seconds", "peak_memory", "date", "commit"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for entry in data["recipes"]:
        whole = [entry["checks"], entry["breaks"]["caught"], entry["breaks"]["count"]]
        whole += [entry[name] for name in ("seconds", "peak_memory", "date", "commit")]
        for figure in entry["figures"]:
            seeds = [figure.get("seeds", {}).get(name, "") for name in ("count", "min", "mean", "max")]
            writer.writerow([entry["recipe"], figure["name"], figure["role"], figure["value"], *seeds, *whole])
    return text.getvalue()


def facts(runs: list[Run], lang: str) -> str:
    """What was executed and checked in all, in one box; nothing without a recipe."""
    if not runs:
        return ""
    found = [proofs.caught(run.recipe) for run in runs]
    text = say(
        "home_facts", lang, n=len(runs), date=max(run.record["date"] for run in runs),
        checks=sum(run.record["checks"] for run in runs),
        caught=sum(caught for caught, _ in found), breaks=sum(count for _, count in found),
    )  # fmt: skip
    return f'<div class="stamp" markdown data-search-exclude>\n{text}\n</div>'


def health_page(runs: list[Run], recorded: dict[str, dict[str, Any]], here: str | None, lang: str) -> Page:
    """One row a recipe, one column an environment; this build's own environment from the runs of this build.

    Args:
        runs: what this build shows.
        recorded: environment -> recipe -> entry of its health record.
        here: the environment of this build.
        lang: "en" or "zh".
    """
    entries = {name: dict(recorded.get(name, {})) for name in health.ENVIRONMENTS}
    if here is not None:
        entries[here] = {
            run.recipe.key: {"passed": True, "code": proofs.code_hash(run.recipe)}
            | {part: run.record[part] for part in ("date", "seconds", "python", "versions")}
            for run in runs
        }
    head = "".join(f'<th scope="col">{say(f"environment.{name}", lang)}</th>' for name in entries)
    rows = []
    for run in runs:
        title = html.escape(run.recipe.header["title"][lang])
        cells = "".join(f"<td>{_state(run, name, entries[name], lang)}</td>" for name in entries)
        rows.append(f'<tr><th scope="row"><a href="../../recipes/{run.recipe.key}/">{title}</a></th>{cells}</tr>')
    joined = "\n".join(rows)
    table = (
        f'<table class="frame health">\n<thead><tr><th scope="col">{say("recipe", lang)}</th>{head}</tr></thead>\n'
        f"<tbody>\n{joined}\n</tbody>\n</table>"
    )
    about = "\n".join(
        f"- **{say(f'environment.{name}', lang)}**{say('colon', lang)}{say(f'environment_about.{name}', lang)}"
        f"{_installed(entries[name], lang)}"
        for name in entries
    )
    parts = [f"# {say('health', lang)}", say("health_lead", lang), outputs.box(table, "table", 1, lang)]
    parts += [f"## {say('environments', lang)}", about]
    meta = {"title": say("health", lang), "description": say("health_description", lang), "hide": ["toc"]}
    return Page("results/health.md", "\n\n".join(parts) + "\n", meta)


def _state(run: Run, name: str, entries: dict[str, Any], lang: str) -> str:
    """How a recipe ended in an environment, in words and not only in colour."""
    skip, entry = run.recipe.header.get("skip", {}), entries.get(run.recipe.key)
    if health.skipped(run.recipe, name):
        why = say("skipped_why", lang, reason=skip["reason"], owner=skip["owner"], until=skip["until"])
        return f"{say('skipped', lang)}<br><small>{html.escape(why)}</small>"
    if entry is None:
        return f'<span class="open">{say("not_run", lang)}</span>'
    if entry["code"] != proofs.code_hash(run.recipe):
        return f'<span class="open">{say("not_run", lang)}<br><small>{say("code_changed", lang)}</small></span>'
    if not entry["passed"]:
        reason = html.escape(entry["reason"])
        return f'<strong class="failed">✗ {say("failed", lang)}</strong><br><small>{entry["date"]} {reason}</small>'
    facts = say("seconds", lang, n=f"{entry['seconds']:.0f}")
    return f'<span class="passed">✓ {say("passed", lang)}</span><br><small>{entry["date"]} · {facts}</small>'


def _installed(entries: dict[str, Any], lang: str) -> str:
    """Python and package versions that the recipes met there, latest first where they differ."""
    met = [entry for entry in entries.values() if entry["passed"]]
    if not met:
        return ""
    versions: dict[str, str] = {}
    for entry in sorted(met, key=lambda entry: str(entry["date"])):
        versions |= entry["versions"]
    python = max(met, key=lambda entry: str(entry["date"]))["python"]
    listed = ", ".join(f"{name} {version.partition('+')[0]}" for name, version in sorted(versions.items()))
    return f"<br><small>Python {python}{say('semicolon', lang)}{html.escape(listed)}</small>"
