"""What machine the figures come from, and which versions of what decides how fast things go.

Usage: python bench/machine.py [--json]
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer
from measuring.tables import show

from clout.display import print_json

PACKAGES = ("numpy", "polars", "pandas", "duckdb", "lightgbm", "scikit-learn", "shap", "xgboost-cpu")


def described() -> dict[str, str | int | float]:
    """The processor, its cores, the memory and the versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(memory, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: told for package in PACKAGES if (told := _version(package))},
    }


def _version(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The name of the processor, as Linux tells it; elsewhere its kind."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Tell what machine this is."""
    told = described()
    print_json(told) if as_json else show("This machine", ("", ""), [*told.items()])


if __name__ == "__main__":
    typer.run(main)
