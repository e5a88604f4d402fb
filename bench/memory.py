"""The memory of worker processes that each hold and read the same data frame."""

from __future__ import annotations

import contextlib
import multiprocessing
import pathlib
from collections.abc import Iterator
from multiprocessing.connection import Connection

from bench import contenders
from bench.frame import MILLION, frame, read, size
from bench.report import Demand, Section

_WORKERS = 4


def memory(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield the memory of four workers that hold the 478 MB frame."""
    stash = contenders.stash_in(folder / "memory")
    value = frame(MILLION if quick else 10 * MILLION)
    copy = size(value)
    refs = str(stash.put(frame(1000), share=True)), str(stash.put(value, share=True))
    del value
    processes = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(_WORKERS):
        ours, theirs = processes.Pipe()
        processes.Process(
            target=_work, args=(theirs, folder / "memory", *refs), daemon=True
        ).start()
        pipes.append(ours)
    idle = _ask(pipes, "how much?")
    _ask(pipes, "load")
    loaded = _ask(pipes, "how much?")
    note = f"idle {idle / 1e6:.0f} MB, with the frame {loaded / 1e6:.0f} MB; sums of PSS"
    demand = Demand("beyond the idle workers", (loaded - idle) / copy, 1.2, "copies")
    yield Section(
        f"Memory of {_WORKERS} workers with the {copy / 1e6:.0f} MB frame", [demand], notes=[note]
    )


def _ask(pipes: list[Connection], question: str) -> int:
    for pipe in pipes:
        pipe.send(question)
    return sum(pipe.recv() for pipe in pipes)


def _work(pipe: Connection, folder: pathlib.Path, small: str, big: str) -> None:
    """Answer each question with this process's memory.

    Asked to load, hold and read the big frame from then on.
    """
    stash = contenders.stash_in(folder)
    # An idle worker has served before, and has imported all that reading a frame needs.
    held = stash.ref(small).get()
    read(held)
    with contextlib.suppress(EOFError):  # after the last question
        while True:
            if pipe.recv() == "load":
                held = stash.ref(big).get()
                read(held)
            pipe.send(_pss())


def _pss() -> int:
    """Return this process's memory in bytes; a page that n processes share counts as 1/n."""
    with open("/proc/self/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
