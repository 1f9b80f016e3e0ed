"""Single changes that one could make to a draft: what to try, not yet whether it helps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clout.serving.schemas import PostRequest

URL = re.compile(r"\s?https?://\S+")
HASHTAG = re.compile(r"[#＃](\w+)")
WORD = re.compile(r"(?<![\w#＃@/])\w{4,}")
QUESTION = re.compile(r"[?？]")
BETWEEN = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
ENDINGS = " \t\n.!。！…"


@dataclass(frozen=True)
class Idea:
    """Fields of a draft to change, the feature this is about, and what to do in words."""

    code: str
    sentence: str
    change: dict[str, Any]


def ideas(post: PostRequest) -> Iterator[Idea]:
    """The changes that there are for a draft, the hour apart; a text is shortened or turned, never made up."""
    yield from _media(post)
    text = post.text or ""
    if text.strip():
        yield from _links(post, text)
        yield from _hashtags(post, text)
        yield from _question(text)
        yield from _shorter(text)


def _media(post: PostRequest) -> Iterator[Idea]:
    if not post.n_media:
        yield Idea("media_count", "Add a picture or video.", {"n_media": 1})
    elif (post.text or "").strip():
        yield Idea("media_count", "Leave out pictures and videos.", {"n_media": 0})


def _links(post: PostRequest, text: str) -> Iterator[Idea]:
    without = URL.sub("", text).strip()
    if post.n_urls or without != text.strip():
        if without:
            yield Idea("urls_count", "Leave out the link.", {"text": without, "n_urls": 0})
    else:
        yield Idea("urls_count", "Add a link.", {"n_urls": 1})


def _hashtags(post: PostRequest, text: str) -> Iterator[Idea]:
    if HASHTAG.search(text):
        yield Idea("hashtags_count", "Write without hashtags.", {"text": HASHTAG.sub(r"\1", text), "n_hashtags": 0})
    elif not post.n_hashtags and (words := list(WORD.finditer(URL.sub(_blank, text)))):
        at = words[-1].start()
        yield Idea(
            "hashtags_count", "Make a word of it a hashtag.", {"text": f"{text[:at]}#{text[at:]}", "n_hashtags": 1}
        )


def _blank(found: re.Match[str]) -> str:
    """As many blanks as the match is long."""
    return " " * len(found.group())


def _question(text: str) -> Iterator[Idea]:
    if URL.search(text):
        return
    if QUESTION.search(text):
        yield Idea("questions_count", "Say it without asking.", {"text": QUESTION.sub(".", text)})
    else:
        yield Idea("questions_count", "Ask it as a question.", {"text": text.rstrip(ENDINGS) + "?"})


def _shorter(text: str) -> Iterator[Idea]:
    sentences = [part for part in BETWEEN.split(text.strip()) if part.strip()]
    for kept in sorted({1, (len(sentences) + 1) // 2}):
        if kept < len(sentences):
            said = "the first sentence" if kept == 1 else f"the first {kept} sentences"
            yield Idea("text_chars", f"Keep only {said}.", {"text": " ".join(sentences[:kept])})
