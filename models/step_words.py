"""Steps that would raise a score, in words: one template for each, filled with numbers, so that it can be translated."""

from __future__ import annotations

from dataclasses import dataclass

from clout.models.recourse import Suggestion

NOTHING = "Nothing realistic would move this by more than a point."
WORTH = "About {points} points more, likely {low} to {high}. An estimate, not a promise."
OF_POSTS = {
    "picture_more": "Put a picture on more posts: {now} of the {posts} we looked at have one, {then} would.",
    "picture_less": "Put a picture on fewer posts: {now} of the {posts} we looked at have one, {then} would.",
    "link_more": "Put a link in more posts: {now} of the {posts} we looked at have one, {then} would.",
    "link_less": "Put a link in fewer posts: {now} of the {posts} we looked at have one, {then} would.",
    "question_more": "Ask a question in more posts: {now} of the {posts} we looked at ask one, {then} would.",
    "question_less": "Ask a question in fewer posts: {now} of the {posts} we looked at ask one, {then} would.",
    "exclamation_less": "Use exclamation marks in fewer posts: {now} of the {posts} we looked at have one, {then} would.",
    "names_later": "Begin fewer posts with a name: {now} of the {posts} we looked at do, {then} would.",
    "hour": "Publish more posts from {start} to {end} o'clock (UTC): {now} of the {posts} we looked at are, {then} would be.",
    "weekend_less": "Publish fewer posts at the weekend: {now} of the {posts} we looked at are, {then} would be.",
    "weekend_more": "Publish more posts at the weekend: {now} of the {posts} we looked at are, {then} would be.",
}
ON_AVERAGE = {
    "hashtags_fewer": "Use at most {to} hashtags: your posts have {now} on average, they would have {then}.",
    "hashtags_more": "Add a hashtag where there is none: your posts have {now} on average, they would have {then}.",
    "names_fewer": "Name others less in posts that answer nobody: these have {now} names on average, they would have {then}.",
    "shorter": "Write at most {to} words: your posts have {now} on average, they would have {then}.",
    "longer": "Write at least {to} words: your posts have {now} on average, they would have {then}.",
    "fewer_a_day": "Leave more time between posts: {now} others come in the day before each, {then} would.",
}
NO_HASHTAGS = "Write without hashtags: your posts have {now} on average, they would have {then}."
ONE_HASHTAG = "Use one hashtag at most: your posts have {now} on average, they would have {then}."
HASHTAGS = {0: NO_HASHTAGS, 1: ONE_HASHTAG}
TEMPLATES = (*OF_POSTS.values(), *ON_AVERAGE.values(), *HASHTAGS.values(), WORTH)
HOURS = 3


@dataclass(frozen=True)
class Said:
    """A step in words: what to do, and what it is worth."""

    sentence: str
    worth: str


def say(step: Suggestion) -> Said:
    """A step in words.

    >>> step = Suggestion("picture_more", "media_count", None, 12, 5, 4 / 12, 9 / 12, 1.93, 0.71, 3.4)
    >>> say(step).sentence
    'Put a picture on more posts: 4 of the 12 we looked at have one, 9 would.'
    >>> say(step).worth
    'About 1.9 points more, likely 0.7 to 3.4. An estimate, not a promise.'
    """
    ends = {name: f"{getattr(step, name):.1f}" for name in ("points", "low", "high")}
    return Said(_sentence(step), WORTH.format(**ends))


def _sentence(step: Suggestion) -> str:
    to = step.to or 0
    if step.code in OF_POSTS:
        now, then = (round(share * step.posts) for share in (step.now, step.then))
        return OF_POSTS[step.code].format(posts=step.posts, now=now, then=then, start=to, end=to + HOURS)
    template = HASHTAGS.get(to, ON_AVERAGE[step.code]) if step.code == "hashtags_fewer" else ON_AVERAGE[step.code]
    return template.format(to=to, now=f"{step.now:.1f}", then=f"{step.then:.1f}")
