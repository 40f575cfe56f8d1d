"""Tables of late_delivery: one file each, with contract, inputs and transform."""
