"""A process that is killed right before one of its changes to the file system: each in turn, none is left out.

A kill at a random moment seldom falls between two renames. Here it falls there for certain: Python announces each
change it is about to make, and at the one that is asked for the process kills itself, so that no handler runs.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGES = frozenset(
    ["os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.truncate", "shutil.rmtree", "ctypes.dlopen"]
)
"""Events of Python's audit hooks before a change; the last comes before two folders change places."""
MOST_STEPS = 400


def kill_at_each_step(action: Callable[[], object], *, reset: Callable[[], None], check: Callable[[int], None]) -> int:
    """Run an action again and again, killed before its first change to the file system, its second, and so on.

    Parameters
    ----------
    action : callable
        Runs in a process of its own.
    reset : callable
        Puts everything back before each run.
    check : callable
        Called with the number of the step after each kill; says what must hold then, and runs the action to its end.

    Returns
    -------
    int
        Number of kills.
    """
    for step in range(1, MOST_STEPS):
        reset()
        if not killed_before(action, step=step):
            return step - 1
        check(step)
    raise RuntimeError(f"more than {MOST_STEPS} steps")


def killed_before(action: Callable[[], object], *, step: int) -> bool:
    """Run an action in a process that is killed before a step; False when it came to its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that a fork copies locks: the child takes none
        child = os.fork()
    if child == 0:
        _count_steps(step)
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError(f"the action failed before step {step}")
    return False


def _count_steps(step: int) -> None:
    """Kill this process before its so-manieth change."""
    left = [step]

    def heard(event: str, given: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if event in CHANGES or writes:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)
