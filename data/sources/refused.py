"""Archives that cannot teach anything: what is known of them, and what to bring in instead."""

from __future__ import annotations

import re

from clout.data.sources.container import Box

_KLOUT = b"#post_id_fingerprint"
_REFUSED: tuple[tuple[str, str], ...] = (
    (
        r"(?:^|/)threads/.*\.json$",
        "The export of Threads has your posts but not what others did with them: no likes, replies or reposts that you "
        "received. Expected counts beside posts: Meta's own insights have them, as a table for clout ingest table",
    ),
    (
        r"(?:^|/)(?:your_facebook_activity/|posts/your_posts|your_posts__check_ins)",
        "Facebook's own export has your posts but not what others did with them: it tells the reactions and comments that "
        "you gave, none that you received. Expected counts beside posts: a page's table from Meta Business Suite has them "
        "(Reactions, Comments, Shares): bring it in with clout ingest table",
    ),
    (
        r"(?:^|/)(?:your_instagram_activity|content|media)/.*posts_1\.json$",
        "This export of Instagram has your posts but no insights: only professional accounts have them. Expected "
        "past_instagram_insights/posts.json: switch the account to professional, wait, and ask for the export again",
    ),
    (
        r"(?:^|/)(?:Shares|Connections|Reactions)(?:_\d+)?\.csv$",
        "LinkedIn's export has your posts but not what others did with them: its reactions and comments are those you "
        "gave. Expected counts beside posts: the analytics of creators have them: save that table as CSV and bring it in "
        "with clout ingest table",
    ),
    (
        r"(?:^|/)checkins\d*\.json$",
        "Foursquare's export has where you were, not what others did with it: a check-in is a place, and beside it stands "
        "at most a number of comments, without the likes. Expected posts with counts or actions",
    ),
    (
        r"(?:^|/)video metadata/.*\.csv$|(?:^|/)videos\.csv$",
        "Takeout's table of YouTube videos has titles and dates but no views, likes or comments. Expected what the YouTube "
        "Data API answers to videos.list with part=snippet,statistics: save its JSON and give that",
    ),
    (
        r"(?:^|/)post_headers\.csv$|(?:^|/)comment_headers\.csv$",
        "The data that Reddit gives on request has your posts without their scores, and the votes that you gave. Expected "
        "a dump with scores, as Arctic Shift makes them (.zst): ask it for your name",
    ),
    (
        r"(?:pages-(?:articles|meta-history|meta-current)|abstract).*\.xml",
        "A dump of Wikipedia has articles and who edited them, not what readers did: an edit is no reaction to a post. "
        "Expected posts with counts or actions. What readers did with a page about an account, clout ingest wikipedia asks for",
    ),
)


def why_refused(box: Box) -> str | None:
    """Why the archive in `box` cannot be taken, if it is one of those known to carry no engagement."""
    for name in [*box.names, box.path.name]:
        for pattern, sentence in _REFUSED:
            if re.search(pattern, name):
                return f"{sentence}. Nothing was taken from {box.path.name}"
    if any(_KLOUT in box.peek(name)[:500] for name in box.names[:1]):
        return (
            f"{box.path.name} is Klout's open data, which is a table; expected it as one: "
            "clout ingest table FILE --map klout_twitter, or --map klout_facebook"
        )
    if box.names and all(name.endswith((".zip", ".tgz", ".tar.gz")) for name in box.names):
        return (
            f"{box.path.name} holds archives inside ({box.names[0]}); expected one archive: unpack the outer one first"
        )
    return None
