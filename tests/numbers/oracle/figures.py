"""All tables of a domain's gold against the archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.numbers.oracle import archive, ecommerce, insurance, investor, marketing, streaming
from tests.numbers.oracle.archive import Archive
from tests.numbers.oracle.compare import Table, differences
from tests.numbers.site import Site

DOMAINS: dict[str, Callable[[Archive], Mapping[str, Table]]] = {
    "ecommerce": ecommerce.tables,
    "insurance": insurance.tables,
    "marketing": marketing.tables,
    "streaming": streaming.tables,
}
NOT_COMPUTED = {
    "data_quality_metrics": "it says what checks found, which is no figure of a source",
    "customer_churn_predictions": "a model's opinion; what it learns from is computed in test_what_was_known",
    "customer_segments": "a model's opinion",
    "product_recommendations": "a model's opinion",
}


@dataclass
class Oracle:
    """The second computation for one home. Call `after_run` after each of its runs, because reported figures depend
    on the time of the report.
    """

    site: Site
    reports: investor.Reports = field(default_factory=lambda: investor.Reports({}))

    def after_run(self) -> None:
        if self.site.domain == "investor":
            self.reports.close(archive.read(self.site))

    def tables(self) -> Mapping[str, Table]:
        files = archive.read(self.site)
        if self.site.domain == "investor":
            return investor.tables(files, self.reports)
        return DOMAINS[self.site.domain](files)

    def wrong(self) -> list[str]:
        """The differences between gold and the files, table by table."""
        computed = self.tables()
        names = {
            row[0]
            for row in self.site.ask("select table_name from information_schema.tables where table_schema = 'gold'")
        }
        gold = {name for name, table in computed.items() if table.schema == "gold"}
        assert names - set(NOT_COMPUTED) == gold, "every table of gold is computed a second time"
        with self.site.connect() as connection:
            return [words for name, table in computed.items() for words in differences(connection, name, table)]
