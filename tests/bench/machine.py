"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.processes import ROOT

__all__ = ["description"]


def description() -> list[str]:
    """A line each: date, machine, software."""
    memory_kb = int(_value("/proc/meminfo", "MemTotal").split()[0])
    return [
        f"date      {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"machine   {_value('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores, {memory_kb / 2**20:.0f} GiB memory"
        + (", virtual" if " hypervisor" in _value("/proc/cpuinfo", "flags") else ""),
        f"system    {platform.system()} {platform.release()}, state and stores on {_file_system()}, 1-minute load at the start "
        f"{os.getloadavg()[0]:.2f}",
        f"software  Python {platform.python_version()}, QuickFIX {version('quickfix')}, fixrouter {version('fixrouter')} at {_commit()}",
    ]


def _value(path: str, key: str) -> str:
    with suppress(OSError):
        for line in Path(path).read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return "0 (unknown)"


def _file_system() -> str:
    """The type of the file system that temporary folders are on."""
    folder = str(Path(tempfile.gettempdir()).resolve())
    best = ("", "an unknown file system")
    with suppress(OSError):
        for line in Path("/proc/mounts").read_text().splitlines():
            _, point, kind, *_ = line.split()
            if (folder + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best[0]):
                best = (point, kind)
    return best[1]


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "router", "fix", "bridges", "config")
        return git("rev-parse", "--short", "HEAD") + (", with changes that are not committed" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return "an unknown commit"
