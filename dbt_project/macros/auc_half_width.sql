-- Half the width of the 95 % interval of an AUC (Hanley and McNeil 1982, equation 2), for a typical AUC of .75.
{% macro auc_half_width(positives, negatives, auc=0.75) -%}
    {%- set q1 = auc / (2 - auc) -%}
    {%- set q2 = 2 * auc ** 2 / (1 + auc) -%}
    1.96 * sqrt(({{ auc * (1 - auc) }} + ({{ positives }} - 1) * {{ q1 - auc ** 2 }}
        + ({{ negatives }} - 1) * {{ q2 - auc ** 2 }}) / nullif({{ positives }} * {{ negatives }}, 0))
{%- endmacro %}
