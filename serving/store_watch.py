"""Whether the store of scores answers, as it is told to whoever may ask and to the log."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor

from clout.serving.accounts.kept import NO_STORE, OK, AccountStore
from clout.serving.metrics import Metrics

STORE_SECONDS = 1.0
DOWN = "the score store does not answer; expected it to: see the log of the service"

log = logging.getLogger("clout.serving")


class StoreWatch:
    """What asks `store` whether it answers, one question at a time, and says in the log when that changes."""

    def __init__(self, store: AccountStore, metrics: Metrics) -> None:
        self._store, self._metrics = store, metrics
        self._executor = ThreadPoolExecutor(1, "store-watch")
        self._asking: Future[str] | None = None
        self._answers = True

    async def state(self) -> str:
        """`ok`, that there is no store, or that it does not answer; why is in the log, for it names places and people."""
        told = await self._asked()
        answers = told in {OK, NO_STORE}
        self._metrics.store_answers(answers)
        if self._answers and not answers:
            log.error("the score store stopped answering: %s", told)
        if answers and not self._answers:
            log.info("the score store answers again")
        self._answers = answers
        return told if answers else DOWN

    async def _asked(self) -> str:
        """What the store says in time; one that hangs is not asked again before it has let go."""
        if self._asking is None or self._asking.done():
            self._asking = self._executor.submit(self._store.state)
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._asking)), STORE_SECONDS)
        except TimeoutError:
            return f"no answer within {STORE_SECONDS:g} s"
        except Exception as error:  # whatever broke, the figures of the service are told
            return repr(error)
