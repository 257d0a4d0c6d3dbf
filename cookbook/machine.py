"""The site for programs that read: Markdown of every page, llms.txt, structured data, feed, preview pictures."""

import hashlib
import html
import io
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree

from cookbook import files, gallery, outputs, questions, scripts
from cookbook.history import Change
from cookbook.notebooks import prose
from cookbook.recipe import Recipe
from cookbook.runs import Page, Run, rounded
from cookbook.site import Site
from cookbook.words import say

ATOM = "http://www.w3.org/2005/Atom"
PREVIEW = (1200, 630)  # pixels, the size that Open Graph readers show uncropped
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def extra_files(
    runs: list[Run], pages: list[Page], bank: questions.Bank, changes: dict[str, list[Change]], address: Site, lang: str
) -> dict[str, str | bytes]:
    """Files beside the pages of one language, by their path in it: Markdown, scripts, lists, feed, preview pictures."""
    by_key = {page.meta.get("recipe"): page for page in pages}
    made: dict[str, str | bytes] = {
        "llms.txt": llms_txt(runs, bank, address, lang),
        "feed.xml": feed(runs, changes, address, lang),
    }
    for run in runs:
        folder = f"recipes/{run.recipe.key}"
        light = [figure for figure in by_key[run.recipe.key].figures if figure.name.endswith("-light.webp")]
        drawn = [figure for figure in light if "/figure-" in figure.name]
        names = [figure.name.partition("/")[2] for figure in drawn]
        made[f"{folder}/index.md"] = recipe_markdown(run, names, address, lang)
        made[f"{folder}/{run.recipe.slug}.py"] = scripts.script(run, lang, address)
        for old in run.recipe.header.get("moved_from", []):
            made[f"recipes/{old}/index.html"] = redirect(run.recipe, address, lang)
        if lang == "en" and drawn:
            made[f"{folder}/preview.png"] = preview(drawn[0].content, run.images)
    return made


def recipe_markdown(run: Run, figures: list[str], address: Site, lang: str) -> str:
    """One recipe as Markdown without any markup of this site; `figures` are the names of its pictures in order."""
    recipe = run.recipe
    url = address.page(recipe.key, lang)
    parts: list[str] = []
    shown, drawn = iter(run.shown), iter(figures)
    for cell in recipe.cells:
        if cell.kind == "code":
            parts.append(outputs.fenced(cell.source, "python"))
            parts += _shown(next(shown), cell.metadata.get(f"alt_{lang}", ""), url, drawn)
        elif cell.lang == lang:
            parts.append(prose(cell, recipe, address))
    figures_of_run = "\n".join(f"- {name}: {rounded(value)}" for name, value in run.record["results"].items())
    stamp = say("stamp_plain", lang, date=run.record["date"], seconds=f"{run.record['seconds']:.0f}")
    parts[0] += f"\n\n<{url}>\n\n{stamp}"
    parts.append(f"## {say('results', lang)}\n\n{figures_of_run}")
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def page_markdown(content: str, url: str) -> str:
    """A page that is no recipe as Markdown, from the HTML of its text: without filters and empty pictures."""
    # Here, since only a build of the pages wants them.
    from bs4 import BeautifulSoup
    from markdownify import markdownify

    soup = BeautifulSoup(content, "html.parser")
    for element in soup.select('.headerlink, form, script, img[alt=""]'):
        element.decompose()
    for element in soup.select("small, summary"):  # they stand on a line of their own, or beside what they explain
        element.replace_with(f" ({element.get_text(' ', strip=True)})")
    for name in ("href", "src"):
        for element in soup.select(f"[{name}]"):
            element[name] = urljoin(url, str(element[name]))
    text = markdownify(str(soup), heading_style="ATX", bullets="-", code_language="python").replace("\u2060", " ")
    first, _, rest = re.sub(r"\n{3,}", "\n\n", text).strip().partition("\n")
    return f"{first}\n\n<{url}>\n{rest}\n"


def _shown(shown: list[Any], alt: str, url: str, drawn: Any) -> list[str]:
    """What a cell showed: text as it stands, tables as text, pictures by address."""
    blocks = []
    for output in outputs.merge_streams(shown):
        data = output.get("data", {})
        if "image/png" in data:
            blocks.append(f"![{alt}]({url}{next(drawn)})")
        elif output["output_type"] == "stream":
            blocks.append(outputs.fenced("".join(output["text"]).rstrip(), "text"))
        elif "text/plain" in data:
            blocks.append(outputs.fenced("".join(data["text/plain"]), "text"))
    return blocks


