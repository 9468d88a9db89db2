-- One row per product.
select
    'p' || (1000000 + number) as sku,
    'Product ' || number as label,
    'category ' || (1 + number % 40) as category,
    'department ' || (1 + number % 8) as department,
    'brand ' || (1 + number % 97) as brand
from range(1, $products + 1) as numbers(number)
order by number
