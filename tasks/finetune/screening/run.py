"""One screening run: the rows as they are, then the same screen on planted poison.

report = screen_and_test(rows, vectors, settings, labels, guard, lambda texts: embed(texts, threads=1))
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.config.screening import ScreeningSettings
from infra.guard import GuardPolicy
from tasks.finetune.screening.screen import screen_rows
from tasks.finetune.screening.selftest import Embed, self_test
from tasks.records import Row
from tasks.records.screening import ScreeningReport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def screen_and_test(
    rows: Sequence[Row],
    vectors: "NDArray[np.float32]",
    settings: ScreeningSettings,
    labels: Sequence[str],
    guard: GuardPolicy,
    embed: Embed,
) -> ScreeningReport:
    """The report with its self-test, which embeds only the texts that it altered.

    `vectors` [n, 384] are the embeddings of the rows. Raises DataError as `screen_rows` and `plant` do.
    """
    report = screen_rows(rows, vectors, settings, labels, guard)
    tested = self_test(rows, vectors, report, settings, labels, guard, embed)
    return report.model_copy(update={"self_test": tested})
