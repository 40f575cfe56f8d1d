"""Alike: partitions with the same rows, which a use case takes for one delivery that came twice."""

from typing import TYPE_CHECKING

import pyarrow as pa

from finance_assets.scaffold.profile import texts_of

if TYPE_CHECKING:
    from finance_assets.scaffold.deliveries import Split
    from finance_assets.scaffold.given import Given


def alike(given: "Given", split: "Split", time: str | None) -> int:
    """How many partitions have the rows of another, but for the partition that they name.

    Only where they name it: a time within the partition, or a key, is never that of another.
    """
    if time is None or not split.is_named:
        return 0
    import pandas as pd

    rows, partitions = given.rows.remove_column(given.place(time)), split.partitions
    sizes = partitions.value_counts()
    suspects = partitions.isin(sizes[sizes.duplicated(keep=False)].index)
    some = rows.filter(pa.array(suspects.to_numpy()))
    texts = pd.DataFrame({str(i): texts_of(column) for i, column in enumerate(some.columns)})
    digests = pd.util.hash_pandas_object(texts, index=False)
    sums = digests.groupby(partitions[suspects].to_numpy()).sum()
    return int(sums.duplicated().sum())
