"""The queries of the page: one for each of its parts, over all accounts at once."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACCOUNTS_SQL",
    "ADS_SQL",
    "CAMPAIGNS_SQL",
    "FAILED_SQL",
    "HOURS_SQL",
    "LOADS_SQL",
    "NEWEST_SQL",
    "NUMBERS_SQL",
    "RESTATED_SQL",
]

ACCOUNTS_SQL: Final = """\
select account_id, coalesce(nullif(account_name, ''), 'act_' || account_id) as name,
       coalesce(account_currency, ''), coalesce(nullif(account_timezone, ''), 'UTC'), newest, first
from accounts
left join (
  select account_id, max(loaded_at) as newest, min(date) as first from loads
  where table_name in ('insights_hourly', 'insights_daily') group by all
) using (account_id)
order by name, account_id"""

#: What to say where nothing is loaded: the failure of the newest day.
FAILED_SQL: Final = """\
select reason, command from failures
where table_name in ('insights_hourly', 'insights_daily') order by date desc, account_id limit 1"""

#: When something was last loaded, and the newest day of any account that was loaded or tried.
NEWEST_SQL: Final = """\
select max(loaded_at),
       greatest(max(date), (select max(date) from failures
                            where table_name in ('insights_hourly', 'insights_daily')))
from loads where table_name in ('insights_hourly', 'insights_daily')"""

#: What Meta sent no value of is 0 here: a day whose totals have it is unproven.
NUMBERS_SQL: Final = """\
select account_id, date, coalesce(spend, 0), coalesce(impressions, 0), coalesce(clicks, 0),
       case when has_results then coalesce(purchases, 0) end as purchases,
       case when has_results then coalesce(purchase_value, 0) end as purchase_value
from account_daily
left join (
  select account_id, date, true as has_results from loads where table_name = 'insights_daily'
) using (account_id, date)
where date between $since and $until"""

#: Of an account's day the better load counts, and that of its hours if both are as good: that is
#: what the view account_daily is made of.
LOADS_SQL: Final = """\
with all_loads as (
  select *, table_name = 'insights_hourly' as is_hours,
         verdict in ('proven', 'unprovable') and is_over is not false as is_good
  from loads
  where table_name in ('insights_hourly', 'insights_daily') and date between $since and $until
), chosen as (
  select account_id, date, arg_max(all_loads, (is_good, is_hours)) as load
  from all_loads group by all
)
select account_id, date, load.verdict, load.reason, load.spend, load.control_spend,
       coalesce(failed.reason, '') as failed, coalesce(failed.command, '') as command
from chosen
full join (
  select account_id, date, max(reason) as reason, max(command) as command from failures
  where table_name in ('insights_hourly', 'insights_daily') and date between $since and $until
  group by all
) as failed using (account_id, date)"""

CAMPAIGNS_SQL: Final = """\
select account_id, campaign_id, date, campaign_name, objective, effective_status,
       coalesce(spend, 0), coalesce(impressions, 0), coalesce(clicks, 0), purchases, purchase_value
from (from campaign_daily where date between $since and $until)
left join (select account_id, campaign_id, effective_status from campaigns)
  using (account_id, campaign_id)"""

ADS_SQL: Final = """\
with delivered as (
  select account_id, ad_id, ad_name, date, spend, coalesce(impressions, 0) as impressions,
         coalesce(clicks, 0) as clicks
  from ad_daily where date between $since and $until
), top as (
  select account_id, ad_id, arg_max(ad_name, date) as ad_name, sum(spend) as spend
  from delivered join (select unnest($ids) as account_id, unnest($firsts) as first,
                              unnest($lasts) as last) using (account_id)
  where date between first and last
  group by account_id, ad_id having sum(spend) > 0
  qualify row_number() over (partition by account_id order by sum(spend) desc, ad_id) <= $ads
)
select top.account_id, top.ad_id, top.ad_name, top.spend, ads.effective_status, path,
       date, impressions, clicks
from top join delivered using (account_id, ad_id)
left join ads using (ad_id)
left join (select creative_id, any_value(path) as path from thumbnails group by all)
  using (creative_id)
order by top.account_id, top.spend desc, top.ad_id, date"""

#: The median over loaded days; a day without the hour had none in it.
HOURS_SQL: Final = """\
with days as (
  select account_id, date from loads
  where table_name = 'insights_hourly' and is_over is not false and date between $since and $until
)
select account_id, isodow(date) as weekday, n as hour, median(coalesce(spend, 0))::double as spend,
       count(*) as days
from days cross join range(24) as hours(n)
left join (select account_id, date, hour as n, spend from account_hourly
           where date between $since and $until) using (account_id, date, n)
group by all"""

#: Both reports have the same spend, so of each day only the one that is first here counts.
RESTATED_SQL: Final = """\
select account_id, date, table_name, previous_loaded_at, spend_before, spend_after
from restatements
where table_name in ('insights_hourly', 'insights_daily') and date between $since and $until
      and spend_before is not null and spend_after is not null
order by loaded_at, table_name"""
