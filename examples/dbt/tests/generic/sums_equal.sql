{# Sums of a mart are those of what it is made of: nothing is lost, nothing counts twice. `of` is a
   source or a model, `by` the columns that both have, `only` a condition on `of`. #}
{% test sums_equal(model, of, by, columns, only='true') %}
with ours as (
    select {{ by | join(', ') }}
        {%- for column in columns %}, coalesce(sum({{ column }}), 0) as {{ column }}{% endfor %}
    from {{ model }}
    group by all
),

theirs as (
    select {{ by | join(', ') }}
        {%- for column in columns %}, coalesce(sum({{ column }}), 0) as {{ column }}{% endfor %}
    from {{ of }}
    where {{ only }}
    group by all
)

select *
from ours
full join theirs using ({{ by | join(', ') }})
where {% for column in columns -%}
    coalesce(ours.{{ column }}, 0) <> coalesce(theirs.{{ column }}, 0)
    {%- if not loop.last %} or {% endif %}
{%- endfor %}
{% endtest %}
