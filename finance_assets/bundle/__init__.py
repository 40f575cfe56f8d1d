"""The bundle: the Databricks job rendered from the steps, and checked without the CLI."""
