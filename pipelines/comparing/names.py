"""Which column of another loader's table is which: the names that loaders use, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fbgraph.catalog.fields import BREAKDOWNS
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["ROLE_COLUMNS", "TheirColumns", "their_columns"]

#: Roles of numbers → the column of ours that has the same, in `account_daily` and `ad_daily`.
ROLE_COLUMNS: Final[Mapping[str, str]] = {
    "spend": "spend",
    "impressions": "impressions",
    "clicks": "clicks",
    "link_clicks": "link_clicks",
    "purchases": "purchases",
}

#: Without these there is nothing to compare.
REQUIRED: Final = ("date", "account")

#: `end`: last day of a row. `hour`: of the account's clock. `actions`: a list as Graph has it, in
#: JSON or typed, from which purchases are taken. `loaded`: when a row was written.
ROLES: Final = (*REQUIRED, *ROLE_COLUMNS, "ad", "hour", "end", "currency", "loaded", "actions")


class _Known(NamedTuple):
    """A column name in lower case, with _ for blanks, and who uses it."""

    role: str
    name: str
    loaders: str


#: The first that a table has counts. Sources: Fivetran's dbt_facebook_ads; the schemas of Airbyte's
#: source-facebook-marketing; the settings of dlt's facebook_ads; Singer's tap-facebook; Windsor's
#: reference of fields (https://windsor.ai/connector/facebook/); exports of Meta's Ads Manager.
_KNOWN: Final[Sequence[_Known]] = (
    _Known("date", "date_start", "Airbyte, dlt, Singer, Meta's SDK"),
    _Known("date", "date", "Fivetran, Windsor"),
    _Known("date", "date_day", "Fivetran's dbt package"),
    _Known("date", "day", "Meta's export"),
    _Known("date", "reporting_starts", "Meta's export"),
    _Known("end", "date_stop", "Airbyte, dlt, Singer, Meta's SDK"),
    _Known("end", "reporting_ends", "Meta's export"),
    _Known("account", "account_id", "all"),
    _Known("ad", "ad_id", "all"),
    _Known("spend", "spend", "all but Meta's export"),
    _Known("spend", "amount_spent", "Meta's export"),
    _Known("impressions", "impressions", "all"),
    _Known("clicks", "clicks", "all but Meta's export"),
    _Known("clicks", "clicks_(all)", "Meta's export"),
    _Known("link_clicks", "inline_link_clicks", "Fivetran, Airbyte, dlt, Singer, Meta's SDK"),
    _Known("link_clicks", "link_clicks", "Windsor, Meta's export"),
    _Known("purchases", "purchases", "Meta's export"),
    _Known("actions", "actions", "Airbyte, Singer, Meta's SDK"),
    _Known("hour", "hourly_stats_aggregated_by_advertiser_time_zone", "Airbyte, dlt, Meta's SDK"),
    _Known("currency", "account_currency", "Airbyte, Windsor, Meta's SDK"),
    _Known("currency", "currency", "Meta's export"),
    _Known("loaded", "_fivetran_synced", "Fivetran"),
    _Known("loaded", "_airbyte_extracted_at", "Airbyte"),
    _Known("loaded", "_airbyte_emitted_at", "Airbyte"),
    _Known("loaded", "_sdc_extracted_at", "Singer"),
    _Known("loaded", "_dlt_load_id", "dlt"),
)

#: Next to breakdowns: what tells rows of a day apart, of tables by any level.
_OBJECTS: Final = frozenset({"campaign_id", "adset_id", "ad_set_id", "ad_id"})


class TheirColumns(NamedTuple):
    """Their columns: by role; those that tell rows of an account-day apart; all of them."""

    by_role: Mapping[str, str]
    keys: Sequence[str]
    every: Sequence[str]

    @property
    def counted(self) -> Sequence[str]:
        """The roles of the numbers that are compared."""
        there = {*self.by_role} | ({"purchases"} if "actions" in self.by_role else set())
        return tuple(role for role in ROLE_COLUMNS if role in there)


def their_columns(
    columns: Sequence[str], given: Mapping[str, str], *, one_account: bool = False
) -> TheirColumns:
    """The columns by their role: those that are `given` (role → name), else those with a known
    name. `one_account`: all rows are of one account, so that no column has to say it. Raises
    ConfigError, which lists the columns.
    """
    there = {_plain(column): column for column in reversed(columns)}
    listed = f"Its columns: {', '.join(columns)}."
    _require_given(given, there, listed)
    found = {role: there[_plain(column)] for role, column in given.items()}
    for known in _KNOWN:
        if known.role not in found and known.name in there:
            found[known.role] = there[known.name]
    for role in REQUIRED:
        if role not in found and not (role == "account" and one_account):
            or_else = " or, if all rows are of one account, with --account ID"
            raise ConfigError(
                f"No column is known to have the {role}. Name it with --column {role}=NAME"
                f"{or_else if role == 'account' else ''}. {listed}"
            )
    keys = [there[one] for one in there if one in _OBJECTS or one in BREAKDOWNS]
    made = TheirColumns(found, keys, columns)
    if not made.counted:
        raise ConfigError(
            "No column is known to have spend, impressions or clicks. Name one with --column"
            f" spend=NAME. {listed}"
        )
    return made


def _require_given(given: Mapping[str, str], there: Collection[str], listed: str) -> None:
    """Raise ConfigError for a role or a column that does not exist."""
    for role, column in given.items():
        if role not in ROLES:
            raise ConfigError(f"--column {role}={column}: the role is one of {', '.join(ROLES)}.")
        if _plain(column) not in there:
            raise ConfigError(f"--column {role}={column}: there is no such column. {listed}")


def _plain(column: str) -> str:
    """A name as the table has it. An export puts the currency behind: Amount spent (EUR)."""
    plain = column.strip().lower().replace(" ", "_")
    return "amount_spent" if plain.startswith("amount_spent_(") else plain
