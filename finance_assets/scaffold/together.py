"""Together: the rows of several files as one table."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.scaffold.given import Given
from finance_assets.scaffold.request import CannotScaffoldError


def together(files: Sequence[Path], given: Sequence[Given]) -> pa.Table:
    """The rows of all files, in the order in which they are named.

    An object of JSON may leave names out, so a file may. A typed column has the type that holds
    the values of all files.

    Raises:
        CannotScaffoldError: a file has other columns than the first, or types that do not fit.
    """
    first = given[0]
    for path, other in zip(files[1:], given[1:], strict=True):
        differing = set(other.header) ^ set(first.header)
        is_other = type(other.format) is not type(first.format)
        if is_other or (differing and not isinstance(first.format, JsonLines)):
            raise CannotScaffoldError(
                f"its columns are others than those of {files[0].name}: "
                f"{', '.join(sorted(differing)) or 'another format'}",
                where=str(path),
                remedy="name only files with the same columns; others are sources of their own",
            )
    try:
        rows = pa.concat_tables(
            _in_one_zone([one.rows for one in given]), promote_options="permissive"
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise CannotScaffoldError(
            f"the files have columns of different types ({error})",
            where=", ".join(path.name for path in files),
            remedy="files with the same types",
        ) from error
    # Nothing says of what type a column is that is empty in all files.
    kinds = [pa.string() if pa.types.is_null(f.type) else f.type for f in rows.schema]
    return rows.cast(pa.schema(list(zip(rows.column_names, kinds, strict=True))))


def _in_one_zone(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """The same tables, with moments in UTC where they have them in several zones."""
    zones: dict[str, set[str]] = {}
    for table in tables:
        for field in table.schema:
            if pa.types.is_timestamp(field.type):
                zones.setdefault(field.name, set()).add(field.type.tz)
    several, utc = {n for n, found in zones.items() if len(found) > 1}, pa.timestamp("us", tz="UTC")
    return [
        table.cast(
            pa.schema(
                field.with_type(utc)
                if field.name in several and pa.types.is_timestamp(field.type)
                else field
                for field in table.schema
            )
        )
        for table in tables
    ]
