"""Ctrl-C ends a command that does not end by itself. At any moment of a load: tests/kills."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.pace import PATIENCE_SECONDS, within

#: A command, and what it does until somebody ends it.
PROGRAM = """
import hashlib, sys, threading, time
from pipelines.cli.main import cli, main
from pipelines.interrupts import with_cost

class Swallows:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(60)

@cli.command()
def sleeps():
    print("ready", flush=True)
    time.sleep(60)

@cli.command()
def swallows():
    Swallows()  # what is raised while an object is destroyed is printed and forgotten
    print("went on", flush=True)
    time.sleep(60)

@cli.command()
def catches():
    with with_cost(lambda: "Interrupted. No partial data was written. 3 days are loaded."):
        print("ready", flush=True)
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass

@cli.command()
def lingers():
    threading.Thread(target=time.sleep, args=(60,)).start()  # Python waits for it at exit
    print("ready", flush=True)
    time.sleep(60)

@cli.command()
def computes():
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # one call of a library, deaf to signals

main()
"""


def started(name: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-c", PROGRAM, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["sleeps", "swallows", "catches", "lingers", "computes"])
def test_whatever_a_command_is_at_it_ends_within_three_seconds(
    name: str, number: signal.Signals
) -> None:
    process = started(name)
    began = time.monotonic()

    process.send_signal(number)
    _, stderr = process.communicate(timeout=PATIENCE_SECONDS)

    assert (process.returncode, time.monotonic() - began < within(3.0)) == (130, True)
    assert stderr.count("fbinsights: Interrupted. No partial data was written.") == 1
    assert ("3 days are loaded" in stderr) == (name == "catches")


@pytest.mark.parametrize("name", ["catches", "lingers", "computes"])
def test_a_second_ctrl_c_ends_it_at_once(name: str) -> None:
    process = started(name)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    began = time.monotonic()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)

    assert (process.returncode, time.monotonic() - began < within(1.0)) == (130, True)
