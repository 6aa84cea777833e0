-- Every account-day whose insights are loaded, with delivery or without, and what is known of it.
-- is_complete is that of the published views, which have no row for a day without delivery.
with insights as (
    select
        *,
        verdict in ('proven', 'unprovable') and is_over is not false as is_good
    from {{ source('fbinsights', 'loads') }}
    where table_name in ('insights_hourly', 'insights_daily')
)

select
    account_id,
    date,
    date_trunc('week', date)::date as week_start,
    bool_and(is_good) or bool_or(table_name = 'insights_daily' and is_good) as is_complete,
    bool_or(table_name = 'insights_daily') as has_results,
    case when not is_complete then
        string_agg(distinct table_name || ': ' || reason, '; ' order by table_name || ': ' || reason)
            filter (where not is_good)
    end as why_incomplete
from insights
group by account_id, date
