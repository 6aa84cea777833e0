-- UTM parameters are those of the creative that an ad has now. Spend without a parameter is in
-- '(none)', and so is that of ads whose creative is not loaded: the sum is what the account spent.
with tagged as (
    select
        ads_by_day.*,
        {% for parameter in ['source', 'medium', 'campaign', 'content'] %}
        {{ filled_in('creatives.utm_' ~ parameter) }} as utm_{{ parameter }},
        {% endfor %}
        creatives.creative_id is not null as has_creative
    from {{ source('fbinsights', 'ad_daily') }} as ads_by_day
    left join {{ source('fbinsights', 'ads') }} as ads using (ad_id)
    left join {{ source('fbinsights', 'creatives') }} as creatives
        on ads.creative_id = creatives.creative_id
)

select
    account_id,
    any_value(account_name) as account_name,
    date,
    any_value(account_currency) as account_currency,
    coalesce(utm_source, '(none)') as utm_source,
    coalesce(utm_medium, '(none)') as utm_medium,
    coalesce(utm_campaign, '(none)') as utm_campaign,
    coalesce(utm_content, '(none)') as utm_content,
    count(distinct ad_id) as ads,
    count(distinct ad_id) filter (where not has_creative) as ads_without_creative,
    sum(impressions)::bigint as impressions,
    sum(clicks)::bigint as clicks,
    sum(spend) as spend,
    sum(purchases) as purchases,
    sum(purchase_value) as purchase_value,
    (sum(spend) / nullif(sum(clicks), 0))::double as cpc,
    bool_and(is_complete) as is_complete
from tagged
group by account_id, date, 5, 6, 7, 8
