"""Where tables lie: names of a catalog are quoted, whatever an administrator called it."""

from finance_assets.lakehouse.homes import CatalogHome
from finance_assets_tests.scenario import SILVER


def test_a_table_is_found_by_a_name_that_needs_quoting(spark, tmp_path):
    home = CatalogHome(tmp_path, "sail", "risk-prod_")
    assert not home.open(SILVER, lambda: spark).exists
    layer, entity = SILVER.split(".")
    spark.sql(f"CREATE SCHEMA `risk-prod_{layer}`")
    stored = home.open(SILVER, lambda: spark)
    spark.sql(f"CREATE TABLE {stored.place} (a INT) USING delta LOCATION '{tmp_path / entity}'")
    assert home.open(SILVER, lambda: spark).exists
    assert stored.frame().count() == 0
    spark.sql(f"DROP TABLE {stored.place}")
    spark.sql(f"DROP SCHEMA `risk-prod_{layer}`")
