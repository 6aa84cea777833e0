"""Scenarios about report runs and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import responses, runs
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.scenarios.sources import BATCH, CODES, PRACTICE, READ_TOO_EARLY, TRANSIENT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RUNS_SCENARIOS"]

RUNS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Report runs
    "fresh_run_unknown": Scenario(
        "the first N polls of a run fail with 100/33",
        "singer-io/tap-facebook #174",
        strength=1,
        poll=runs.not_yet_known,
    ),
    "run_stuck_at_100": Scenario(
        "a run stays at Job Running with 100 % for N polls",
        "facebook-python-business-sdk #293",
        strength=3,
        poll=runs.stick,
    ),
    "run_hangs_once": Scenario(
        "the first run of a query stays at N % forever",
        "artefactory-connectors-kit #63",
        strength=0,
        poll=runs.hang_once,
    ),
    "run_hangs": Scenario(
        "every run stays at N % forever",
        "artefactory-connectors-kit #63",
        strength=100,
        poll=runs.hang,
    ),
    "run_fails_once": Scenario(
        "the first run of a query fails with -2/2490547", CODES, poll=runs.fail_once("failed")
    ),
    "run_fails_unknown": Scenario(
        "the first run of a query fails with 2/1504044", CODES, poll=runs.fail_once("unknown")
    ),
    "run_fails_busy": Scenario(
        "the first run of a query fails with 4/1504022", CODES, poll=runs.fail_once("busy")
    ),
    "run_fails_too_large": Scenario(
        "the first run of a query fails with -3/1504045, whatever its size",
        CODES,
        poll=runs.fail_once("too_large"),
    ),
    "run_fails_silently": Scenario(
        "the first run of a query fails without a reason, as before v25",
        PRACTICE,
        poll=runs.fail_once("silent"),
    ),
    "run_always_fails": Scenario("every run fails with -2/2490547", CODES, poll=runs.always_fails),
    "run_skipped_once": Scenario(
        "the first run of a query is skipped", PRACTICE, poll=runs.skip_once
    ),
    "run_vanishes": Scenario(
        "the first run of a query becomes unknown (100/33) when it would be done",
        PRACTICE,
        poll=runs.vanish,
    ),
    "run_unreadable": Scenario(
        "the first N reads of a completed run fail with 2601/1815107",
        READ_TOO_EARLY,
        strength=2,
        read=runs.unreadable,
    ),
    "run_never_readable": Scenario(
        "every read of the first run of a query fails with 2601/1815107",
        READ_TOO_EARLY,
        read=runs.unreadable_once,
    ),
    "spurious_summary": Scenario(
        "the first read of a run fails: Cannot include … in summary param",
        f"{TRANSIENT}; singer-io/tap-facebook",
        read=runs.spurious_summary,
    ),
    "run_id_number": Scenario(
        "report_run_id is a JSON number",
        "facebook-nodejs-business-sdk #119, #188",
        after=responses.creation(lambda run: {"report_run_id": int(run)}, once=False),
    ),
    "run_id_missing": Scenario(
        "the first creation of a run responds in turn without an id and with a null id",
        "asked about, not seen yet",
        after=responses.creation(lambda _: {}, lambda _: {"report_run_id": None}),
    ),
    "odd_polls": Scenario(
        "one in N polls: in turn HTML, no status, no percentage, nulls",
        TRANSIENT,
        strength=3,
        after=responses.poll_body,
    ),
    # Batches
    "batch_null": Scenario("one in N items: null", BATCH, strength=4, item=responses.item_null),
    "batch_throttled": Scenario(
        "one in N items: 17/2446079",
        f"{BATCH}; {TRANSIENT}",
        strength=4,
        item=responses.item_error("throttled_account"),
    ),
    "batch_timed_out": Scenario(
        "one in N items: 960", TRANSIENT, strength=4, item=responses.item_error("batch_aborted")
    ),
}
