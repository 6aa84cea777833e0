{# Meta fills names into UTM parameters when somebody clicks: here are those that were true on the day. #}
{% macro filled_in(column) %}
{%- set text = namespace(sql=column) -%}
{%- for level in ['campaign', 'adset', 'ad'] -%}
    {%- for what in ['name', 'id'] -%}
        {%- set macro = '{{' ~ level ~ '.' ~ what ~ '}}' -%}
        {%- set text.sql = "replace(" ~ text.sql ~ ", '" ~ macro ~ "', coalesce(ads_by_day." ~ level ~ "_" ~ what ~ ", ''))" -%}
    {%- endfor -%}
{%- endfor -%}
{{ text.sql }}
{%- endmacro %}
