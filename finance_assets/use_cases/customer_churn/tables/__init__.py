"""Tables of customer_churn: one file each, with contract, inputs and transform."""
