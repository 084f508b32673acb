"""Declares the origin of the columns of the assets that are written in Python. A test compares these declarations with
the tables and the inputs of the assets.
"""

from __future__ import annotations

from collections.abc import Mapping

from ops_project.column_lineage import ROWS, Column, Origin
from ops_project.pipeline.learning.tables import TABLE_OF, TABLES

# The models also read bronze tables, because only bronze keeps each version of a record. A model needs the versions to
# know what was known on a past day.
DAYS, ORDERS = "silver/int_customer_days", "bronze/orders"
RATES = "silver/fact_exchange_rates"
ITEMS, VIEWS, PRODUCTS = "silver/fact_order_items", "silver/fact_web_events", "silver/dim_products"
GENRES, SONGS, TOP, VALIDATION = (
    "gold/kpi_genre_daily",
    "gold/kpi_top_songs",
    "gold/kpi_top_genres",
    "silver/rec_stream_validation",
)
LISTENING = "serving/listening_kpis"
SAID = "declared beside the Python that computes it"

Parents = tuple[str, ...]
"""Columns as texts of the form asset.column."""


def _of(asset: str, *names: str) -> Parents:
    return tuple(f"{asset}.{name}" for name in names)


RECENCY = _of(DAYS, "business_date", "sales_orders")
COUNTED = _of(DAYS, "sales_orders")
REVENUE = _of(DAYS, "gross_revenue")
# The columns that the features of the churn model are computed from (learning/frames.py).
FEATURES = (
    *RECENCY,
    *REVENUE,
    *_of(DAYS, "product_views"),
    *_of(ORDERS, "order_date", "customer_id", "status", "updated_at"),
    *_of(RATES, "currency", "rate_date", "exchange_rate"),
)
BASKETS = (
    *_of(ITEMS, "order_id", "product_id"),
    *_of(VIEWS, "session_id", "product_id"),
)
MADE: Parents = ()
"""For a value that the program itself writes (a version, a moment, a parameter). It comes from no column."""

# Table → column → two lists of columns: those whose content the column may hold, and those that only decide what it
# holds.
DECLARED: Mapping[str, Mapping[str, tuple[Parents, Parents]]] = {
    "gold/customer_segments": {
        "customer_id": (_of(DAYS, "customer_id"), ()),
        "segment_name": (MADE, (*RECENCY, *REVENUE, *_of("models/segmentation", ROWS))),
        "recency_days": (RECENCY, ()),
        "order_count": (COUNTED, ()),
        "revenue": (REVENUE, ()),
        "data_date": (_of(DAYS, "business_date"), ()),
        "model_version": (MADE, _of("models/segmentation", ROWS)),
        "predicted_at": (MADE, ()),
    },
    "gold/customer_churn_predictions": {
        "customer_id": (_of(DAYS, "customer_id"), ()),
        "churn_probability": (FEATURES, _of("models/churn", ROWS)),
        "churn_risk": (MADE, (*FEATURES, *_of("models/churn", ROWS))),
        "reasons": (MADE, (*FEATURES, *_of("models/churn", ROWS))),
        "horizon_days": (MADE, ()),
        "data_date": (_of(DAYS, "business_date"), ()),
        "model_version": (MADE, _of("models/churn", ROWS)),
        "predicted_at": (MADE, ()),
    },
    "gold/product_recommendations": {
        "product_id": (_of(PRODUCTS, "product_id"), BASKETS),
        "recommended_product_id": (_of(PRODUCTS, "product_id"), BASKETS),
        "place": (MADE, BASKETS),
        "score": (MADE, BASKETS),
        "support": (MADE, _of(ITEMS, "order_id", "product_id")),
        "product_name": (_of(PRODUCTS, "product_name"), ()),
        "recommended_product_name": (_of(PRODUCTS, "product_name"), BASKETS),
        "data_date": (_of(DAYS, "business_date"), ()),
        "model_version": (MADE, _of("models/recommendations", ROWS)),
        "predicted_at": (MADE, ()),
    },
    LISTENING: {
        "listens": ((*_of(GENRES, "listens"), *_of(SONGS, "listens"), *_of(TOP, "listens")), ()),
        "unique_listeners": (_of(GENRES, "unique_listeners"), ()),
        "total_listening_seconds": (_of(GENRES, "total_listening_seconds"), ()),
        "mean_listening_seconds": (_of(GENRES, "mean_listening_seconds"), ()),
        "genre": ((*_of(GENRES, "genre"), *_of(TOP, "genre")), ()),
        "top_songs": (_of(SONGS, "song_rank", "song_id", "title", "artist", "listens"), _of(SONGS, "genre")),
        "top_genres": (_of(TOP, "genre_rank", "genre", "listens"), ()),
        "day": (_of(GENRES, "business_date"), ()),
        "built_at": (_of(GENRES, "metric_updated_at"), ()),
    },
}
# Asset → the columns that decide which rows it has.
ROWS_OF: Mapping[str, Parents] = {
    "gold/customer_segments": (*RECENCY, *_of(DAYS, "customer_id", ROWS)),
    "gold/customer_churn_predictions": (*RECENCY, *_of(DAYS, "customer_id", ROWS)),
    "gold/product_recommendations": (
        *BASKETS,
        *_of(ITEMS, ROWS),
        *_of(PRODUCTS, "is_current", "is_active", "category", ROWS),
    ),
    LISTENING: (
        *_of(GENRES, "business_date", ROWS),
        *_of(SONGS, ROWS),
        *_of(TOP, ROWS),
        *_of(VALIDATION, "business_date", "is_error_rate_within", "is_reference_within", ROWS),
    ),
    # A registered version depends on all rows and columns of its tables.
    "models/segmentation": (*RECENCY, *REVENUE, *_of(DAYS, ROWS)),
    "models/churn": (*FEATURES, *_of(DAYS, ROWS), *_of(ORDERS, ROWS)),
    "models/recommendations": (*BASKETS, *_of(ITEMS, ROWS), *_of(VIEWS, ROWS), *_of(PRODUCTS, ROWS)),
}


def of_python() -> dict[Column, Origin]:
    """Column → its origin, for every asset that Python computes."""
    found: dict[Column, Origin] = {}
    for asset, columns in DECLARED.items():
        for name, (values, conditions) in columns.items():
            found[Column(asset, name)] = _origin(values, conditions)
    for table in TABLE_OF.values():
        asset = table.replace(".", "/")
        for name in TABLES[table]:
            why = f"{asset} does not say where its column {name} comes from"
            found.setdefault(Column(asset, name), Origin("unknown", reason=why))
    for asset, parents in ROWS_OF.items():
        found[Column(asset, ROWS)] = _origin((), parents)
    return found


def _origin(values: Parents, conditions: Parents) -> Origin:
    if not values and not conditions:
        return Origin("absent", reason="the program writes it: a version, a moment, a parameter")
    shown = tuple(Column.parse(text) for text in dict.fromkeys(values))
    deciding = tuple(Column.parse(text) for text in dict.fromkeys(conditions) if text not in values)
    return Origin("proven", shown, deciding, SAID)
