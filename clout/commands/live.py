"""Commands that keep a home going: `up`, and what its rounds did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from clout.commands.options import AsJson
from clout.errors import CloutError

if TYPE_CHECKING:
    from pathlib import Path

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SHORTEST, LONGEST = 1, 30 * 86_400
BACKOFF_SECONDS = (2.0, 10.0)
FAILED, STOPPED = 1, 143
SHOWN = 50


def up(
    every: Annotated[str, typer.Option(help="From one round to the next: a number with s, m, h or d.")] = "1h",
    once: Annotated[bool, typer.Option("--once", help="One round, without the service, for cron.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read sources, score, watch and serve, again and again.

    Sources are those of CLOUT_HOME/sources.toml; see docs/live.md. With --once it exits with 0 when every source came in,
    with 1 when one failed, with 2 when there was no round.
    """
    seconds = seconds_of(every)
    told_once(as_json) if once else keep_up(seconds, as_json)


def told_once(as_json: bool) -> None:
    """Nothing; a round was played, and what became of it goes to stdout."""
    import random
    import time
    from functools import partial

    from clout.commands.round import one_round
    from clout.display import print_json
    from clout.display_live import print_runs
    from clout.serving.live.loop import told_to_stop
    from clout.serving.live.patience import tried
    from clout.settings import read_settings

    # Half as long up to half as long again: programs that were refused together do not come again together.
    waits = [wait * random.uniform(0.5, 1.5) for wait in BACKOFF_SECONDS]  # noqa: S311 (nothing secret)
    with told_to_stop(_stop):
        played = one_round(read_settings(), lambda: datetime.now(UTC), partial(tried, waits=waits, sleep=time.sleep))
    print_json([run.told() for run in played]) if as_json else print_runs(played)
    raise typer.Exit(FAILED if any(run.error for run in played) else 0)


def _stop() -> None:
    raise SystemExit(STOPPED)


def keep_up(seconds: float, as_json: bool) -> None:
    """Nothing, once it was told to stop: until then the service answers, and a round is played every so many seconds."""
    from threading import Event

    from clout.data.sources.live.feeds import read_feeds
    from clout.models import registry
    from clout.serving.live.hold import held
    from clout.serving.live.loop import CLOUT, Loop, told_to_stop
    from clout.settings import read_settings

    home, stop = read_settings().home, Event()
    _expect_champion(home, registry.pointer_file(home, registry.CHAMPION))
    read_feeds(home)  # what cannot be used is told before anything is started
    with held(home, "up", datetime.now(UTC)), told_to_stop(stop.set):
        round_ = [*CLOUT, "up", "--once", *(["--json"] if as_json else [])]
        Loop([*CLOUT, "serve"], round_, seconds, lambda line: typer.echo(line, err=True)).keep_up(stop)


def _expect_champion(home: Path, pointer: Path) -> None:
    if not pointer.exists():
        raise CloutError(
            f"there is no champion in {home}; expected one to score and answer with: bring data in with "
            "`clout up --once`, then make one with `clout train`"
        )


def show_runs(as_json: AsJson = False) -> None:
    """List what the newest rounds of `clout up` did."""
    from clout.display import print_json
    from clout.display_live import print_runs
    from clout.serving.store.scores import Store
    from clout.settings import read_settings

    with Store.open(read_settings().store) as store:
        runs = store.live_runs.newest(SHOWN)
    print_json([run.told() for run in runs]) if as_json else print_runs(runs)


def seconds_of(text: str, option: str = "--every") -> float:
    """The seconds that a text such as 90s, 15m, 1h or 1d names.

    >>> seconds_of("1.5h")
    5400.0
    """
    try:
        seconds = float(text[:-1]) * UNITS[text[-1:]]
    except (ValueError, KeyError):
        seconds = 0.0
    if not SHORTEST <= seconds <= LONGEST:
        raise CloutError(f"got {option} {text!r}; expected from 1s to 30d, as 90s, 15m, 1h or 1d")
    return seconds
