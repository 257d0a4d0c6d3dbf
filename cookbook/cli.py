"""The command `cookbook`: new, check, sync, run, merge, breaks, seeds, pages, pack, preview."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from cookbook import (
    check,
    execute,
    health,
    notebooks,
    pack,
    pages,
    preview,
    proofs,
    questions,
    recipe,
    shards,
    site,
    skeleton,
    standalone,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand; 0 when all is well, 1 with one sentence a problem on standard error."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as with Ctrl-C, and leave no child behind
    try:
        root = _root()
        problems = COMMANDS[options.command](options, root)
    except recipe.RecipeError as error:
        problems = list(map(str, error.problems))
    except (questions.BankError, ValueError, OSError) as error:
        problems = [str(error)]
    except KeyboardInterrupt:
        print("interrupted; nothing half-written was left, run it again", file=sys.stderr)
        return 130
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cookbook", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    new = commands.add_parser("new", help="start a recipe from a skeleton")
    new.add_argument("key", metavar="CHAPTER/SLUG")

    for name, text in (
        ("check", "validate sources without executing them"),
        ("run", "execute what changed"),
        ("breaks", "execute edits that disable a method: a check must notice each"),
        ("seeds", "execute with other seeds: every check must hold on each"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("slugs", nargs="*", metavar="SLUG", help="all recipes when none is named")
        if name == "run":
            command.add_argument("--no-cache", action="store_true", help="execute even what did not change")
            command.add_argument("-n", type=_count, default=2, metavar="N", help="recipes at a time (default: 2)")
            command.add_argument("--shard", type=_shard, metavar="I/N", help="part I of N of equal seconds")
            command.add_argument("--standalone", action="store_true", help="the notebooks themselves, as Colab does")
        if name in ("breaks", "seeds"):
            command.add_argument("--force", action="store_true", help="even where the record is up to date")
        if name == "seeds":
            command.add_argument("-n", type=_count, default=10, metavar="N", help="how many seeds (default: 10)")

    merge = commands.add_parser("merge", help="put together what the shards of one run executed")
    merge.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="the build folder of a shard")

    sync = commands.add_parser("sync", help="write notebooks/")
    sync.add_argument("--check", action="store_true", help="write nothing; fail where notebooks/ is out of date")

    commands.add_parser("pack", help="zip the built site so that it works without a server, and the notebooks")

    change = commands.add_parser("preview", help="show what a change does to the site")
    change.add_argument("before", type=Path, help="the site built without the change")
    change.add_argument("after", type=Path, help="the site built with it")
    change.add_argument("target", type=Path, help="the folder to write the page to")

    pages = commands.add_parser("pages", help="write the site's pages as plain Markdown")
    pages.add_argument("--markdown", required=True, type=Path, metavar="DIR")
    return parser


def _count(text: str) -> int:
    """A whole number of at least 1; argparse turns the ValueError into a message."""
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    """`1/2` as numbers; argparse turns the ValueError into a message."""
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError(text)
    return number, count


def _root() -> Path:
    """The repository: the nearest folder upwards that holds mkdocs.yml and recipes/, relative to here."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "mkdocs.yml").exists() and (folder / "recipes").is_dir():
            return Path(os.path.relpath(folder, here))
    raise ValueError(f"{here}: not inside the repository; change to the folder that holds mkdocs.yml")


def _valid(root: Path, slugs: list[str] | None = None) -> tuple[list[recipe.Recipe], questions.Bank]:
    """The named recipes, or all.

    Raises:
        RecipeError: every broken rule of every one of them.
    """
    bank = questions.read(root)
    recipes: list[recipe.Recipe] = []
    problems: list[recipe.Problem] = []
    for path in recipe.find_sources(root, slugs):
        try:
            source = recipe.read(path)
        except recipe.RecipeError as error:
            problems += error.problems
            continue
        problems += check.problems(source, bank, root)
        recipes.append(source)
    problems += check.old_addresses_claimed_twice(recipes)
    if problems:
        raise recipe.RecipeError(*problems)
    return recipes, bank


def _new(options: argparse.Namespace, root: Path) -> list[str]:
    print(skeleton.new(root, options.key, questions.read(root)))
    return []


