"""Communities of Khoros (Lithium): what API v2 answers to a query for messages, with kudos where they were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from clout.data.sources.container import Box
from clout.data.sources.items import About, Broken, Row, at, counts, identity, number_of, objects, post, text

KIND, TITLE, NETWORK = "khoros", "messages of a Khoros community", "khoros"
_TAG = re.compile(r"<[^>]*>")
_MESSAGE = re.compile(rb'"type"\s*:\s*"messages?"')


def find(box: Box) -> list[str]:
    """The answers of the community, of which there may be many."""
    return [name for name in box.names if name.endswith(".json") and _is_answer(box.peek(name))]


def about(box: Box) -> About:
    """Whether the answers tell of every message who gave kudos: only then are they a log of them."""
    messages = [item for name in find(box) for item in items(box, name) if not isinstance(item, Broken)]
    return About(more={"logged": all(isinstance(at(item, "kudos", "items"), list) for item in messages)})


def items(box: Box, name: str) -> Iterator[Any]:
    """The messages of an answer, or of a list of answers."""
    told = box.json(name)
    for answer in told if isinstance(told, list) else [told]:
        found = at(answer, "data", "items")
        messages = objects(found) if found is not None else [answer]
        yield from (item if isinstance(item, dict) else Broken(str(item)) for item in messages)


def rows(item: Any, about: About) -> Iterator[Row]:  # noqa: ANN401
    """The rows of a message: who gave kudos when, where that was asked for, else how many did."""
    account, made = identity(NETWORK, at(item, "author", "id")), at(item, "post_time")
    name, parent = identity(NETWORK, at(item, "id")), identity(NETWORK, at(item, "parent", "id"))
    if account is not None:
        handle = text(at(item, "author", "login"))
        yield Row("accounts", {"account": account, "network": NETWORK, "handle": handle})
    words = "\n\n".join(found for key in ("subject", "body") if (found := text(at(item, key))))
    yield post(
        made,
        post=name,
        account=account,
        network=NETWORK,
        kind="reply" if parent else "original",
        text=_TAG.sub("", words) or None,
    )
    given, logged = at(item, "kudos", "items"), about.more.get("logged")
    for kudo in objects(given) if logged else ():
        yield _kudo(kudo, name, account)
    if parent:
        yield _action(name, parent, None, account, "reply", made)
    weight = at(item, "kudos", "sum", "weight")
    likes = None if logged else number_of(given) if weight is None else weight
    kinds = {"like": likes, "view": at(item, "metrics", "views"), "reply": at(item, "replies", "count")}
    yield from counts(name, about.read_at, kinds, long_after=True)


def _kudo(kudo: object, name: str | None, account: str | None) -> Row:
    actor = identity(NETWORK, at(kudo, "user", "id") or at(kudo, "user", "login"))
    own = identity(NETWORK, at(kudo, "id")) or f"{name}:{actor}:like"
    return _action(own, name, account, actor, "like", at(kudo, "time"))


def _action(
    action: str | None, name: str | None, account: str | None, actor: str | None, kind: str, made: object
) -> Row:
    told = {"action": action, "post": name, "account": account, "actor": actor, "kind": kind}
    return Row("actions", {**told, "happened_at": made, "known_at": made})


def _is_answer(start: bytes) -> bool:
    return _MESSAGE.search(start) is not None and (b'"kudos"' in start or b'"post_time"' in start)
