-- Zero and gap differ: a loaded day without delivery has zeros, a day that is not loaded has no row.
select
    days.account_id,
    accounts.account_name,
    days.date,
    days.week_start,
    accounts.account_currency,
    coalesce(performance.impressions, 0) as impressions,
    coalesce(performance.clicks, 0) as clicks,
    coalesce(performance.spend, 0)::decimal(38, 6) as spend,
    performance.purchases,
    performance.purchase_value,
    performance.leads,
    performance.ctr,
    performance.cpc,
    performance.cpm,
    performance.roas,
    days.is_complete,
    days.why_incomplete
from {{ ref('loaded_days') }} as days
left join {{ source('fbinsights', 'account_daily') }} as performance using (account_id, date)
left join {{ source('fbinsights', 'accounts') }} as accounts using (account_id)
