"""A mapping says where each column comes from, and what is wrong with it is told with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from clout.data.sources.mapping import Identity, Mapping, MappingError, Posts, Sort, Value, packaged, read_mapping

SMALL = """
network = "x"
[accounts]
account = "id"
"""


def mapping(folder: Path, text: str) -> Mapping:
    """The mapping that `text` is."""
    file = folder / "map.toml"
    file.write_text(text)
    return read_mapping(file)


def test_a_bare_text_is_a_column_but_a_network_is_itself(tmp_path: Path):
    small = mapping(tmp_path, SMALL)
    assert small.network == Value(constant="x")
    assert small.accounts is not None
    assert small.accounts.account == Identity(column="id")
    assert list(small.sections) == ["accounts"]
    assert mapping(tmp_path, SMALL.replace('"x"', '{ column = "net" }')).network == Value(column="net")


def test_posts_are_original_unless_told(tmp_path: Path):
    posts = mapping(tmp_path, 'network = "x"\n[posts]\npost = "p"\naccount = "a"\nhappened_at = "t"').posts
    assert isinstance(posts, Posts)
    assert posts.kind == Sort(constant="original")


@pytest.mark.parametrize("name", packaged())
def test_the_mappings_that_come_with_clout_can_be_used(name: str):
    found = read_mapping(name)
    assert found.sections
    assert found.note


def test_a_file_is_taken_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("higgs").write_text(SMALL)
    assert list(read_mapping("higgs").sections) == ["accounts"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("network = ?", r"map\.toml is not TOML \(.*line 1.*\): mend it"),
        ('network = "x"', r"it: got no table; expected one of accounts, profiles, posts, actions, counts"),
        ('[accounts]\naccount = "id"', r"network: Field required"),
        (
            SMALL + 'acount = "x"',
            r"accounts\.acount is unknown \(did you mean account\?\); expected account, created_at",
        ),
        (
            "tables = 1\n" + SMALL,
            r"tables is unknown; expected accounts, actions, counts, drop_where, identities, missing",
        ),
        (SMALL + 'handle = { colum = "h" }', r"accounts\.handle\.colum is unknown \(did you mean column\?\)"),
        (SMALL + "handle = {}", r"accounts\.handle: got none of column, first_of, constant; expected one"),
        (SMALL + 'handle = { column = "h", constant = "x" }', r"got column and constant of column, first_of"),
        (SMALL + 'handle = { column = "h", join = ["a", "b"] }', r"accounts\.handle\.join is unknown"),
        (SMALL + 'handle = { column = "h", unit = "ms" }', r"accounts\.handle\.unit is unknown"),
        (SMALL + 'created_at = { column = "t", unit = "min" }', r"created_at\.unit: Input should be 's', 'ms' or 'us'"),
        (SMALL + 'created_at = { column = "t", zone = "Europe/Berlim" }', r"zone: .*did you mean Europe/Berlin"),
        (
            SMALL + '[counts]\npost = "p"\nhappened_at = "t"\nkinds = { likes = "n" }',
            r"got 'likes' \(did you mean like\?\); expected one of follow, like",
        ),
        (
            SMALL + '[posts]\npost = "p"\naccount = "a"\nhappened_at = "t"\nkind = { flags = { retweet = "r" } }',
            r"got 'retweet'; expected one of original, quote, reply, reshare",
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_was_meant(text: str, words: str, tmp_path: Path):
    with pytest.raises(MappingError, match=words):
        mapping(tmp_path, text)


def test_a_mapping_that_is_not_there_is_told():
    with pytest.raises(
        MappingError, match=r"no mapping politician \(did you mean politicians\?\); expected a TOML .* higgs,"
    ):
        read_mapping("politician")
    with pytest.raises(MappingError, match=r"cannot read the mapping /"):
        read_mapping("/")
