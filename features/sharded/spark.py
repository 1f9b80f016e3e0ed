"""Tasks on the machines of a Spark cluster, or on this one: the door to PySpark."""

from __future__ import annotations

import socket
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any, TypeVar
from urllib.parse import urlsplit

from clout.errors import CloutError
from clout.features.sharded.processes import ALONE

T = TypeVar("T")
STANDALONE = "spark://"
ANSWER_SECONDS = 5
EVERYWHERE = {
    "spark.app.name": "clout",
    "spark.ui.showConsoleProgress": "false",
    # Spark gives a task one core.
    **{f"spark.executorEnv.{name}": value for name, value in ALONE.items()},
}
# What a task raised comes back; there is no need to log it as well.
HERE = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "OFF",
    "spark.ui.enabled": "false",
}


class SparkError(CloutError):
    """Spark that does not start, or a task that failed as often as Spark tries."""

    code = "spark"


@dataclass(frozen=True)
class SparkEngine:
    """An engine of Spark: each task is one of Spark's, run again by Spark where it fails."""

    context: Any

    @classmethod
    @contextmanager
    def open(cls, master: str) -> Iterator[SparkEngine]:
        """The engine of a master as Spark writes it (`local[2]`, `spark://host:7077`, `yarn`), until the block ends."""
        context = _started(master)
        try:
            yield cls(context)
        finally:
            context.stop()

    def map(self, task: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """What `task` returns for each of `numbers`, in their order."""
        from py4j.protocol import Py4JJavaError  # noqa: PLC0415

        every = list(numbers)
        try:
            done: list[T] = self.context.parallelize(every, max(len(every), 1)).map(task).collect()
        except Py4JJavaError as error:
            message = f"a task on Spark failed: {_reason(error)}; expected each to end; start again when that is mended"
            raise SparkError(message) from error
        return done


def _started(master: str) -> Any:  # noqa: ANN401 (Spark's types are there only where Spark is)
    """Spark's context at `master`; its tasks run in this environment's Python where PYSPARK_PYTHON names no other."""
    try:
        from pyspark import SparkConf, SparkContext  # noqa: PLC0415
    except ModuleNotFoundError as error:
        message = f"got {error}; expected PySpark for the engine spark: pip install 'clout[spark]' (0.5 GB)"
        raise SparkError(message) from error
    _expect_answer(master)
    settings = EVERYWHERE | (HERE if master.startswith("local") else {})
    with _as_ours(master), warnings.catch_warnings():
        # Frames of pandas are not used.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        context = SparkContext(conf=SparkConf().setMaster(master).setAll([*settings.items()]))
    if context.pythonExec == "python3":
        context.pythonExec = sys.executable
    return context


@contextmanager
def _as_ours(master: str) -> Iterator[None]:
    """Nothing; what keeps Spark from starting is raised as a `SparkError`."""
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415
    from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415

    try:
        yield
    except (PySparkRuntimeError, Py4JJavaError) as error:
        raise SparkError(
            f"Spark did not start at {master}: {_reason(error)} What it printed stands above; expected Java 17 or later "
            "(install it, or set JAVA_HOME to where it is) and a master such as local[2] or spark://host:7077"
        ) from error


def _expect_answer(master: str) -> None:
    """Nothing where one of the hosts of a `spark://` master answers: Spark itself would try for a minute."""
    if not master.startswith(STANDALONE):
        return
    told = []
    for host in master.removeprefix(STANDALONE).split(","):
        try:
            place = urlsplit(f"//{host}")
            socket.create_connection((place.hostname or "", place.port or 7077), ANSWER_SECONDS).close()
        except (OSError, ValueError) as error:
            told.append(f"{host}: {error}")
        else:
            return
    raise SparkError(
        f"no Spark master at {master} ({'; '.join(told)}); expected one that answers: see that it runs there"
    )


def _reason(error: Any) -> str:  # noqa: ANN401
    """What a task, or else Spark, raised, without the lines of code that it went through."""
    told = str(getattr(error, "java_exception", error))
    last = (
        told.rpartition("Traceback (most recent call last):\n")[2].partition("\n SQLSTATE")[0].partition("\n\tat ")[0]
    )
    return "\n".join(dropwhile(lambda line: line.startswith(" "), last.splitlines()))
