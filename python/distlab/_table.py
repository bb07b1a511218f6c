"""Tables as values: rows of classes, topologies, fault plans, histories, with a label for plots.

A table does not know yet which parameter it will be given to; its cells are read when it is. A missing key
or an empty cell is blank: the model then takes the parameter of the same name. NaN is blank where there is
such a parameter or the column may be off, else a mistake.
"""

import numpy as np

from ._common import pieces, short, unknown

ROWS_MAX = 10_000_000


class Blank:
    """The cell that says nothing."""

    __slots__ = ()

    def __repr__(self):
        return "blank"

    def __reduce__(self):
        return "BLANK"


BLANK = Blank()


class Table:
    """Columns of cells: ``columns`` (dict name -> list, all of length ``len(table)``) and a ``label``."""

    __slots__ = ("columns", "count", "label")

    def __init__(self, columns, count, label):
        self.columns, self.count, self.label = columns, count, label

    def __len__(self):
        return self.count

    def __repr__(self):
        label = f" {self.label!r}" if self.label else ""
        return f"<distlab table{label}: {self.count} rows, columns {', '.join(self.columns)}>"[:100]

    def frame(self):
        """The rows as a pandas DataFrame (needs the sweep extra)."""
        from ._common import need

        cells = {k: [None if c is BLANK else c for c in v] for k, v in self.columns.items()}
        return need("pandas", "sweep").DataFrame(cells)


def table(rows, /, *, label=None):
    """A table for a parameter that takes one.

    Parameters
    ----------
    rows : list of dicts, dict of columns, NumPy structured array (n,), or pandas DataFrame
        Cells follow the rules of parameters: numbers in SI units or text with units, choices by name,
        distributions. Missing keys and "" are blank; NaN too where a parameter of the same name exists
        or the column may be off.
    label : str, optional
        Name on axes and in legends.

    Returns a Table. TypeError or ValueError for anything else; unknown columns are found when a model takes
    it.
    """
    if label is not None and not isinstance(label, str):
        raise TypeError(f"label must be text, not {short(label)}")
    if isinstance(rows, Table):
        return Table(rows.columns, rows.count, label or rows.label)
    if isinstance(rows, np.ndarray) and rows.dtype.names and rows.ndim == 1:
        columns = {name: [_plain(c) for c in rows[name]] for name in rows.dtype.names}
    elif hasattr(rows, "columns") and hasattr(rows, "to_dict"):
        columns = {str(name): list(rows[name]) for name in rows.columns}
    elif isinstance(rows, dict):
        columns = {name: _cells(name, cells) for name, cells in rows.items()}
    elif isinstance(rows, (list, tuple)):
        columns = _transpose(rows)
    else:
        raise TypeError(f"a table is a list of dicts, a structured array or a DataFrame, not {short(rows)}")
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"the columns of a table must be equally long, not {sorted(lengths)}")
    count = lengths.pop() if lengths else (len(rows) if isinstance(rows, (list, tuple)) else 0)
    if not 1 <= count <= ROWS_MAX:
        raise ValueError(f"a table has 1 to {ROWS_MAX} rows, not {count}; None stands for no table")
    for name in columns:
        if not isinstance(name, str):
            raise TypeError(f"a column's name must be text, not {short(name)}")
    return Table({k: [_blank(c) for c in v] for k, v in columns.items()}, count, label)


def table_of_text(text):
    """The Table behind "kind=crash, time=5, node=1; kind=pause, ...", as C programs write it and read it."""
    rows, written = [], pieces(text, ";")
    for piece in written[:-1] if len(written) > 1 and not written[-1] else written:
        row = {}
        for cell in pieces(piece, ","):
            column, equals, value = (part.strip() for part in cell.partition("="))
            if not equals or not column:
                raise ValueError(f"row {len(rows)}: {short(cell)} is not column=value")
            if column in row:
                raise ValueError(f"row {len(rows)}: {column} is given twice")
            row[column] = value
        rows.append(row)
    return table(rows)


def _transpose(rows):
    names = {}
    for row in rows:
        if not isinstance(row, dict):
            raise TypeError(f"a table's row must be a dict, not {short(row)}")
        names.update(dict.fromkeys(row))
    return {name: [row.get(name, BLANK) for row in rows] for name in names}


def _cells(name, cells):
    if (
        isinstance(cells, (str, bytes, dict, set))
        or not hasattr(cells, "__iter__")
        or getattr(cells, "ndim", 1) == 0
    ):
        raise TypeError(f"column {short(name)} must be a list or array of cells, not {short(cells)}")
    return [_plain(c) for c in cells]


def _plain(cell):
    return cell.item() if isinstance(cell, np.generic) and not cell.dtype.names else cell


def _blank(cell):
    return BLANK if isinstance(cell, str) and not cell.strip() else cell


def check_columns(owner, columns, known):
    """Every column of the table must be one of those the model knows."""
    for name in columns:
        if name not in known:
            raise unknown(f"{owner}: column", name, known)