def llms_txt(runs: list[Run], bank: questions.Bank, address: Site, lang: str) -> str:
    """The list of pages in the form of https://llmstxt.org: a title, a summary, links with a sentence each."""
    base = address.url + ("" if lang == "en" else f"{lang}/")
    lines = [f"# {say('site', lang)}", "", f"> {say('site_description', lang)}", ""]
    for chapter, chosen in gallery.in_chapters(runs, bank).items():
        lines += [f"## {bank.chapters[chapter]['title'][lang]}", ""]
        for run in chosen:
            title, about = (run.recipe.header[name][lang] for name in ("title", "description"))
            lines.append(f"- [{title}]({base}recipes/{run.recipe.key}/index.md): {about}")
        lines.append("")
    others = {"short_answers": "answers/index.md", "questions": "questions/index.md", "results": "results/index.md"}
    lines += [f"## {say('other_pages', lang)}", ""]
    lines += [f"- [{say(name, lang)}]({base}{path})" for name, path in others.items()]
    return "\n".join(lines) + "\n"


def structured_data(run: Run, changes: list[Change], picture: str, address: Site, lang: str) -> str:
    """A recipe in the terms of schema.org, as JSON-LD safe inside a <script>; `picture` is an address or ""."""
    recipe, record = run.recipe, run.record
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": ["TechArticle", "LearningResource"],
        "headline": recipe.header["title"][lang],
        "description": recipe.header["description"][lang],
        "url": address.page(recipe.key, lang),
        "inLanguage": "zh-CN" if lang == "zh" else "en",
        "learningResourceType": say("recipe", lang),
        "educationalLevel": say(f"level.{recipe.header['level']}", lang),
        "keywords": ", ".join(say(f"tag_name.{tag}", lang) for tag in recipe.header["tags"]),
        "timeRequired": f"PT{round(record['seconds'])}S",
        "isAccessibleForFree": True,
        "license": LICENCE,
        "author": {"@type": "Organization", "name": say("site", "en"), "url": address.url},
    }
    if picture:
        data["image"] = picture
    if changes:
        data |= {"datePublished": changes[-1].time, "dateModified": changes[0].time}
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


def preview_url(recipe: Recipe, address: Site) -> str:
    """Where a recipe's preview picture is; both languages share it."""
    return f"{address.url}recipes/{recipe.key}/preview.png"


def preview(figure: bytes, images: Path) -> bytes:
    """A figure for a light page on white, as the PNG that a link's preview shows; kept in `images` between builds."""
    from PIL import Image

    path = images / f"{hashlib.sha256(figure).hexdigest()[:16]}-preview.png"
    if path.exists():
        return path.read_bytes()
    with Image.open(io.BytesIO(figure)) as image:
        drawn = image.convert("RGBA")
    width, height = PREVIEW
    scale = min((width - 80) / drawn.width, (height - 80) / drawn.height)
    drawn = drawn.resize((round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", PREVIEW, "white")
    canvas.alpha_composite(drawn, ((width - drawn.width) // 2, (height - drawn.height) // 2))
    buffer = io.BytesIO()
    canvas.convert("RGB").quantize(128).save(buffer, "PNG", optimize=True)
    files.write(path, buffer.getvalue())
    return buffer.getvalue()


def redirect(recipe: Recipe, address: Site, lang: str) -> str:
    """The page at an address that a recipe had before: it leads on at once, and by hand where that is forbidden."""
    title = html.escape(recipe.header["title"][lang])
    target = f"../../../recipes/{recipe.key}/"
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="description" content="{html.escape(recipe.header["description"][lang])}">\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n<meta name="robots" content="noindex">\n'
        f'<link rel="canonical" href="{address.page(recipe.key, lang)}">\n</head>\n'
        f"<body>\n<main>\n<h1>{title}</h1>\n"
        f'<p><a href="{target}">{say("moved", lang)}</a></p>\n</main>\n</body>\n</html>\n'
    )


def feed(runs: list[Run], changes: dict[str, list[Change]], address: Site, lang: str) -> str:
    """Recipes as an Atom feed (RFC 4287), the one that changed last first; those without a history are left out."""
    base = address.url + ("" if lang == "en" else f"{lang}/")
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": lang})

    def add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        element.text = text or None
        return element

    dated = [run for run in runs if changes.get(run.recipe.key)]
    dated.sort(key=lambda run: datetime.fromisoformat(changes[run.recipe.key][0].time), reverse=True)
    add(root, "title", say("site", lang))
    add(root, "subtitle", say("site_description", lang))
    add(root, "id", base)
    add(root, "link", rel="self", href=f"{base}feed.xml")
    add(root, "link", rel="alternate", type="text/html", href=base)
    add(root, "updated", changes[dated[0].recipe.key][0].time if dated else "1970-01-01T00:00:00+00:00")
    add(add(root, "author"), "name", say("site", lang))
    for run in dated:
        key, history = run.recipe.key, changes[run.recipe.key]
        entry = add(root, "entry")
        add(entry, "title", run.recipe.header["title"][lang])
        add(entry, "id", address.page(key, lang))
        add(entry, "link", rel="alternate", type="text/html", href=address.page(key, lang))
        add(entry, "published", history[-1].time)
        add(entry, "updated", history[0].time)
        add(entry, "summary", run.recipe.header["description"][lang])
        for tag in run.recipe.header["tags"]:
            add(entry, "category", term=tag, label=say(f"tag_name.{tag}", lang))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
