"""Jobs that behave badly on purpose; a module of its own, so that worker processes can import it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from earthloom.core.errors import WriteError
from earthloom.store.shards import Counts, Manifest


@dataclass(frozen=True)
class FakeJob:
    """Counts `units` units and writes down which it saw; does what `behaviour` says at unit `at`."""

    name: str
    work: Path
    units: int = 4
    behaviour: str = ""
    at: int = 0
    key: str = "k"
    stage: str = "tile"

    def run(self, tick: Callable[[int], None], skip: dict[int, str]) -> Manifest:
        """Do it."""
        if self.behaviour == "die at once":
            os._exit(3)
        failed = 0
        for unit in range(self.units):
            tick(unit)
            if unit in skip:
                failed += 1
                (self.work / f"{self.name}.skipped").write_text(skip[unit])
            elif unit == self.at:
                self._misbehave()
        counts = Counts(planned=self.units, written=self.units - failed, failed=failed)
        return Manifest(stage=self.stage, name=self.name, key=self.key, counts=counts, tally={}, files={})

    def _misbehave(self) -> None:
        with (self.work / f"{self.name}.tries").open("a") as file:
            file.write(f"{os.getpid()}\n")
        match self.behaviour:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "kill once":
                if len((self.work / f"{self.name}.tries").read_text().split()) == 1:
                    os.kill(os.getpid(), signal.SIGKILL)
            case "disk full":
                raise WriteError("The disk is full.")
            case "bug":
                raise ZeroDivisionError
            case "sleep":
                time.sleep(0.2)
