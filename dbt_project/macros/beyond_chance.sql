-- Whether a count is above its expectation beyond what the best of so many comparisons reaches by chance, at 5 % for all
-- of them together (Bonferroni). The deviance of a Poisson count is a squared z; its tail is bounded by Mills' ratio,
-- P(|Z| > z) < sqrt(2 / pi) exp(-z^2 / 2) / z, since SQL knows no normal distribution.
{% macro is_beyond_chance(observed, expected, compared) -%}
    {{ observed }} > {{ expected }}
    and {{ deviance(observed, expected) }} / 2 + ln({{ deviance(observed, expected) }} * pi() / 2) / 2
    >= ln({{ compared }} / 0.05)
{%- endmacro %}

{% macro deviance(observed, expected) -%}
    greatest(2 * ({{ observed }} * ln({{ observed }} / {{ expected }}) - ({{ observed }} - {{ expected }})), 1e-9)
{%- endmacro %}

-- The lower end of the 95 % interval of observed over expected: what a rare coincidence is shrunk to.
{% macro lift_lower(observed, expected) -%}
    {{ observed }} / {{ expected }} * exp(-1.96 / sqrt({{ observed }}))
{%- endmacro %}
