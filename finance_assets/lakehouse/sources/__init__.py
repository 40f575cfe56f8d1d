"""Sources: what systems promise to deliver, and one reader for each format.

`source.py` is what a use case declares, `reader.py` the protocol that the formats keep: `csv.py`,
`json_lines.py`, `parquet.py`. Typing and rules do not belong here (readable.py, refine.py), nor
does keeping the files (archive.py).
"""
