"""The model card as an answer: HTML for people, Markdown for those who ask for it."""

from __future__ import annotations

import base64
import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response

from clout.models.score_model import ScoreModel
from clout.serving.fresh import tags

HTML, MARKDOWN = "text/html", "text/markdown"
FILES = {HTML: "card.html", MARKDOWN: "card.md"}
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def answer(model: ScoreModel, request: Request) -> Response:
    """The card of the model in the form asked for, or 304 where the client has it already."""
    offered = [media for media, file in FILES.items() if file in model.bundle.files]
    media = preferred(request.headers.get("accept", ""), offered)
    tag = f'"{model.version}-{media.removeprefix("text/")}"'
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if tags(request.headers.get("if-none-match", "")) & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    text = model.bundle.text(FILES[media])
    if media == HTML:
        headers["Content-Security-Policy"] = policy(text)
    return Response(text, headers=headers, media_type=media)


def preferred(accept: str, offered: list[str]) -> str:
    """The media type of `offered` that an Accept header likes best; the first where it likes none better.

    >>> preferred("text/markdown, text/html;q=0.5", ["text/html", "text/markdown"])
    'text/markdown'
    >>> preferred("*/*", ["text/html", "text/markdown"])
    'text/html'
    """
    return max(offered, key=lambda media: _quality(accept, media))


def _quality(accept: str, media: str) -> float:
    """How much an Accept header likes a media type: that of its most specific range, 0 where none fits."""
    ranges = {name.strip().lower(): parameters for name, _, parameters in map(_split, accept.split(","))}
    for name in (media, f"{media.split('/', maxsplit=1)[0]}/*", "*/*"):
        if name in ranges:
            said = re.search(r"(?:^|;)\s*q\s*=\s*([0-9.]+)", ranges[name])
            return float(said[1]) if said and re.fullmatch(r"[01](\.\d{0,3})?", said[1]) else 1.0
    return 0.0


def _split(part: str) -> tuple[str, str, str]:
    return part.partition(";")


def policy(html: str) -> str:
    """The Content-Security-Policy of a page that may have the styles that are in it, and nothing else."""
    styles = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in STYLE.findall(html)]
    allowed = " ".join(f"'sha256-{style}'" for style in styles) or "'none'"
    return (
        f"default-src 'none'; style-src {allowed}; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
