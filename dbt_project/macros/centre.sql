-- Points on the globe are averaged as vectors, exactly: a mean of longitudes is wrong where 180 degrees meet.
{% macro is_located(latitude, longitude) -%}
    {{ latitude }} between -90 and 90 and {{ longitude }} between -180 and 180
{%- endmacro %}

{% macro vector_sum(latitude, longitude) -%}
    {%- for axis, value in [
        ('x', 'cos(radians(' ~ latitude ~ ')) * cos(radians(' ~ longitude ~ '))'),
        ('y', 'cos(radians(' ~ latitude ~ ')) * sin(radians(' ~ longitude ~ '))'),
        ('z', 'sin(radians(' ~ latitude ~ '))')
    ] %}
        sum(cast({{ value }} as decimal(38, 9))) filter (where {{ is_located(latitude, longitude) }}) as {{ axis }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

-- The direction of summed vectors in degrees, to about a kilometre.
{% macro centre_latitude() -%}
    round(degrees(atan2(cast(z as double), sqrt(pow(cast(x as double), 2) + pow(cast(y as double), 2)))), 2)
{%- endmacro %}

{% macro centre_longitude() -%} round(degrees(atan2(cast(y as double), cast(x as double))), 2) {%- endmacro %}