def _check(options: argparse.Namespace, root: Path) -> list[str]:
    recipes, bank = _valid(root, options.slugs)
    stale = [problem for source in recipes for problem in proofs.stale(source)]
    if not stale:
        print(f"{len(recipes)} recipes and {len(bank.questions)} questions keep the contract")
    return list(map(str, stale))


def _sync(options: argparse.Namespace, root: Path) -> list[str]:
    recipes, _ = _valid(root)
    changed = notebooks.sync(recipes, root, site.read(root), check=options.check)
    if options.check:
        return [f"{path}:1: differs from its source; run `cookbook sync` and commit" for path in changed]
    print(f"{2 * len(recipes)} notebooks, {len(changed)} changed")
    return []


def _run(options: argparse.Namespace, root: Path) -> list[str]:
    recipes, _ = _valid(root, options.slugs)
    if not options.slugs and not options.standalone:
        execute.remove_stale(root, {source.key for source in recipes})
    environment = "colab" if options.standalone else health.environment()
    skipped = [source for source in recipes if health.skipped(source, environment)]
    recipes = [source for source in recipes if source not in skipped]
    if options.shard:
        number, count = options.shard
        recipes = shards.split(recipes, count)[number - 1]
    if options.standalone:
        problems = standalone.run(recipes, root, site.read(root), say=print)
    else:
        if options.shard:
            shards.note(root, number, count, recipes)
        recipes = sorted(recipes, key=proofs.cpu_seconds, reverse=True)  # the longest first: workers end together
        problems = execute.run(recipes, root, workers=options.n, use_cache=not options.no_cache, say=print)
        _remember(recipes, problems, root)
    for source in skipped:
        print(f"{source.key}: skipped, {source.header['skip']['reason']}")
    print(f"{len(recipes) - len(problems)} of {len(recipes)} recipes have passed")
    return list(map(str, problems))


def _remember(recipes: list[recipe.Recipe], problems: list[recipe.Problem], root: Path) -> None:
    """Say which figures are far from the recorded ones; note what passed in another environment than the locked one."""
    failed = {problem.path for problem in problems}
    for source in recipes:
        if source.path not in failed:
            record = json.loads(execute.record_path(root, source.key).read_text("utf-8"))
            for problem in proofs.unusual(source, record["results"]):
                print(problem)
    environment = health.environment()
    if environment not in (None, "locked"):
        health.note(root, environment, recipes, problems)


def _merge(options: argparse.Namespace, root: Path) -> list[str]:
    recipes, _ = _valid(root)
    recipes = [source for source in recipes if not health.skipped(source, health.environment())]
    problems = shards.merge(options.folders, root, recipes)
    if not problems:
        print(f"{len(options.folders)} shards make {len(recipes)} recipes")
    return list(map(str, problems))


def _breaks(options: argparse.Namespace, root: Path) -> list[str]:
    recipes, _ = _valid(root, options.slugs)
    return list(map(str, proofs.breaks(recipes, root, force=options.force)))


def _seeds(options: argparse.Namespace, root: Path) -> list[str]:
    recipes, _ = _valid(root, options.slugs)
    return list(map(str, proofs.seeds(recipes, root, count=options.n, force=options.force)))


def _pages(options: argparse.Namespace, root: Path) -> list[str]:
    recipes, bank = _valid(root)
    for path in pages.write_markdown(recipes, bank, root, options.markdown):
        print(path)
    return []


def _pack(options: argparse.Namespace, root: Path) -> list[str]:
    try:
        made = pack.pack(root / "site")
    except FileNotFoundError as error:
        return [str(error)]
    for path in made:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return []


def _preview(options: argparse.Namespace, root: Path) -> list[str]:
    try:
        pages = preview.preview(options.before, options.after, options.target)
    except FileNotFoundError as error:
        return [str(error)]
    print(", ".join(f"{len(names)} {kind}" for kind, names in pages.items()))
    return []


COMMANDS = {
    "new": _new,
    "check": _check,
    "sync": _sync,
    "run": _run,
    "merge": _merge,
    "breaks": _breaks,
    "seeds": _seeds,
    "pages": _pages,
    "pack": _pack,
    "preview": _preview,
}

if __name__ == "__main__":
    sys.exit(main())
