"""What a training may be told, and the words it refuses the rest with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from clout.features.catalogue import CONTRACT
from clout.training.config import ConfigError, Fit, Label, Params, Splits, read_params, to_toml, validated, without

DEFAULT_VALUES = {"like": 1.0, "reshare": 2.0, "reply": 2.0, "quote": 3.0, "reaction": 1.0}


def refusal(*overrides: str, path: Path | None = None) -> str:
    """The words with which the overrides are refused."""
    with pytest.raises(ConfigError) as refused:
        read_params(path, overrides)
    return str(refused.value)


def written(folder: Path, text: str) -> Path:
    """A file of parameters."""
    file = folder / "params.toml"
    file.write_text(text)
    return file


def test_nothing_said_gives_the_defaults() -> None:
    assert read_params() == Params()
    assert Params().action_values == DEFAULT_VALUES


def test_the_file_of_the_repository_says_the_defaults(root: Path) -> None:
    assert read_params(root / "params.toml") == Params()


def test_a_file_changes_what_it_names_only(tmp_path: Path) -> None:
    params = read_params(written(tmp_path, "seed = 3\n[fit]\ntrees = 10\n"))
    assert (params.seed, params.fit.trees) == (3, 10)
    assert params.fit.num_leaves == Params().fit.num_leaves
    assert params.splits == Params().splits


def test_an_override_wins_over_the_file_and_the_last_over_the_first(tmp_path: Path) -> None:
    file = written(tmp_path, "seed = 3\n[fit]\ntrees = 10\n")
    params = read_params(file, ("fit.trees=20", "fit.num_leaves = 31", "fit.trees=30"))
    assert (params.seed, params.fit.trees, params.fit.num_leaves) == (3, 30, 31)


def test_an_override_of_one_action_value_keeps_the_others() -> None:
    assert read_params(None, ("action_values.like=9",)).action_values == DEFAULT_VALUES | {"like": 9.0}


def test_an_override_of_all_action_values_replaces_them_in_the_order_of_kinds() -> None:
    values = read_params(None, ("action_values={quote = 3, like = 2}",)).action_values
    assert list(values.items()) == [("like", 2.0), ("quote", 3.0)]


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2020-01-01", datetime(2020, 1, 1, tzinfo=UTC)),
        ("2020-01-01T02:00:00+02:00", datetime(2020, 1, 1, tzinfo=UTC)),
        ('"2020-01-01T00:00:00Z"', datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_one_of_utc(told: str, moment: datetime) -> None:
    read = read_params(None, (f"splits.final_from={told}",)).splits.final_from
    assert read == moment
    assert read is not None
    assert read.utcoffset() == timedelta(0)


def test_the_horizon_is_a_duration() -> None:
    assert Label(horizon_days=1.5).horizon == timedelta(hours=36)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("fits.trees=3", "setting fits: got {'trees': 3}; no such setting; expected one of seed, action_values"),
        ("fit.leaves=3", "setting fit.leaves: got 3; no such setting; expected one of trees, num_leaves"),
        ("sead=3", "setting sead: got 3; no such setting; expected one of seed"),
        ("fit.trees=0", "setting fit.trees: got 0; Input should be greater than or equal to 1"),
        ("fit.trees=2.5", "setting fit.trees: got 2.5; Input should be a valid integer"),
        ("fit.trees=many", "setting fit.trees: got 'many'; Input should be a valid integer"),
        ("fit.trees=", "setting fit.trees: got ''; Input should be a valid integer"),
        ("fit=3", "setting fit: got 3; Input should be a valid dictionary"),
        ("fit.learning_rate=nan", "setting fit.learning_rate: got nan; Input should be a finite number"),
        ("fit.lambda_l2=inf", "setting fit.lambda_l2: got inf; Input should be a finite number"),
        ("action_values.like=inf", "setting action_values.like: got inf; Input should be a finite number"),
        ("action_values.like=-1", "expected values from 0 to 1,000,000, at least one above 0"),
        ("action_values={like=1e308}", "expected values from 0 to 1,000,000, at least one above 0"),
        ("wording.alpha=1e308", "setting wording.alpha: got 1e+308; Input should be less than or equal to 1000000"),
        ("seed=99999999999999999999", "Input should be less than or equal to 2147483647"),
        ("features.without=audienc", "no feature or group is named 'audienc'"),
        (
            "action_values={}",
            "setting action_values: got {}; expected values from 0 to 1,000,000, at least one above 0",
        ),
        ("action_values.love=1", "unknown kinds love; expected some of like, reshare, reply, quote, mention"),
        ("label.horizon_days=0", "setting label.horizon_days: got 0; Input should be greater than 0"),
        ("splits.final_from=soon", "setting splits.final_from: got 'soon'; Input should be a valid datetime"),
        ("splits.origins=12", "origins × block_share is 1.8; expected less than 1"),
        ("fit.num_leaves", "got 'fit.num_leaves'; expected section.name=value, for example fit.num_leaves=31"),
        ("=3", "got '=3'; expected section.name=value"),
        ("fits.trees=3", "did you mean fit?"),
        ("num_leaves=3", "did you mean fit.num_leaves?"),
        ("fit.leaves=3", "did you mean fit.num_leaves?"),
        ("splits.orgins=3", "expected one of final_from, final_share, origins, "),
        ("splits.orgins=3", "did you mean splits.origins?"),
        ('features.without=["audienc"]', "no feature or group is named 'audienc'; expected groups (wording, format, "),
        ('features.without=["audienc"]', "did you mean audience?"),
        ('features.without=["outcome_level"]', "did you mean outcome_level_365d?"),
        (
            "action_values=talk",
            "got 'talk'; expected a table of numbers or the name of one of action_value_tables, of wh",
        ),
        ("seed.x=3", "got 'seed.x=3'; expected section.name=value"),
    ],
)
def test_a_setting_is_refused_by_name_with_what_was_expected(override: str, words: str) -> None:
    assert words in refusal(override)


def test_the_same_words_for_what_stands_in_a_file(tmp_path: Path) -> None:
    assert "setting fit.leaves: got 3; no such setting" in refusal(path=written(tmp_path, "[fit]\nleaves = 3\n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.toml"
    assert refusal(path=absent).startswith(f"cannot read {absent} (No such file or directory); expected a TOML file")
    assert refusal(path=tmp_path).startswith(f"cannot read {tmp_path} (Is a directory)")


@pytest.mark.parametrize("content", [b"seed 3", b"\xff\xfe\x00"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "params.toml"
    file.write_bytes(content)
    assert refusal(path=file).startswith(f"{file} is not TOML: ")


def test_an_override_into_a_number_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "expected section.name=value" in refusal("fit.trees=3", path=written(tmp_path, "fit = 3\n"))


def test_parameters_cannot_be_changed_once_made() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Params().splits.origins = 4  # type: ignore[misc]


def test_rolling_blocks_leave_posts_to_learn_from() -> None:
    assert Splits(origins=6, block_share=0.15).origins == 6
    with pytest.raises(ValidationError, match=r"origins × block_share is 1\.05"):
        Splits(origins=7, block_share=0.15)


def test_every_setting_says_in_a_sentence_what_it_does() -> None:
    sections = [field.annotation for field in Params.model_fields.values()]
    fields = [
        (name, field)
        for model in (Params, *(section for section in sections if hasattr(section, "model_fields")))
        for name, field in model.model_fields.items()
        if not hasattr(field.annotation, "model_fields")
    ]
    assert len(fields) > 20
    assert not [name for name, field in fields if not (field.description or "").endswith(".")]


def test_a_setting_that_resembles_nothing_is_not_guessed() -> None:
    assert "did you mean" not in refusal("zzz=1")


TABLES = """
action_values = "talk"

