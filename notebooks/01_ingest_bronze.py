# Databricks notebook source
# MAGIC %md
# MAGIC # 1. Ingest: deliveries to Bronze
# MAGIC Takes over every delivered row of a partition as it came, with file and line. The same step
# MAGIC as the job's task and Dagster's asset; this notebook only calls it.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("use_case", "", "Use case; empty: the first")
dbutils.widgets.text("partition", "", "Partition; empty: the first")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(dbutils, "ingest")
