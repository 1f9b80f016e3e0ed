"""A file that is there whole or as it was before: written under another name, brought to disk, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(file: Path, content: str | bytes) -> None:
    """Nothing; `file` now holds `content`, texts in UTF-8. After an error it is as it was, and nothing is left beside it.

    Its folder must be there. Several may write at once: each leaves a whole file, the last one's stays.
    """
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(file)
        sync(file.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync(folder: Path) -> None:
    """Nothing; the names in `folder` are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
