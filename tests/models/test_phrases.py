from __future__ import annotations

import math

import pytest

from clout.features.catalogue import FEATURES
from clout.models.account import BEYOND
from clout.models.phrases import ENGLISH, UNITS, say, told


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, "links", "no links"),
        (1, "pictures or videos", "1 picture or video"),
        (2, "pictures or videos", "2 pictures or videos"),
        (0.3, "people (by weight)", "less than 1 person"),
        (1, "people (by weight)", "about 1 person"),
        (12.4, "people (by weight)", "about 12 people"),
        (5.234, "characters", "5.2 characters"),
        (9.96, "characters", "10 characters"),
        (1234.5, "followers", "1,234 followers"),
        (0.003, "hours", "less than a minute"),
        (0.51, "hours", "31 minutes"),
        (0.9999, "hours", "60 minutes"),
        (1.0, "hours", "1 hour"),
        (47.9, "hours", "48 hours"),
        (60.0, "hours", "2.5 days"),
        (0.0, "actions (typical)", "no reactions"),
        (math.log1p(0.4), "actions (typical)", "less than 1 reaction"),
        (math.log1p(3), "likes (typical)", "about 3 likes"),
        (math.log1p(123_456), "replies (typical)", "about 123,000 replies"),
        (1e6, "likes (typical)", "about 10,700,000,000,000 likes"),
        (0.004, "times your usual", "about your usual"),
        (math.log(1.3), "times your usual", "30% more than your usual"),
        (-math.log(2), "times your usual", "50% less than your usual"),
        (math.log(2.5), "times what was expected", "2.5 times what was expected"),
        (0.0, "of the words", "none of the words"),
        (0.004, "of the words", "almost none of the words"),
        (1.0, "of the words", "100% of the words"),
        (0.0, "of the text", "at the very start"),
        (0.4, "of the text", "after 40% of the text"),
        (23.9999, "o'clock (UTC)", "23:59 UTC"),
        (7.0, "(1 is Monday)", "Sunday"),
        (0.0, "yes or no", "no"),
        (0.1, "(1 is most selective)", "people who react about 9 times a month"),
        (0.5, "(1 is most selective)", "people who hardly react to anybody else"),
        (0.75, "of both", "3 followers for each account you follow"),
        (0.25, "of both", "1 follower for each 3 accounts you follow"),
        (0.51, "of both", "as many followers as accounts you follow"),
        (0.0, "of both", "almost no followers"),
        (1.0, "of both", "almost only followers"),
        (0.7, "steps on a log scale", "0.5 to 2 times your usual"),
        (0.0, "steps on a log scale", "about your usual"),
    ],
)
def test_values_are_said_for_people(value: float, unit: str, words: str):
    assert say(value, unit) == words


@pytest.mark.parametrize(
    ("mean", "unit", "words"),
    [
        (0.0, "links", "no links"),
        (0.004, "links", "1 link in 100 posts"),
        (0.1, "links", "1 link in 10 posts"),
        (0.3, "hashtags", "3 hashtags in 10 posts"),
        (0.97, "hashtags", "97 hashtags in 100 posts"),
        (1.0, "hashtags", "1 hashtag a post"),
        (1.44, "hashtags", "1.4 hashtags a post"),
        (24.3, "words", "about 24 words"),
        (0.3, "yes or no", "3 of 10 posts"),
        (0.0, "yes or no", "no post"),
        (1.0, "yes or no", "every post"),
        (14.5, "o'clock (UTC)", "your usual hours"),
        (3.2, "(1 is Monday)", "your usual days"),
        (0.25, "of the words", "25% of the words"),
        (12.4, "posts", "12 posts"),
    ],
)
def test_means_over_posts_are_said_as_means(mean: float, unit: str, words: str):
    assert say(mean, unit, over_posts=True) == words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (2.5, "steps", "2.5 steps"),
        (math.log1p(3), "claps (typical)", "about 3 claps"),
        (0.5, "of the boosts", "50% of the boosts"),
        (math.log(1.5), "times the mean", "50% more than the mean"),
        (0.25, "", "0.2"),
    ],
)
def test_a_unit_of_others_is_said_too(value: float, unit: str, words: str):
    assert say(value, unit) == words


@pytest.mark.parametrize(("name", "said"), [("verified_flag", "yes"), ("reply_flag", "every post")])
def test_only_what_differs_between_posts_is_said_as_a_mean(name: str, said: str):
    spec = next(feature.spec for feature in FEATURES if feature.name == name)
    assert told(spec, 1.0, 1.0, over_posts=True)[0] == said


def test_every_unit_of_ours_has_words_of_its_own():
    assert {feature.unit for feature in FEATURES} | {BEYOND.unit} == set(UNITS)


@pytest.mark.parametrize("unit", UNITS)
def test_nothing_is_said_of_scales_and_no_number_is_long(unit: str):
    for value in (0.0, 1e-12, 0.0049, 1 / 3, 0.999, 1.0, math.pi, 9.99, 22.0):
        for over_posts in (False, True):
            words = say(value, unit, ENGLISH, over_posts=over_posts)
            assert words
            assert "log" not in words
            assert not any(len(part.rstrip("%").partition(".")[2]) > 1 for part in words.split() if part[0].isdigit())
