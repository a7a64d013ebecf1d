"""The result file of a run: what was measured, on which device and driver, from which commit, by which command."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import machine


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Parameters
    ----------
    target: what is aimed at; None: nothing. lower_is_better: which side of it is good. detail: how it came about.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    lower_is_better: bool = False
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.lower_is_better else self.value >= self.target

    def __str__(self) -> str:
        aimed = "" if self.target is None else f"  ({'met' if self.met else 'missed'}, aimed at {self.target:g})"
        return f"{self.name}: {self.value:,.4g} {self.unit}{aimed}"


@dataclass
class Outcome:
    """What a run found so far.

    Parameters
    ----------
    command: as it was given. device: name, driver and so on. commit: what is measured.
    """

    command: str
    device: dict[str, Any]
    commit: str
    say: Callable[[str], None] = print
    figures: list[Figure] = field(default_factory=list)
    parts: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        """Keep a figure and show it."""
        self.figures.append(figure)
        self.say(f"  {figure}")

    def leave_out(self, text: str) -> None:
        """Say what was not measured, and why."""
        self.left_out.append(text)
        self.say(f"  left out: {text}")

    @property
    def missed(self) -> list[Figure]:
        """Figures that are not what was aimed at."""
        return [figure for figure in self.figures if figure.met is False]

    def write(self, path: Path) -> None:
        """Write everything as JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "command": self.command,
            "commit": self.commit,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "device": self.device,
            "host": f"{machine()}, Python {platform.python_version()}",
            "figures": [asdict(figure) | {"met": figure.met} for figure in self.figures],
            "missed": [str(figure) for figure in self.missed],
            "left_out": self.left_out,
            **self.parts,
        }
        part = path.with_suffix(".part")
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        part.replace(path)


def device_of(cupy: Any) -> dict[str, Any]:
    """Name, driver and size of the current device."""
    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    driver = cupy.cuda.runtime.driverGetVersion()
    return {
        "name": properties["name"].decode(),
        "architecture": f"sm_{properties['major']}{properties['minor']}",
        "multiprocessors": properties["multiProcessorCount"],
        "memory_bytes": properties["totalGlobalMem"],
        "driver": driver_version(),
        "driver_cuda": f"{driver // 1000}.{driver % 1000 // 10}",
        "nvrtc": ".".join(str(part) for part in cupy.cuda.nvrtc.getVersion()),
        "cupy": cupy.__version__,
    }


def driver_version(stated: Path = Path("/proc/driver/nvidia/version")) -> str:
    """The driver's own version, as the kernel module or NVIDIA's tool states it; empty where neither does."""
    words = stated.read_text(encoding="utf-8").split() if stated.is_file() else []
    numbers = [word for word in words if word.count(".") >= 1 and word.replace(".", "").isdigit()]
    if numbers:
        return numbers[0]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    asked = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=30.0)
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""
