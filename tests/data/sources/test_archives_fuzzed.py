"""Whatever stands in an archive, its reader makes rows or refuses them with a reason; it never breaks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import archive_samples as samples
import pytest
from any_json import anything, bent, paths, with_part
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clout.data.lake import Lake
from clout.data.sources.archive import FORMATS, Archive, Format
from clout.data.sources.items import About, Gathered
from clout.data.sources.source import take
from clout.data.tables import validate
from clout.errors import CloutError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READ_AT = datetime(2025, 1, 1, tzinfo=UTC)
SHAPES: dict[str, list[Any]] = {
    "x": [samples.tweet(3), {"account": {"accountId": "17", "username": "ann"}}, samples.ANALYTICS],
    "instagram": [samples.INSIGHT],
    "tiktok": samples.TIKTOK["Video"]["Videos"]["VideoList"],
    "google-plus": [samples.GOOGLE_PLUS],
    "youtube": [samples.VIDEO, samples.CHANNEL],
    "khoros": samples.KHOROS["data"]["items"],
    "tumblr": [samples.TUMBLR],
    "reddit": [samples.submission(1), samples.comment(2, "t3_s1")],
    "activity-streams": [samples.note(1), samples.boost(2), {"type": "Actor"}],
}


def about(form: Format) -> About:
    """What an archive of this kind would say of itself."""
    return About(f"{form.NETWORK}/17", READ_AT, {"actor": samples.ACTOR, "logged": True})


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.KIND)
def test_any_item_makes_rows_or_rejects(form: Format) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(bent(SHAPES[form.KIND]))
    def holds(found: list[Any]) -> None:
        gathered = Gathered()
        made = [(number, row) for number, item in enumerate(found, 1) for row in form.rows(item, about(form))]
        for number, row in made:
            gathered.add(number, row)
        for table, frame in gathered.tables().items():
            if "account" in frame.columns:
                frame = frame.with_columns(frame["account"].fill_null("x/unknown"))  # noqa: PLW2901
            kept, refused = validate(table, frame, NOW)
            assert kept.height + refused.height == frame.height
            assert refused["reason"].null_count() == refused["sentence"].null_count() == 0
            assert frame.height <= sum(row.table == table for _, row in made)

    holds()


PERSON = {"profile_user": [{"string_map_data": {"Username": {"value": "ann"}}}]}
NOTE = {"noteTweet": {"createdAt": "2023-02-18T12:01:11.000Z", "core": {"text": "Number 1 & more"}}}
EXPORTS: dict[str, dict[str, Any]] = {
    "x": {
        "account.js": [{"account": {"accountId": "17", "username": "ann", "createdAt": "2019-05-01T10:00:00Z"}}],
        "manifest.js": {"archiveInfo": {"generationDate": "2023-06-01T00:00:00.000Z"}},
        "tweets.js": [samples.tweet(1), samples.tweet(2)],
        "follower.js": [{}],
        "verified.js": [{"verified": {"verified": False}}],
        "note-tweet.js": [NOTE],
    },
    "instagram": {"posts.json": {"organic_insights_posts": [samples.INSIGHT]}, "personal_information.json": PERSON},
    "tiktok": {"user_data.json": samples.TIKTOK},
    "google-plus": {"Google+ Stream/Posts/a.json": samples.GOOGLE_PLUS},
    "youtube": {"videos.json": {"items": [samples.VIDEO, samples.CHANNEL]}},
    "khoros": {"messages.json": samples.KHOROS},
    "tumblr": {"posts.json": {"response": {"posts": [samples.TUMBLR]}}},
    "reddit": {"RS.jsonl": samples.submission(1)},
    "activity-streams": {"outbox.json": samples.collection([samples.note(1)]), "actor.json": samples.ACTOR},
}


@st.composite
def exports(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """The documents of an export, with a part of one replaced by anything."""
    whole = EXPORTS[kind]
    inside = [path for path in paths(whole) if path]
    return dict(with_part(whole, draw(st.sampled_from(inside)), draw(anything)))


@pytest.mark.parametrize("kind", EXPORTS)
def test_any_export_is_taken_in_or_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(exports(kind))
    def holds(documents: dict[str, Any]) -> None:
        files = {
            name: f"window.YTD.x.part0 = {json.dumps(told)}" if name.endswith(".js") else json.dumps(told)
            for name, told in documents.items()
        }
        samples.written_zip(path, {name: content.encode() for name, content in files.items()})
        lake = Lake(tmp_path / "lake")
        try:
            take(lake, Archive(path, NOW, kind=kind), NOW)
        except CloutError as error:
            assert "expected" in str(error)  # noqa: PT017

    holds()


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.KIND)
def test_the_shapes_themselves_are_accepted(form: Format) -> None:
    gathered = Gathered()
    for number, item in enumerate(SHAPES[form.KIND], 1):
        for row in form.rows(json.loads(json.dumps(item)), about(form)):
            gathered.add(number, row)
    found = {table: validate(table, frame, NOW) for table, frame in gathered.tables().items() if table != "actions"}
    assert found["posts"][0].height
    assert not any(refused.height for _, refused in found.values())
