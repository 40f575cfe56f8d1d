# Databricks notebook source
# MAGIC %md
# MAGIC # 4. Score a partition and watch drift
# MAGIC By the champion in force at it, with reasons for the high band; then each feature's
# MAGIC and the score's distance from that champion's training reference.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("use_case", "", "Use case; empty: the first")
dbutils.widgets.text("partition", "", "Partition; empty: the first")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(dbutils, "scoring", "monitoring")
