-- Every line has a price.
select * from {{ ref('bakery_lines') }} where revenue <= 0
