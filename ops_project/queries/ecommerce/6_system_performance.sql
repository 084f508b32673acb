-- title: System performance metrics
-- tells: Rows by layer.
select 'Bronze Layer' as layer, sum(row_count) as total_rows, 'Raw ingestion' as description
from (
    select count(*) as row_count from bronze.customers
    union all
    select count(*) from bronze.products
    union all
    select count(*) from bronze.orders
    union all
    select count(*) from bronze.order_items
    union all
    select count(*) from bronze.web_events
) as bronze_tables
union all
select 'Silver Layer', sum(row_count), 'Cleaned & validated'
from (
    select count(*) as row_count from silver.dim_customers
    union all
    select count(*) from silver.dim_products
    union all
    select count(*) from silver.fact_orders
    union all
    select count(*) from silver.fact_order_items
    union all
    select count(*) from silver.fact_web_events
) as silver_tables
union all
select 'Gold Layer', sum(row_count), 'Business aggregations'
from (
    select count(*) as row_count from gold.customer_metrics
    union all
    select count(*) from gold.product_performance
    union all
    select count(*) from gold.daily_revenue
) as gold_tables;
