# Databricks notebook source
# MAGIC %md
# MAGIC # 4. Score a month and watch drift
# MAGIC By the champion in force at the month, with reasons for the high band; then each feature's
# MAGIC and the score's distance from that champion's training reference.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("partition", "2005-07", "Partition")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(dbutils, "predictions.credit_default", "monitoring.credit_default_drift")
