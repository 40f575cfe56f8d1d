"""A model's life: measured, judged, crowned, approved, rolled back, explained, reproduced.

The records of it and what people do with them. The steps that run it are in steps/.
"""
