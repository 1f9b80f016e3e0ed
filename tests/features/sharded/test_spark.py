"""Spark runs the tasks that processes run: the same bits come out, and what goes wrong is told in words."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from nasty_tables import ACTION_VALUES, HORIZON, nasty_tables
from polars.testing import assert_frame_equal

from clout.data.history import load, read_tables
from clout.data.lake import Lake
from clout.errors import CloutError
from clout.features.compute import compute, prepare
from clout.features.sharded.run import measure
from clout.features.sharded.spark import SparkEngine, SparkError

pytestmark = pytest.mark.slow
JAVA = Path(os.environ.get("JAVA_HOME", "/none")) / "bin" / "java"


@pytest.fixture(scope="module")
def spark() -> None:
    """Nothing where Spark is; else the test skips, or fails where Spark must be there."""
    if find_spec("pyspark") and (JAVA.exists() or shutil.which("java")):
        return
    words = "no Spark: `make spark` has not got it"
    if os.environ.get("CLOUT_NEEDS_SPARK"):
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="module")
def engine(spark: None) -> Iterator[SparkEngine]:  # noqa: ARG001
    with SparkEngine.open("local[2,2]") as opened:
        yield opened


def check(lake: Lake, engine: SparkEngine, out: Path, horizon: timedelta, shards: int) -> pl.DataFrame:
    """The lake's actions, once Spark has measured its posts as they are measured at once."""
    measured = measure(lake, out, engine, horizon, ACTION_VALUES, shards)
    history = load(read_tables(lake), horizon, ACTION_VALUES)
    posts = pl.read_parquet(out / "posts" / "*.parquet")
    assert_frame_equal(posts.sort("post"), compute(history.posts, prepare(history)).sort("post"), check_exact=True)
    assert (measured.posts, measured.actions) == (history.posts.height, history.actions.height)
    return history.actions


def test_spark_says_what_the_whole_says(engine: SparkEngine, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.append(nasty_tables(1), source="nasty")
    check(lake, engine, tmp_path / "out", HORIZON, shards=3)


def test_an_account_with_a_third_of_all_actions_goes_through(
    engine: SparkEngine, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(root / "bench")
    from measuring.flood import Flood, pour  # noqa: PLC0415

    lake = Lake(tmp_path / "lake")
    pour(Flood(20_000, days=10, star=0.3), lake)
    actions = check(lake, engine, tmp_path / "out", timedelta(days=2), shards=4)
    assert actions["account"].value_counts()["count"].max() > 0.25 * actions.height


def test_a_task_that_fails_once_is_run_again(engine: SparkEngine, tmp_path: Path) -> None:
    def fail_once(number: int) -> int:
        try:
            (tmp_path / str(number)).mkdir()
        except FileExistsError:
            return number
        raise ConnectionError("the first time")

    assert engine.map(fail_once, range(5)) == [0, 1, 2, 3, 4]


def test_what_a_task_that_fails_raised_is_told(engine: SparkEngine) -> None:
    def fail(number: int) -> None:
        raise CloutError(f"got {number};\n  expected less")

    told = r"^a task on Spark failed: clout\.errors\.CloutError: got 3;\n  expected less; expected each to end; start again"
    with pytest.raises(SparkError, match=told) as caught:
        engine.map(fail, [3])
    assert "Traceback" not in str(caught.value)
    assert caught.value.code == "spark"


def test_a_task_runs_in_this_environment_with_one_thread(engine: SparkEngine) -> None:
    def place(_: int) -> tuple[str, int]:
        return sys.prefix, pl.thread_pool_size()

    assert engine.map(place, [0]) == [(sys.prefix, 1)]


@pytest.mark.usefixtures("spark")
def test_no_master_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SparkError, match=rf"^no Spark master at {master} .*refused.*; expected one that answers"):
            SparkEngine.open(master).__enter__()


@pytest.mark.usefixtures("spark")
def test_a_master_of_a_kind_that_is_not() -> None:
    program = (
        "from clout.features.sharded.spark import SparkEngine, SparkError\n"
        "try: SparkEngine.open('moon').__enter__()\nexcept SparkError as error: print(error)"
    )
    assert re.match(r"Spark did not start at moon: .* and a master such as local\[2\]", said(program))
    assert "expected Java 17 or later (install it, or set JAVA_HOME" in said(program, JAVA_HOME="/nowhere")


def said(program: str, **environment: str) -> str:
    """What a program prints."""
    environment = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_no_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(SparkError, match=r"expected PySpark for the engine spark: pip install 'clout\[spark\]'"):
        SparkEngine.open("local[2]").__enter__()
