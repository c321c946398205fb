"""Where a table that is longer than a page is cut."""

from itertools import groupby

from fer_bench.report.table import Row, Table

PART = 40  # lines that fit on a page below a caption; a longer table is continued on the next one


def parts(table: Table) -> list[list[Row]]:
    """Rows for one page each: cut between blocks, inside one only where it alone is too long for a page."""
    found: list[list[Row]] = [[]]
    used = 0
    for block in _blocks(table):
        for start in range(0, len(block), PART - 1):
            rows = block[start : start + PART - 1]
            if used and used + len(rows) + 1 > PART:
                found.append([])
                used = 0
            found[-1] += rows
            used += len(rows) + 1  # the heading, or the room before the block
    return [part for part in found if part] or [[]]


def _blocks(table: Table) -> list[list[Row]]:
    """Rows that stand together; references are kept with the scores above them under one heading, else below them."""
    blocks: list[list[Row]] = []
    for _, found in groupby(table.rows, key=lambda row: (row.contents[: table.headed], row.block)):
        rows = list(found)
        if blocks and _belong(table, blocks[-1], rows):
            blocks[-1] += rows
        else:
            blocks.append(rows)
    return blocks


def _belong(table: Table, above: list[Row], below: list[Row]) -> bool:
    one_heading = above[-1].contents[: table.headed] == below[0].contents[: table.headed]
    return all(row.quiet for row in above) or (one_heading and all(row.quiet for row in below))
