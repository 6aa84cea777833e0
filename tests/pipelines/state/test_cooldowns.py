"""Limits shared by machines whose lake is in a bucket: a folder for each, one bucket for all."""

from __future__ import annotations

import json
import os
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from fbgraph.limits.shared_cooldowns import Cooldown, SharedCooldowns
from fbgraph.limits.throttle import Throttle
from fbgraph.limits.usage import Limit
from pipelines.state.cooldowns import KEY, LEAST_SECONDS, REREAD_SECONDS, cooldowns_of
from tests.clock import Clock
from tests.limits import ONE, TWO, refusal
from warehouse.storage.atomic import STAGING
from warehouse.storage.bucket import Bucket
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.s3 import S3

    Machine = Callable[[str], SharedCooldowns]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def machine(s3: S3, tmp_path: Path, clock: Clock) -> Machine:
    """The cooldowns of a process on the machine of a name."""
    bucket = s3.new_bucket()
    return lambda name: cooldowns_of(Bucket(bucket, "lake", tmp_path / name), clock.seconds)


def test_what_one_machine_is_told_another_obeys(machine: Machine, clock: Clock) -> None:
    here, there = (Throttle(clock.seconds, machine(name)) for name in ("here", "there"))

    here.release(ONE, refusal(100.0))

    assert [there.acquire(ONE), there.acquire(TWO)] == [100.0, 0.0]


def test_of_all_machines_one_finds_out_whether_a_block_is_over(
    machine: Machine, clock: Clock
) -> None:
    crowd = [Throttle(clock.seconds, machine(name)) for name in ("a", "a", "b", "c")]
    crowd[0].release(ONE, refusal(100.0))
    told = [one.acquire(ONE) for one in crowd]
    clock.sleep(100)

    probes = [one.acquire(ONE) for one in reversed(crowd)]
    crowd[-1].release(ONE, refusal(50.0))
    clock.sleep(REREAD_SECONDS)
    again = [one.acquire(ONE) for one in crowd]

    assert told == [100.0] * 4
    assert [wait <= 0 for wait in probes] == [True, False, False, False]
    assert all(wait >= 50 - REREAD_SECONDS for wait in again)


def test_machines_that_claim_in_the_same_moment_are_told_apart_by_the_bucket(
    machine: Machine,
) -> None:
    here, there = machine("here"), machine("there")
    have_looked = here.current(), there.current()

    claims = [one.claim({Limit("1")}, 10.0) for one in (here, there)]
    here.put(Limit("1"), Cooldown(0.0))

    assert (have_looked, claims) == (({}, {}), [True, False])
    assert there.claim({Limit("1")}, 10.0)


def test_a_limit_that_is_free_again_is_free_for_all_machines(
    machine: Machine, clock: Clock
) -> None:
    here, there = (Throttle(clock.seconds, machine(name)) for name in ("here", "there"))
    here.release(ONE, refusal(100.0))
    clock.sleep(100)

    waits = [here.acquire(ONE), there.acquire(ONE)]
    here.release(ONE)
    clock.sleep(REREAD_SECONDS)
    waits.append(there.acquire(ONE))

    assert (waits[0], waits[1] > 0, waits[2]) == (0.0, True, 0.0)


def test_the_bucket_is_looked_at_now_and_then_and_told_only_what_lasts(
    machine: Machine, clock: Clock, s3: S3
) -> None:
    cooldowns, begun = machine("here"), len(s3.asked)

    for _ in range(10):
        cooldowns.current()
        cooldowns.put(Limit("1"), Cooldown(LEAST_SECONDS - 1))
    changed_days = [method for method, path in s3.asked[begun:] if path.endswith(KEY)]
    clock.sleep(REREAD_SECONDS)
    for _ in range(10):
        cooldowns.current()
        cooldowns.put(Limit("1"), Cooldown(60.0))
    told = [method for method, path in s3.asked[begun:] if path.endswith(KEY)]

    assert changed_days == ["GET"]
    assert (told.count("PUT"), len(told)) == (1, 5)  # another look; its condition, what is there


