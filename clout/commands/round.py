"""One round of a home: every source, then what is due of scoring and watching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from clout.data.lake import Lake
    from clout.data.sources.live.feeds import Feed
    from clout.serving.live.round import Count, Part
    from clout.serving.store.live_runs import LiveRun
    from clout.serving.store.scores import Store
    from clout.settings import Settings

Clock = Callable[[], datetime]
Tried = Callable[[Callable[[], object]], None]


def one_round(settings: Settings, clock: Clock, tried: Tried) -> tuple[LiveRun, ...]:
    """What became of each part of a round; `tried` does what reads a source, again where that may help."""
    from clout.data.lake import Lake
    from clout.data.sources.live.feeds import read_feeds
    from clout.serving.live.hold import held
    from clout.serving.live.round import play
    from clout.serving.store.scores import Store

    feeds, lake = read_feeds(settings.home), Lake(settings.lake)
    with held(settings.home, "round", clock()), Store.open(settings.store) as store:
        return play(_parts(settings, feeds, lake, store, clock, tried), store.live_runs, clock)


def _parts(
    settings: Settings,
    feeds: tuple[Feed, ...],
    lake: Lake,
    store: Store,
    clock: Clock,
    tried: Tried,
) -> Iterator[Part]:
    """The sources, then what is due of scoring and watching by what is in the lake when they have come in."""
    from functools import partial

    from clout.models import registry
    from clout.serving.live.round import Part, due
    from clout.serving.store.live_runs import OK

    for feed in feeds:
        yield Part(feed.name, partial(_take_in, feed, lake, clock, tried))
    if not registry.pointer_file(settings.home, registry.CHAMPION).exists():
        typer.echo("there is no champion yet, so nothing is scored: train one with `clout train`", err=True)
        return
    version, fingerprint = registry.pointed(settings.home, registry.CHAMPION), lake.fingerprint()
    for name, do in {"score": _score, "watch": _watch}.items():
        part = Part(name, partial(do, settings, lake, store, clock), version, fingerprint)
        if due(store.live_runs.last(name, OK), part, clock()):
            yield part


def _take_in(
    feed: Feed,
    lake: Lake,
    clock: Clock,
    tried: Tried,
    count: Count,
) -> None:
    """Nothing; what the source has is in the lake."""
    from functools import partial

    from clout.commands.data import forget_told
    from clout.data.sources.live.feeds import take_in

    def come_in() -> None:
        now = clock()
        take_in(feed, lake, now, lambda receipt: count(*receipt.sums()), partial(forget_told, lake, now))

    tried(come_in)


def _score(settings: Settings, lake: Lake, store: Store, clock: Clock, count: Count) -> None:
    """Nothing; accounts that had no score of the day have one."""
    from clout.commands.accounts import score_all_accounts

    count(score_all_accounts(settings, lake, store, None, clock).new, 0)


def _watch(settings: Settings, lake: Lake, _store: Store, clock: Clock, _count: Count) -> None:
    """Nothing; what a watch of all that came since the training saw is in the log of watches."""
    from clout.commands.watch import watched
    from clout.models import registry, watch_log
    from clout.models.score_model import ScoreModel
    from clout.training.watch import Stretch

    now = clock()
    model = ScoreModel.load(registry.champion(settings.home))
    watch_log.append(settings.home, watched(model, lake, settings.home, Stretch(), now).told(), now)
