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
ADD_MEDIA = "Add a picture or video."
NO_MEDIA = "Leave out pictures and videos."
ADD_LINK = "Add a link."
NO_LINK = "Leave out the link."
ADD_HASHTAG = "Make a word of it a hashtag."
NO_HASHTAG = "Write without hashtags."
ADD_QUESTION = "Ask it as a question."
NO_QUESTION = "Say it without asking."
KEEP_ONE = "Keep only the first sentence."
KEEP_SOME = "Keep only the first {n} sentences."


@dataclass(frozen=True)
class Idea:
    """Fields of a draft to change, the feature this is about, and what to do in words."""

    code: str
    sentence: str
    change: dict[str, Any]


def ideas(post: PostRequest) -> Iterator[Idea]:
    """The changes that there are for a draft, the hour apart; a text is shortened or turned, never made up.

    Of several that lead to the same text the first: it says most plainly what is done.
    """
    yield from _media(post)
    if (post.text or "").strip():
        every = list(_of_text(post, post.text or ""))
        texts = [idea.change.get("text") for idea in every]
        yield from (idea for at, idea in enumerate(every) if texts[at] is None or texts[at] not in texts[:at])


def _of_text(post: PostRequest, text: str) -> Iterator[Idea]:
    yield from _links(post, text)
    yield from _hashtags(post, text)
    yield from _question(text)
    yield from _shorter(text)


def _media(post: PostRequest) -> Iterator[Idea]:
    if not post.n_media:
        yield Idea("media_count", ADD_MEDIA, {"n_media": 1})
    elif (post.text or "").strip():
        yield Idea("media_count", NO_MEDIA, {"n_media": 0})


def _links(post: PostRequest, text: str) -> Iterator[Idea]:
    without = URL.sub("", text).strip()
    if post.n_urls or without != text.strip():
        if without:
            yield Idea("urls_count", NO_LINK, {"text": without, "n_urls": 0})
    else:
        yield Idea("urls_count", ADD_LINK, {"n_urls": 1})


def _hashtags(post: PostRequest, text: str) -> Iterator[Idea]:
    if HASHTAG.search(text):
        yield Idea("hashtags_count", NO_HASHTAG, {"text": HASHTAG.sub(r"\1", text), "n_hashtags": 0})
    elif not post.n_hashtags and (words := list(WORD.finditer(URL.sub(_blank, text)))):
        at = words[-1].start()
        yield Idea("hashtags_count", ADD_HASHTAG, {"text": f"{text[:at]}#{text[at:]}", "n_hashtags": 1})


def _blank(found: re.Match[str]) -> str:
    """As many blanks as the match is long."""
    return " " * len(found.group())


def _question(text: str) -> Iterator[Idea]:
    if URL.search(text):
        return
    if QUESTION.search(text):
        yield Idea("questions_count", NO_QUESTION, {"text": QUESTION.sub(".", text)})
    else:
        yield Idea("questions_count", ADD_QUESTION, {"text": text.rstrip(ENDINGS) + "?"})


def _shorter(text: str) -> Iterator[Idea]:
    sentences = [part for part in BETWEEN.split(text.strip()) if part.strip()]
    for kept in sorted({1, (len(sentences) + 1) // 2}):
        if kept < len(sentences):
            said = KEEP_ONE if kept == 1 else KEEP_SOME.format(n=kept)
            yield Idea("text_chars", said, {"text": " ".join(sentences[:kept])})
