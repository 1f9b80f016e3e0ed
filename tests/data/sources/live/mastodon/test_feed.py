"""Which accounts to read: a small model that refuses what would not work, and keeps its token to itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clout.data.sources.live.feeds import read_feeds
from clout.data.sources.live.mastodon.feed import MastodonFeed

FEED: dict[str, Any] = {"name": "fedi", "server": "https://social.example", "actors": ("@ann",)}


def test_a_list_of_sources_may_name_accounts(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nkind = "mastodon"\nname = "fedi"\nserver = "https://social.example/"\n'
        'actors = ["@ann", "ben@other.example"]\ntoken = "secret"\nhorizon_days = 14\n'
    )
    (feed,) = read_feeds(tmp_path)
    assert isinstance(feed, MastodonFeed)
    assert (feed.server, feed.actors, feed.secret) == ("https://social.example", ("ann", "ben@other.example"), "secret")
    assert "secret" not in repr(feed) + feed.model_dump_json()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server": "social.example"}, "expected its address as in https://social.example"),
        ({"server": "ftp://social.example"}, "expected its address"),
        ({"server": "https://social.example/about"}, "expected its address"),
        ({"server": "https://ann:pw@social.example"}, "expected its address"),
        ({"actors": ()}, "at least 1 item"),
        ({"actors": ("ann smith",)}, "got the account 'ann smith'; expected one as in @ann or @ann@social.example"),
        ({"actors": ("@ann@",)}, "got the account"),
        ({"server": "http://social.example", "token": "secret"}, "for all to read: give the server as https"),
        ({"horizon_days": 0}, "greater than 0"),
        ({"tokn": "secret"}, "Extra inputs are not permitted"),
    ],
)
def test_what_would_not_work_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as told:
        MastodonFeed(**FEED | change)
    assert "token='secret'" not in str(told.value)


def test_a_token_may_go_to_a_server_on_this_machine() -> None:
    assert MastodonFeed(**FEED | {"server": "http://127.0.0.1:3000", "token": "secret"}).secret
