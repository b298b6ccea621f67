"""A repository on a disk that takes nothing, and a run whose parent was killed: one line, and nothing is changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from test_full_disk import contents, edgebook

from small_market import copy_history

WRITES = (
    "daily --date 2018-05-30", "weekly", "advance", "backfill", "data fetch", "run bars", "run summary", "export",
    "rollback r2@2018-04-30 --reason why",
)  # fmt: skip
READS = ("versions", "positions", "compare r1 r2", "rederive", "doctor --json")


@pytest.fixture
def read_only(small, tmp_path):
    """The small history, mounted so that nothing can be written."""
    paths = copy_history(small, tmp_path / "mine")
    for words in (["mount", "--bind"], ["mount", "-o", "remount,ro,bind"]):
        place = [str(paths.root)] * (1 if "remount,ro,bind" in words else 2)
        done = subprocess.run([*words, *place], capture_output=True)
        if done.returncode:
            pytest.skip(f"may not mount: {done.stderr.decode().strip()}")
    yield paths
    subprocess.run(["umount", "-l", str(paths.root)], check=True)


def test_what_writes_says_so_in_one_line_and_what_reads_reads(read_only):
    before = contents(read_only.root)
    for words in WRITES:
        done = edgebook(read_only, *words.split())
        said = done.stderr.strip().splitlines()
        assert (done.returncode, len(said)) == (1, 1), f"{words}: {done.stderr[-600:]}"
        assert said[0].startswith("edgebook: ") and "Read-only file system" in said[0], f"{words}: {said[0]}"
    for words in READS:
        done = edgebook(read_only, *words.split())
        assert "Traceback" not in done.stderr, f"{words}: {done.stderr[-600:]}"
        assert done.stdout.strip(), f"{words}: {done.stderr[-600:]}"
    assert contents(read_only.root) == before


def test_while_a_child_of_a_killed_run_goes_on_nobody_else_starts(small, tmp_path):
    paths = copy_history(small, tmp_path / "mine")
    program = (
        "import subprocess, sys; from pathlib import Path; from edgebook.files.lock import only_one\n"
        "with only_one(Path(sys.argv[1]), doing='weekly') as lock:\n"
        "    child = subprocess.Popen(['sleep', '60'], pass_fds=(lock,)); print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(paths.lock)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        busy = edgebook(paths, "daily", "--date", "2018-05-30")
        assert busy.returncode == 1
        assert f"held by `edgebook weekly`, process {parent.pid}, since " in busy.stderr
    finally:
        os.kill(child, signal.SIGKILL)
    for _ in range(100):
        done = edgebook(paths, "daily", "--date", "2018-05-30")
        if "held by" not in done.stderr:
            break
        time.sleep(0.1)
    assert done.returncode == 0, done.stderr
