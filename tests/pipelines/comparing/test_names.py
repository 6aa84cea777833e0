"""Which column of another loader's table is which."""

from __future__ import annotations

import pytest

from pipelines.comparing.names import their_columns
from pipelines.errors import ConfigError

AIRBYTE = (
    *("_airbyte_raw_id", "_airbyte_extracted_at", "account_id", "account_currency", "ad_id"),
    *("date_start", "date_stop", "spend", "impressions", "clicks", "inline_link_clicks", "actions"),
)
EXPORT = ("Day", "Account ID", "Ad ID", "Amount spent (EUR)", "Impressions", "Clicks (all)")


def test_columns_of_a_known_loader_need_no_options() -> None:
    found = their_columns(AIRBYTE, {})

    assert found.counted == ("spend", "impressions", "clicks", "link_clicks", "purchases")
    assert found.by_role["date"] == "date_start"
    assert found.by_role["loaded"] == "_airbyte_extracted_at"
    assert found.keys == ["ad_id"]


def test_an_export_has_its_currency_in_the_name_of_a_column() -> None:
    found = their_columns(EXPORT, {})

    assert found.by_role == {
        "date": "Day",
        "account": "Account ID",
        "ad": "Ad ID",
        "spend": "Amount spent (EUR)",
        "impressions": "Impressions",
        "clicks": "Clicks (all)",
    }


def test_a_column_that_is_given_goes_before_one_with_a_known_name() -> None:
    found = their_columns(("date", "account_id", "spend", "cost"), {"spend": "cost"})

    assert found.by_role["spend"] == "cost"


def test_breakdowns_tell_rows_of_an_ad_apart() -> None:
    found = their_columns(("date", "account_id", "ad_id", "age", "gender", "clicks"), {})

    assert sorted(found.keys) == ["ad_id", "age", "gender"]


@pytest.mark.parametrize(
    ("names", "given", "message"),
    [
        (("day", "spend"), {}, "--column account=NAME or, if all rows are of one account"),
        (("account_id", "spend"), {}, "--column date=NAME. Its columns: account_id, spend."),
        (("day", "account_id", "cost"), {}, "--column spend=NAME"),
        (AIRBYTE, {"spend": "cost"}, "there is no such column"),
        (AIRBYTE, {"money": "spend"}, "the role is one of date, account"),
    ],
)
def test_what_cannot_be_compared_says_which_columns_there_are(
    names: tuple[str, ...], given: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        their_columns(names, given)

    assert message in str(caught.value)


def test_a_table_of_one_account_needs_no_column_of_it() -> None:
    found = their_columns(("day", "spend"), {}, one_account=True)

    assert found.by_role == {"date": "day", "spend": "spend"}
