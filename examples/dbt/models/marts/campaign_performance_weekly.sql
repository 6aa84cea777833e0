-- Ratios are made of the week's sums: an average of seven ratios would count a quiet day as much as a
-- busy one. Days are those of the account, so a week is complete even if a campaign ran on two of them.
with weeks as (
    select
        account_id,
        week_start,
        count(*) as days_loaded,
        count(*) filter (where is_complete) as days_complete,
        bool_and(has_results) as has_results
    from {{ ref('loaded_days') }}
    group by account_id, week_start
),

campaigns as (
    select
        account_id,
        campaign_id,
        date_trunc('week', date)::date as week_start,
        arg_max(campaign_name, date) as campaign_name,
        any_value(account_name) as account_name,
        any_value(account_currency) as account_currency,
        sum(impressions)::bigint as impressions,
        sum(clicks)::bigint as clicks,
        sum(spend) as spend,
        sum(purchases) as purchases,
        sum(purchase_value) as purchase_value
    from {{ source('fbinsights', 'campaign_daily') }}
    group by all
)

select
    campaigns.account_id,
    campaigns.account_name,
    campaigns.campaign_id,
    campaigns.campaign_name,
    campaigns.week_start,
    campaigns.account_currency,
    campaigns.impressions,
    campaigns.clicks,
    campaigns.spend,
    campaigns.purchases,
    campaigns.purchase_value,
    (100.0 * clicks / nullif(impressions, 0))::double as ctr,
    (spend / nullif(clicks, 0))::double as cpc,
    (1000.0 * spend / nullif(impressions, 0))::double as cpm,
    -- Spend of days without their results would make it too small.
    case when weeks.has_results then (purchase_value / nullif(spend, 0))::double end as roas,
    weeks.days_loaded,
    weeks.days_complete,
    weeks.days_complete = 7 as is_complete
from campaigns
join weeks using (account_id, week_start)
