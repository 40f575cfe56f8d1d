# Databricks notebook source
# MAGIC %md
# MAGIC # 3. Train, evaluate, judge
# MAGIC The candidate as of a partition, measured on the temporal holdout against champion and
# MAGIC baselines, then judged by the gate. Only a passed report makes it champion.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("use_case", "", "Use case; empty: the first")
dbutils.widgets.text("partition", "", "Partition; empty: the first")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(dbutils, "training", "evaluation", "decision")
