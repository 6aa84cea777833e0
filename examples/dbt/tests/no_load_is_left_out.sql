{{ config(meta={'dagster': {'ref': {'name': 'account_performance_daily'}}}) }}
-- Every account-day that was loaded is in the daily mart, with delivery or without.
select
    loads.account_id,
    loads.date
from {{ source('fbinsights', 'loads') }} as loads
anti join {{ ref('account_performance_daily') }} as mart using (account_id, date)
where loads.table_name in ('insights_hourly', 'insights_daily')