[action_value_tables.talk]
reply = 4
like = 1

[action_value_tables.reach]
reshare = 1
"""


def test_one_of_several_tables_of_action_values_is_chosen_by_name(tmp_path: Path) -> None:
    file = written(tmp_path, TABLES)
    assert read_params(file).action_values == {"like": 1.0, "reply": 4.0}
    assert read_params(file, ("action_values=reach",)).action_values == {"reshare": 1.0}
    assert read_params(file, ("action_values=reach", "action_value_tables.reach.reshare=3")).action_values == {
        "reshare": 3.0
    }
    assert read_params(written(tmp_path, TABLES.replace("action_values =", "# "))) == Params()


def test_a_table_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    words = refusal("action_values=reech", path=written(tmp_path, TABLES))
    assert "setting action_values: got 'reech'; expected a table of numbers or the name of one of the" in words
    assert "action_value_tables there are: talk, reach; did you mean reach?" in words


def test_a_table_nobody_chose_must_be_right_too(tmp_path: Path) -> None:
    words = refusal(path=written(tmp_path, TABLES.replace("reshare = 1", "share = 1")))
    assert "setting action_value_tables.reach: got {'share': 1}; unknown kinds share; expected some of like" in words


def test_features_are_left_out_by_group_and_name_in_one_order() -> None:
    params = read_params(None, (without("without=hour_utc, audience,hour_utc"),))
    assert params.features.without == ("audience", "hour_utc")
    assert params.contract == CONTRACT.without(["audience", "hour_utc"])
    assert Params().contract == CONTRACT
    everything = ",".join(sorted({spec.group for spec in CONTRACT.features}))
    assert "nothing is left to learn from" in refusal(without(f"without={everything}"))


def test_features_left_out_may_be_told_as_one_text() -> None:
    assert read_params(overrides=("features.without=audience",)).features.without == ("audience",)
    assert read_params(overrides=("features.without=hour_utc, audience",)).features.without == ("audience", "hour_utc")


@pytest.mark.parametrize("told", ["only=audience", "audience", "without=", "without", "without= ,"])
def test_features_told_in_another_way_are_refused(told: str) -> None:
    with pytest.raises(ConfigError, match=r"expected without=NAME\[,NAME…\], for example without=audience,format"):
        without(told)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    overrides = (
        "splits.final_from=2020-01-01",
        "action_values={reply=2}",
        'features.without=["format"]',
        "fit.trees=9",
    )
    for params in (Params(), read_params(None, overrides)):
        assert read_params(written(tmp_path, to_toml(params))) == params
        assert validated(params.model_dump(mode="json")) == params


def test_threads_are_not_told_since_they_decide_nothing() -> None:
    assert Params(fit=Fit(threads=3)).fit.threads == 3
    assert Params(fit=Fit(threads=3)).model_dump() == Params().model_dump()


def test_checks_are_muted_by_code_with_a_reason(tmp_path: Path) -> None:
    file = written(tmp_path, '[checks.mute]\nCLOUT103 = " announced on Monday "\nCLOUT003 = "few posts"\n')
    assert read_params(file).checks.mute == {"CLOUT003": "few posts", "CLOUT103": "announced on Monday"}


def test_a_mute_of_no_check_or_without_a_reason_is_refused(tmp_path: Path) -> None:
    unknown = refusal(path=written(tmp_path, '[checks.mute]\nCLOUT999 = "why"\n'))
    assert "setting checks.mute" in unknown
    assert "no such check: CLOUT999; expected some of CLOUT001, " in unknown
    assert "CLOUT003 is muted without a reason" in refusal(path=written(tmp_path, '[checks.mute]\nCLOUT003 = " "\n'))
