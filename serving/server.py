"""What a worker of `clout serve` runs: our application, and BentoML's for what is no HTTP request.

A request then passes no layer of BentoML's, and a worker that dies is replaced.
"""

from __future__ import annotations

import gc
import os
from threading import Thread
from time import sleep

from starlette.types import ASGIApp

from clout.serving.service import Front, active, answering, end, places, service

LOOK_SECONDS = 1.0


def worker() -> ASGIApp:
    """The application of a worker, with its model: one that takes another's place must not answer that it is not ready."""
    Thread(target=end_with_master, name="watch-master", daemon=True).start()
    active.load(*places())
    gc.freeze()  # what is loaded stays: looking through it for garbage takes longer than an answer
    return Front(service.to_asgi(), answering, end)


def end_with_master() -> None:
    """Never returns: ends this worker once the process that started it is gone, for a port must not stay taken."""
    while str(os.getppid()) == os.environ["CLOUT_MASTER_PROCESS"]:
        sleep(LOOK_SECONDS)
    os._exit(1)
