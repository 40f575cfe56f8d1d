"""Tables: contracts, deliveries, audit and publish. Knows Spark and Delta, never Dagster."""
