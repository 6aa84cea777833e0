"""`fbinsights forget`: remove an account from the lake, the published tables and Dagster's grid."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from fbgraph import act_id
from fbgraph.limits.shared_cooldowns import Cooldown
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.terminal import print_note
from pipelines.cli.summary import command_name
from pipelines.defs.event_log.events import published_events
from pipelines.defs.event_log.runless import keys_in
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.errors import ConfigError
from pipelines.escaping import escaped
from pipelines.settings import settings_of
from pipelines.state.cooldowns import cooldowns_of
from pipelines.state.dagster_home import open_instance
from pipelines.state.intraday import forget_account
from pipelines.watching.told import forget_watched
from warehouse.errors import WarehouseError
from warehouse.lake.forgetting import remove_account, traces_of, unmark
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.reports.catalog import Reports
    from pipelines.settings import Settings
    from warehouse.lake.forgetting import Traces
    from warehouse.published.publish import Published
    from warehouse.schema.catalog import Catalog
    from warehouse.storage.store import Store

__all__ = ["run_forget"]


def run_forget(environ: Mapping[str, str], known: Reports, account: str, *, is_agreed: bool) -> int:
    """Remove everything of an account, after a question unless it `is_agreed`; returns the exit
    code.

    Its key leaves the grid last, so that after a kill the same command resumes. Makes no request.
    Raises ConfigError for an account that does not exist, and if nobody can be asked, and
    WarehouseError if it is published, but not to the other destination.
    """
    key = act_id(account)
    account_id = key.removeprefix("act_")
    settings = settings_of(environ)
    lake = Lake(settings.warehouse_url)
    with open_instance(environ, lake.store) as instance:
        keys = keys_in(instance, known)
        found = traces_of(lake, account_id)
        if not found and key not in instance.get_dynamic_partitions(AD_ACCOUNTS):
            raise ConfigError(
                f"{lake.store.name()} has no data of {key}. To see which accounts it has, run"
                f' {command_name()} query "from accounts".'
            )
        if not is_agreed and not _agrees(key, found, lake.store.name()):
            print_note("Nothing was removed.")
            return SOME_FAILED
        published = _remove(settings, lake, account_id, found, known.catalog)
        for event in published_events(published, keys):
            instance.report_runless_asset_event(event)
        if published.not_carried:
            raise WarehouseError(
                f"{key} is removed from the lake and from {published.path}, but not from"
                f" {published.not_carried}. What was shown there before may still have it. Fix the"
                f" cause, then repeat `{command_name()} forget --account {key}`: it does the rest"
            )
        if traces_of(lake, account_id).files:
            print_note(
                f"{key} was loaded again meanwhile. Stop that run, then repeat this command."
            )
            return SOME_FAILED
        instance.delete_dynamic_partition(AD_ACCOUNTS, key)
        unmark(lake, account_id)
    print_note(
        f"Removed {key}: {counted(found.account_days, 'account-day')} and everything else of it."
        f" {published.path} is rebuilt without it. While the token sees the account, the next"
        " refresh loads it again: remove the account from the token's user, or list the others in"
        " FB_ACCOUNT_IDS."
    )
    return ALL_DONE


def _remove(
    settings: Settings, lake: Lake, account_id: str, found: Traces, catalog: Catalog
) -> Published:
    """Remove what was found, and publish what is left."""
    lake.require_writable()
    remove_account(lake, account_id, found.files)
    _release_limits(lake.store, account_id)
    forget_account(lake.store, account_id)
    forget_watched(lake.store, account_id)
    return publish(
        settings.warehouse_url, catalog=catalog, afresh=True, destination=settings.destination
    )


def _agrees(key: str, found: Traces, lake: str) -> bool:
    """Ask the user. Raises ConfigError if there is no terminal."""
    if not sys.stdin.isatty():
        raise ConfigError(
            "forget asks before it removes an account. Add --yes where there is no terminal."
        )
    return click.confirm(
        f"Remove {key} {escaped(found.name)} from {lake}:"
        f" {counted(found.account_days, 'account-day')}, its objects and their history, from the"
        " published tables and Dagster's grid too? What Meta no longer returns cannot be loaded"
        " again.",
        err=True,
    )


def _release_limits(store: Store, account_id: str) -> None:
    """Forget the account's limits."""
    cooldowns = cooldowns_of(store, time.time)
    for limit in cooldowns.current():
        if limit.account_id.removeprefix("act_") == account_id:
            cooldowns.put(limit, Cooldown(0.0))
