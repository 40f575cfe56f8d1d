# Databricks notebook source
# MAGIC %md
# MAGIC # 3. Train, evaluate, judge
# MAGIC The candidate as of a month, measured on the temporal holdout against champion and
# MAGIC baselines, then judged by the gate. Only a passed report makes it champion.

# COMMAND ----------

from finance_assets.compute.notebook import run

dbutils.widgets.text("partition", "2005-06", "Partition")
dbutils.widgets.text("settings", "", "NAME=VALUE, one a line")

# COMMAND ----------

run(
    dbutils,
    "models.credit_default_candidate",
    "models.credit_default_evaluation",
    "models.credit_default_decision",
)
