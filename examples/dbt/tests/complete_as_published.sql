{{ config(meta={'dagster': {'ref': {'name': 'account_performance_daily'}}}) }}
-- A day that has delivery is complete here if the published view says so, and only then.
select
    mart.account_id,
    mart.date
from {{ ref('account_performance_daily') }} as mart
join {{ source('fbinsights', 'account_daily') }} as published using (account_id, date)
where mart.is_complete <> published.is_complete
