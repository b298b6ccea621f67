"""Score many points of a study at once, in worker processes; what comes out does not depend on their number.

Each task is a pure function of the bench and its argument, so that who computes it, and when, changes nothing. Workers
are started afresh, not forked: a notebook's kernel has threads, and a fork would copy their locks as they stand. They
read the market from one file that all of them map into memory.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import pickle
import tempfile
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from edgebook.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from edgebook.tuning.tuning_trials import Bench

Task = TypeVar("Task")
Result = TypeVar("Result")
ALIGNMENT = 64
MOST_BY_DEFAULT = 4
"""Four of them and their parent stay below 2 GB on the default market, and a batch has no more points to share out."""


@dataclass
class Crew:
    """Those who compute: the processes of a study, or none, and then it is done here.

    Parameters
    ----------
    bench : Bench
    """

    bench: Bench
    _lines: list[Connection[Any, Any]] = field(default_factory=list)
    _owner: dict[Hashable, int] = field(default_factory=dict)

    def run(
        self, task: Callable[[Bench, Task], Result], arguments: Sequence[Task], *, keys: Sequence[Hashable]
    ) -> Iterator[tuple[int, Result]]:
        """Compute a task for every argument.

        Parameters
        ----------
        task : callable
            A function of a module, called with the bench and an argument.
        arguments : sequence
        keys : sequence
            Arguments of the same key go to the same process, now and later: it has computed what they share.

        Yields
        ------
        tuple of int and result
            Place of the argument, and what came of it, as they are done: with workers in any order.

        Raises
        ------
        DataError
            A worker process has died.
        """
        if not self._lines:
            yield from ((place, task(self.bench, argument)) for place, argument in enumerate(arguments))
            return
        waiting = {key: [i for i, k in enumerate(keys) if k == key] for key in dict.fromkeys(keys)}
        queue, idle = deque(waiting), deque(range(len(self._lines)))
        busy: dict[Any, tuple[int, list[int]]] = {}
        while queue or busy:
            for worker in list(idle):
                key = next((key for key in queue if self._owner.get(key, worker) == worker), None)
                if key is not None:
                    queue.remove(key)
                    idle.remove(worker)
                    self._owner[key] = worker
                    busy[self._lines[worker]] = (worker, waiting[key])
                    self._lines[worker].send((task, [arguments[i] for i in waiting[key]]))
            for line in wait(list(busy)):
                worker, places = busy.pop(line)
                idle.append(worker)
                yield from zip(places, self._heard(worker), strict=True)

    def _heard(self, worker: int) -> list[Any]:
        """What a worker answers; its error is ours."""
        try:
            answer = self._lines[worker].recv()
        except EOFError as error:
            raise DataError(
                "tuning: a worker process died, perhaps for lack of memory; run again with tuning.workers: 1 "
                "(finished trials are kept)"
            ) from error
        if isinstance(answer, BaseException):
            raise answer
        results: list[Any] = answer
        return results


@contextmanager
def crew(bench: Bench, *, workers: int) -> Iterator[Crew]:
    """Start the processes of a study, and end them with it.

    Parameters
    ----------
    bench : Bench
    workers : int
        Number of processes; 1 computes here and starts none, 0 takes one a core, up to `MOST_BY_DEFAULT`.
    """
    number = workers or min(MOST_BY_DEFAULT, _cores())
    if number == 1:
        yield Crew(bench)
        return
    started = []
    lines: list[Connection[Any, Any]] = []
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="edgebook-", ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "bench"
        _lay_out(bench, place)
        try:
            for _ in range(number):
                here, there = context.Pipe()
                process = context.Process(target=_serve, args=(there, str(place)), daemon=True)
                process.start()
                there.close()
                started.append(process)
                lines.append(here)
            yield Crew(bench, lines)
        finally:
            for line in lines:
                line.close()
            for process in started:
                process.terminate()
                process.join()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serve(line: Connection[Any, Any], place: str) -> None:
    """Work until the line is closed, by the study's end or its death."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bench = _pick_up(Path(place))
    while True:
        try:
            task, arguments = line.recv()
        except EOFError:
            return
        try:
            answer: Any = [task(bench, argument) for argument in arguments]
        except Exception as error:
            answer = error
        line.send(answer)


def _lay_out(bench: Bench, place: Path) -> None:
    """Write a bench so that its arrays can be mapped: the pickle beside them, where each begins at the front."""
    buffers: list[pickle.PickleBuffer] = []
    market = bench.market
    engine = None if market.engine is None else {name: market.engine[name] for name in sorted(market.engine)}
    read = replace(market, plans={name: market.plans[name] for name in sorted(market.plans)}, engine=engine)
    body = pickle.dumps(replace(bench, market=read), protocol=5, buffer_callback=buffers.append)
    with place.open("wb") as file:
        spans = []
        for buffer in buffers:
            file.write(bytes(-file.tell() % ALIGNMENT))
            raw = buffer.raw()
            spans.append((file.tell(), raw.nbytes))
            file.write(raw)
    place.with_suffix(".index").write_bytes(pickle.dumps((body, spans)))


def _pick_up(place: Path) -> Bench:
    """Read what `_lay_out` wrote; arrays are copied only where they are written to, and none is."""
    body, spans = pickle.loads(place.with_suffix(".index").read_bytes())
    with place.open("rb") as file:
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    bench: Bench = pickle.loads(body, buffers=[whole[start : start + size] for start, size in spans])
    return bench
