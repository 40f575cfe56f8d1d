# Databricks notebook source
# MAGIC %md
# MAGIC # 2. Transform: Silver, Gold, labels and features
# MAGIC Typed and deduplicated by contract, rejected rows to quarantine with reasons; then the
# MAGIC account-months, the portfolio, labels and features.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("partition", "2005-04", "Partition")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(
    dbutils,
    "silver.credit_statements",
    "gold.credit_account_months",
    "gold.credit_portfolio",
    "labels.credit_default",
    "features.credit_default",
)
