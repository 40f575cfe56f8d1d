"""Which customers of a phone company leave next week? Weekly, known a week later.

Customers come as CSV of another country, usage as Parquet, and who left as a file of its own.
"""
