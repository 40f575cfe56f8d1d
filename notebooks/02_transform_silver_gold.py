# Databricks notebook source
# MAGIC %md
# MAGIC # 2. Transform: Silver, Gold, labels and features
# MAGIC Typed and deduplicated by contract, rejected rows to quarantine with reasons; then the
# MAGIC tables made of them, labels and features.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("use_case", "", "Use case; empty: the first")
dbutils.widgets.text("partition", "", "Partition; empty: the first")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(dbutils, "table")
