"""What a worker of `clout serve` runs: our application, and BentoML's for what is no HTTP request.

BentoML's own server passes each request through layers of its own before ours, at ten times the cost of the server here.
"""

from __future__ import annotations

import os
from threading import Thread
from time import sleep

from clout.serving.service import Front, active, answering, places, service
from clout.serving.start import MASTER

LOOK_SECONDS = 1.0


def end_with_master() -> None:
    """Never returns: ends this worker once the process that started it is gone, for a port must not stay taken."""
    while str(os.getppid()) == os.environ[MASTER]:
        sleep(LOOK_SECONDS)
    os._exit(1)


Thread(target=end_with_master, name="watch-master", daemon=True).start()
active.load(*places())  # before it listens: a worker that takes another's place must not answer that it is not ready
app = Front(service.to_asgi(), answering)
