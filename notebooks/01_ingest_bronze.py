# Databricks notebook source
# MAGIC %md
# MAGIC # 1. Ingest: deliveries to Bronze
# MAGIC Takes over every delivered row of a month as it came, with file and line. The same step as
# MAGIC the job's task and Dagster's asset; this notebook only calls it.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("partition", "2005-04", "Partition")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(dbutils, "bronze.credit_statements")
