-- How much of the money is proven, by account and report: to be shown next to any total.
with loads as (
    select
        loads.*,
        accounts.account_name,
        accounts.account_currency
    from {{ source('fbinsights', 'loads') }} as loads
    left join {{ source('fbinsights', 'accounts') }} as accounts using (account_id)
    where loads.table_name <> 'control_daily'
)

select
    account_id,
    any_value(account_name) as account_name,
    table_name,
    verdict,
    any_value(account_currency) as account_currency,
    count(*) as account_days,
    min(date) as first_date,
    max(date) as last_date,
    sum(spend) as spend,
    (100 * (sum(spend) / nullif(sum(sum(spend)) over (partition by account_id, table_name), 0)))::double
        as percent_of_spend,
    sum(control_spend) as control_spend,
    arg_max(reason, date) as latest_reason
from loads
group by account_id, table_name, verdict
