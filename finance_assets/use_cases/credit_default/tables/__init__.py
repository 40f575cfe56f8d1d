"""Tables of credit_default: one file each, with contract, inputs and transform."""