@pytest.mark.parametrize("text", ["", "[", "{}", '[["1"]]', "null"])
def test_an_object_that_makes_no_sense_keeps_nobody_from_calling(
    s3: S3, tmp_path: Path, clock: Clock, text: str
) -> None:
    store = Bucket(s3.new_bucket(), "lake", tmp_path)
    store.note(KEY, text)
    cooldowns = cooldowns_of(store, clock.seconds)

    told = cooldowns.current()
    cooldowns.put(Limit("1"), Cooldown(50, is_block=True))

    assert told == {}
    assert json.loads(store.read(KEY)) == [["1", "", 50.0, True]]


def test_a_bucket_that_is_not_there_leaves_the_machine_to_itself_and_says_so_once(
    s3: S3, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    assert s3.url
    store = Bucket("no-such-bucket", "", tmp_path)
    one, other = (cooldowns_of(store, clock.seconds) for _ in range(2))

    one.put(Limit("1"), Cooldown(50, is_block=True))
    is_ours = one.claim({Limit("2")}, 10.0)

    assert (is_ours, other.current()[Limit("1")]) == (True, Cooldown(50, is_block=True))
    warned = [
        entry.getMessage() for entry in caplog.records if entry.name == "pipelines.state.cooldowns"
    ]
    assert ["NoSuchBucket" in text for text in warned] == [True, True]  # one of each process


def test_a_lake_in_a_folder_has_the_file_alone(tmp_path: Path, clock: Clock) -> None:
    """Its format is that of 0.1.0."""
    cooldowns = cooldowns_of(Folder(tmp_path / "not" / "yet"), clock.seconds)

    before = cooldowns.current()
    cooldowns.put(Limit("1", "ads_insights"), Cooldown(50))

    assert (before, cooldowns.current()) == ({}, {Limit("1", "ads_insights"): Cooldown(50.0)})
    text = (tmp_path / "not" / "yet" / KEY).read_text()
    assert json.loads(text) == [["1", "ads_insights", 50.0, False]]


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\ud83d"])
def test_a_file_that_cannot_be_read_keeps_no_load_from_running(
    tmp_path: Path, clock: Clock, text: str
) -> None:
    (tmp_path / KEY).write_bytes(text.encode("utf-8", "surrogatepass"))
    cooldowns = cooldowns_of(Folder(tmp_path), clock.seconds)

    found = cooldowns.current()
    cooldowns.put(Limit("1"), Cooldown(5))

    assert (found, cooldowns.current()) == ({}, {Limit("1"): Cooldown(5.0)})


def test_a_folder_that_cannot_be_written_to_keeps_no_load_from_running_and_says_so_once(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / STAGING).write_text("a file where it is written first")
    cooldowns = cooldowns_of(Folder(tmp_path), clock.seconds)

    cooldowns.put(Limit("1"), Cooldown(5))
    is_ours = cooldowns.claim({Limit("1")}, 10.0)

    assert (is_ours, cooldowns.current()) == (True, {})
    assert [str(tmp_path / STAGING) in entry.getMessage() for entry in caplog.records] == [True]


def _put_many(root: Path, account_id: str) -> None:
    cooldowns = cooldowns_of(Folder(root), lambda: 0.0)
    for n in range(20):
        cooldowns.put(Limit(f"{account_id}{n}"), Cooldown(100))


def test_many_processes_lose_nothing_that_they_share(tmp_path: Path) -> None:
    context = get_context("fork" if os.name == "posix" else None)
    writers = [context.Process(target=_put_many, args=(tmp_path, letter)) for letter in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    found = cooldowns_of(Folder(tmp_path), lambda: 0.0).current()

    assert found.keys() == {Limit(f"{letter}{n}") for letter in "abcd" for n in range(20)}
