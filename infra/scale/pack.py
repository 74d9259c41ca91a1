"""Values as bytes for workers: functions by name or by value, Arrow tables without what they were cut from.

unpack(pack(table.slice(0, 10)))        # ten rows travel; plain pickle would send the whole table
"""

import io
import pickle
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def pack(value: object) -> bytes:
    """Bytes that `unpack` reads, in a process with the same code; raises what pickle raises."""
    buffer = io.BytesIO()
    _pickler()(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def unpack(data: bytes) -> Any:
    """The value; only for bytes that came over the cluster's own connections."""
    return pickle.loads(data)  # noqa: S301  # workers run our code anyway; their connections are ours


def _pickler() -> Any:
    import cloudpickle

    class TablePickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        def reducer_override(self, value: object) -> Any:
            arrow = sys.modules.get("pyarrow")
            if arrow is not None and isinstance(value, arrow.Table):
                return _read_table, (_table_bytes(value),)
            return super().reducer_override(value)

    return TablePickler


def _table_bytes(table: "pa.Table") -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _read_table(data: bytes) -> "pa.Table":
    import pyarrow as pa

    return pa.ipc.open_stream(data).read_all()
