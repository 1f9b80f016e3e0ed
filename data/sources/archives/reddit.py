"""Dumps of Reddit, as Pushshift and Arctic Shift make them: a submission or comment a line, packed with zstandard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import About, Broken, Row, counts, identity, post, since_1970, text

KIND, TITLE, NETWORK = "reddit", "a dump of Reddit", "reddit"
ASSUMED = (
    "a score is upvotes less downvotes, taken as likes, and not known where it is below zero; counts are of the moment "
    "the dump read each post, and where that was more than 60 days after it, known when the post had ripened"
)
LONG_AFTER = 60 * 86_400
_GONE = {None, "", "[deleted]", "[removed]"}
_ENDINGS = (".zst", ".jsonl", ".ndjson", ".json", ".gz")
_READ = ("retrieved_on", "retrieved_utc")


def find(box: Box) -> list[str]:
    """The files of lines that are submissions or comments."""
    return [name for name in box.names if name.endswith(_ENDINGS) and _is_dump(box.peek(name))]


def about(_: Box) -> About:
    """Nothing: each line says when it was read."""
    return About()


def items(box: Box, name: str) -> Iterator[Any]:
    """The lines, as they are read; `Broken` in place of one that is no JSON object."""
    for line in box.lines(name):
        if line is None:
            yield Broken("a line of more than 16 MiB")
        elif line.strip():
            yield _parsed(line)


def rows(item: Any, _about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of a submission, or of a comment, which is a reply to what it is on."""
    told: dict[str, Any] = item if isinstance(item, dict) else {}
    parent, made = told.get("parent_id"), since_1970(told.get("created_utc"))
    name = identity(NETWORK, text(told.get("id")) and f"{'t3' if parent is None else 't1'}_{told['id']}")
    author = text(told.get("author"))
    if author is None or author in _GONE:
        yield Row("posts", {"post": name, "happened_at": made}, "missing_id", "its author is not told any more")
        return
    account = f"{NETWORK}/{author}"
    yield Row("accounts", {"account": account, "network": NETWORK, "handle": author})
    is_comment = parent is not None
    words, kind = (text(told.get("body")), "reply") if is_comment else (_written(told), "original")
    yield post(made, post=name, account=account, network=NETWORK, kind=kind, text=words)
    yield from _counted(told, name)
    if is_comment:
        clock = {"happened_at": made, "known_at": made}
        parent = identity(NETWORK, text(parent))
        yield Row("actions", {"action": name, "post": parent, "actor": account, "kind": "reply", **clock})


def _parsed(line: bytes) -> Any:  # noqa: ANN401
    try:
        told = json.loads(line.decode())
    except (ValueError, RecursionError):
        told = None
    return told if isinstance(told, dict) else Broken(line[:2000].decode("utf-8", "replace"))


def _written(told: dict[str, Any]) -> str | None:
    """The title and the text of a submission."""
    title, body = text(told.get("title")), text(told.get("selftext"))
    return f"{title or ''}\n\n{body}".strip() if body and body not in _GONE else title


def _counted(told: dict[str, Any], name: str | None) -> Iterator[Row]:
    """What the dump read of a post, if it says when."""
    seen = told.get(_READ[0], told.get(_READ[1]))
    if seen is not None:
        score, late = told.get("score"), _seconds(seen) - _seconds(told.get("created_utc")) > LONG_AFTER
        kinds = {"like": None if isinstance(score, int) and score < 0 else score, "reply": told.get("num_comments")}
        yield from counts(name, since_1970(seen), kinds, long_after=late)


def _seconds(value: object) -> float:
    """A number of seconds; nothing where it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _is_dump(start: bytes) -> bool:
    """Whether the first lines that are whole JSON tell of a subreddit and of a submission or comment."""
    for line in start.split(b"\n")[:20]:
        told = _parsed(line)
        if isinstance(told, dict) and "created_utc" in told:
            return any(key in told for key in ("subreddit", "link_id", "num_comments"))
    return start.count(b"\n") == 0 and b'"created_utc"' in start and b'"subreddit"' in start
