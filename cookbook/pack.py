"""`cookbook pack`: the built site as a zip that works from a file system, and the notebooks of each language as one."""

import io
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urljoin

from cookbook import files
from cookbook.recipe import LANGUAGES

FOLDER = "downloads"
NAME = "recipes-that-run"
LEFT_OUT = (".map", ".gz", ".xml", ".zip")
ADDRESS = re.compile(r'(?P<before> (?:href|src)=")(?P<path>[^"#?]*)(?P<rest>[#?][^"]*)?"')
ICON = re.compile(r'<svg viewBox="0 0 24 24"><use href="[^"]*assets/icons\.svg#(i\d+)"/></svg>')
SYMBOL = re.compile(r'<symbol id="(i\d+)" viewBox="0 0 24 24">(.*?)</symbol>')
HEAD_SCRIPT = re.compile(r'<script src="([^"]*)assets/head\.js"></script>')
CANONICAL = re.compile(r'<link rel="?canonical"? href="?([^" >]+)')
REFRESH = re.compile(r'(content="0; url=)([^"]*)"')
EARLY = (1980, 1, 1, 0, 0, 0)  # the same bytes from the same site


def pack(site: Path) -> list[Path]:
    """Write the zips below `site`/downloads; their paths.

    Raises:
        FileNotFoundError: a language was not built.
    """
    for name in ("index.html", "zh/index.html"):
        if not (site / name).is_file():
            raise FileNotFoundError(f"{site / name}:1: is not there; run `make site`, which builds both languages")
    folder = site / FOLDER
    made = []
    for lang in LANGUAGES:
        base = site if lang == "en" else site / lang
        notebooks = {path.relative_to(base).as_posix(): path for path in sorted(base.glob("recipes/*/*/*.ipynb"))}
        # One folder a chapter: a notebook's own folder on the site holds nothing else that it needs.
        renamed = {re.sub(r"^recipes/([^/]+)/[^/]+/", r"\1/", name): path for name, path in notebooks.items()}
        made.append(_write(folder / f"{NAME}-notebooks-{lang}.zip", {n: p.read_bytes() for n, p in renamed.items()}))
    made.append(_write(folder / f"{NAME}-site.zip", offline(site)))
    return made


def offline(site: Path) -> dict[str, bytes]:
    """Every file of the site by its path, changed so that a browser can open it from a file system.

    There a folder does not stand for its index.html, a page may not fetch, and an icon may not come from another file.
    """
    contents: dict[str, bytes] = {}
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if not path.is_file() or path.suffix in LEFT_OUT or path.name == "404.html":
            continue
        contents[name] = path.read_bytes()
        if path.suffix == ".html":
            base = site / "zh" if name.startswith("zh/") else site
            symbols = dict(SYMBOL.findall((base / "assets" / "icons.svg").read_text("utf-8")))
            contents[name] = _page(path.read_text("utf-8"), symbols).encode()
        elif path.name == "search_index.json":
            contents[name.removesuffix("on")] = f"var __index = {_index(path.read_text('utf-8'))}".encode()
            del contents[name]
    return contents


def _page(page: str, symbols: dict[str, str]) -> str:
    def drawn(match: re.Match[str]) -> str:
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{symbols[match.group(1)]}</svg>'

    canonical = CANONICAL.search(page)

    def named(match: re.Match[str]) -> str:
        path = match["path"]
        if path.endswith(LEFT_OUT) and canonical:  # such a file is on the web only
            return f'{match["before"]}{urljoin(canonical.group(1), path)}{match["rest"] or ""}"'
        return f'{match["before"]}{file_of(path)}{match["rest"] or ""}"'

    page = ADDRESS.sub(named, ICON.sub(drawn, page))
    page = REFRESH.sub(lambda match: f'{match[1]}{file_of(match[2])}"', page)
    shim = r'<script src="\1assets/offline/iframe-worker.js"></script>\g<0>'
    return HEAD_SCRIPT.sub(shim, page)


def file_of(path: str) -> str:
    """A relative address with `index.html` where it names a folder; others as they are."""
    if not path or path.startswith("/") or re.match(r"[a-z][a-z0-9+.-]*:", path):
        return path
    last = path.rpartition("/")[2]
    if last in ("", ".", ".."):
        return f"{path.rstrip('/')}/index.html"
    return path


def _index(text: str) -> str:
    """The search index with files for folders."""
    index = json.loads(text)
    for document in index["docs"]:
        path, mark, anchor = document["location"].partition("#")
        document["location"] = f"{file_of(path or './').removeprefix('./')}{mark}{anchor}"
    return json.dumps(index, ensure_ascii=False)


def _write(path: Path, contents: dict[str, bytes]) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(f"{path.stem}/{name}", EARLY)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    files.write(path, buffer.getvalue())
    return path
