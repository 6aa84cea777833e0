"""Daily budgets in SQL: of campaigns that run now, and of accounts.

A budget is the campaign's or that of its ad sets, never both. Meta sends 0 for the kind that an
object does not have. An object that has ended, or has not begun, still reads ACTIVE.
"""

from __future__ import annotations

from typing import Final

__all__ = ["budgets", "running"]

_RUNS: Final = (
    "effective_status = 'ACTIVE' AND coalesce(start_time <= asked_at, true) "
    "AND coalesce({ends} > asked_at, true)"
)


def running() -> str:
    """Campaigns that are active and have active ad sets, and their daily budget; NULL if a part of
    it is not by the day. `opened` has the accounts and when each was asked.
    """
    runs, ad_set_runs = _RUNS.format(ends="stop_time"), _RUNS.format(ends="end_time")
    return (
        "FROM campaigns JOIN opened USING (account_id) JOIN (FROM adsets JOIN opened "
        "USING (account_id) SELECT account_id, campaign_id, sum(daily_budget) AS of_adsets, "
        f"bool_and(daily_budget > 0) AS all_daily WHERE {ad_set_runs} "
        "GROUP BY account_id, campaign_id) USING (account_id, campaign_id) "
        "SELECT account_id, campaign_id, CASE WHEN daily_budget > 0 THEN daily_budget "
        "WHEN coalesce(lifetime_budget, 0) = 0 AND all_daily THEN of_adsets END AS daily "
        f"WHERE {runs}"
    )


def budgets() -> str:
    """The budgets of campaigns, and of accounts their sum; from `running`. `unknown`: how many of
    them are not by the day.
    """
    return (
        "FROM running SELECT account_id, 'campaign' AS level, campaign_id AS object_id, "
        "daily AS budget, (daily IS NULL)::BIGINT AS unknown "
        "UNION ALL FROM running SELECT account_id, 'account', '', "
        "CASE WHEN count(daily) = count(*) THEN sum(daily) END, count(*) - count(daily) "
        "GROUP BY account_id"
    )
