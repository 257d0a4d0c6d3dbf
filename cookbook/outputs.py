"""What a cell showed, as Markdown and image files."""

import base64
import hashlib
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cookbook import files
from cookbook.words import say

# numpy and Pillow are imported where a figure is at hand: a seventh of a second that most commands can do without.
if TYPE_CHECKING:
    from PIL import Image

PIXELS_PER_CSS_PIXEL = 1.6  # figures are drawn at 144 dots an inch
MAX_LOSSLESS_BYTES = 150_000  # plots take 10 to 90 kB
INK = (112, 120, 132)  # text and axes in kernel/matplotlibrc; no other thing has this colour
INK_ON = {"light": (36, 41, 47), "dark": (214, 222, 224)}


class Figure(NamedTuple):
    """An image file of a page, by its name beside the page."""

    name: str
    content: bytes


def merge_streams(outputs: list[Any]) -> list[Any]:
    """Outputs with consecutive prints joined into one."""
    merged: list[Any] = []
    for output in outputs:
        if output["output_type"] == "stream" and merged and merged[-1]["output_type"] == "stream":
            merged[-1] = merged[-1] | {"text": _text(merged[-1]["text"]) + _text(output["text"])}
        else:
            merged.append(dict(output))
    return merged


def render(
    outputs: list[Any], alt: str, lang: str, prefix: str, count: Iterator[int], images: Path
) -> tuple[str, list[Figure]]:
    """Markdown of one cell's outputs, and the figures that it refers to as `prefix-N-light.webp` and `-dark.webp`.

    `images` is the folder where encoded figures are kept between builds.
    """
    # Brackets, code and mathematics would end or change the description.
    alt = re.sub(r"[\[\]`$]", lambda match: f"&#{ord(match.group())};", alt)
    blocks, figures = [], []
    for output in merge_streams(outputs):
        number = next(count)
        data = output.get("data", {})
        if output["output_type"] == "stream":
            blocks.append(box(f"<pre>{html.escape(_text(output['text']).rstrip())}</pre>", "output", number, lang))
        elif "image/png" in data:
            png = base64.b64decode(data["image/png"])
            width, height = (round(side / PIXELS_PER_CSS_PIXEL) for side in png_size(png))
            drawn = [
                Figure(f"{prefix}-{number}-{scheme}.webp", content) for scheme, content in encode(png, images).items()
            ]
            figures += drawn
            size = f'width="{width}" height="{height}" loading=lazy .figure'
            blocks.append(
                "\n".join(
                    f"![{alt}]({figure.name}#only-{scheme}){{ {size} }}"
                    for figure, scheme in zip(drawn, INK_ON, strict=True)
                )
            )
        elif "text/html" in data:
            blocks.append(box(clean_table(_text(data["text/html"])), "table", number, lang))
        elif "text/latex" in data:
            blocks.append(f"$$\n{_text(data['text/latex']).strip().strip('$')}\n$$")
        elif "text/plain" in data:
            blocks.append(box(f"<pre>{html.escape(_text(data['text/plain']))}</pre>", "output", number, lang))
    return "\n\n".join(blocks), figures


def fenced(text: str, language: str) -> str:
    """A block of code in Markdown, with more backticks than any row of them inside."""
    marks = "`" * max(3, 1 + max(map(len, re.findall(r"`{3,}", text)), default=2))
    return f"{marks}{language}\n{text}\n{marks}"


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the file's header."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def encode(png: bytes, images: Path) -> dict[str, bytes]:
    """A figure as WebP for a light and for a dark page; encoded once, then taken from `images`."""
    from PIL import Image

    name = hashlib.sha256(png).hexdigest()[:16]
    encoded = {}
    for scheme, ink in INK_ON.items():
        path = images / f"{name}-{scheme}.webp"
        if not path.exists():
            with Image.open(io.BytesIO(png)) as image:
                files.write(path, webp(recoloured(image, ink)))
        encoded[scheme] = path.read_bytes()
    return encoded


def recoloured(image: "Image.Image", ink: tuple[int, int, int]) -> "Image.Image":
    """A figure with its text and axes in another colour, so that it reads on a light or on a dark page.

    The background is transparent, so a pixel of text or axis has exactly the ink's colour, whatever its opacity.
    """
    import numpy as np
    from PIL import Image

    pixels = np.array(image.convert("RGBA"))
    colour, alpha = pixels[..., :3].astype(int), pixels[..., 3].astype(int)
    rounding = 3 + 300 // np.maximum(alpha, 1)  # a faint pixel's colour is stored coarsely
    is_ink = (np.abs(colour - INK).max(axis=-1) <= rounding) & (alpha > 0)
    pixels[is_ink, :3] = ink
    return Image.fromarray(pixels)


def webp(image: "Image.Image") -> bytes:
    """A lossless WebP; of photographs, which take several times as much, a lossy one that looks the same."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, method=4)
    if buffer.tell() > MAX_LOSSLESS_BYTES:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=90, method=4)
    return buffer.getvalue()


def thumbnail(content: bytes, images: Path, width: int = 480) -> tuple[bytes, int, int]:
    """A smaller copy of a figure for a card, with its pixel size; made once, then taken from `images`."""
    from PIL import Image

    path = images / f"{hashlib.sha256(content).hexdigest()[:16]}-{width}.webp"
    if not path.exists():
        with Image.open(io.BytesIO(content)) as image:
            image.thumbnail((width, width))
            buffer = io.BytesIO()
            image.save(buffer, "WEBP", quality=80)
        files.write(path, buffer.getvalue())
    with Image.open(path) as small:
        return path.read_bytes(), *small.size


def clean_table(markup: str) -> str:
    """pandas' HTML without its inline style, with header cells that say what they head."""
    markup = re.sub(r"<style.*?</style>", "", markup, flags=re.DOTALL)
    markup = re.sub(r'<table (border="1" class="dataframe"|id="T_[^"]*")>', '<table class="frame">', markup)
    markup = re.sub(r'<(t[hd]) (?:id="T_[^"]*" )?(?:class="[^"]*" )?>', r"<\1>", markup)  # of a Styler
    markup = re.sub(r' style="[^"]*"', "", markup)
    head, _, body = markup.partition("</thead>")
    head = re.sub(r"<th>\s*</th>", "<td></td>", head).replace("<th>", '<th scope="col">')
    body = body.replace("<th>", '<th scope="row">')
    joined = head + "</thead>" + body if body else markup
    return re.sub(r"\n\s*", "\n", re.sub(r"</?div>", "", joined)).strip()


def box(content: str, kind: str, number: int, lang: str) -> str:
    """A box that scrolls by itself, with the keyboard too; kept out of the search index."""
    label = say("table" if kind == "table" else "output", lang, n=number)
    attributes = f'tabindex="0" role="region" aria-label="{label}" data-search-exclude'
    return f'<div class="nb-{kind}" {attributes}>{content}</div>'


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
