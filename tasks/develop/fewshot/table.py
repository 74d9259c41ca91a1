"""What sets of examples bring, as people read it.

print(as_text(examples, report))
"""

from tasks.records.examples import ExampleAblation, ExampleSet


def as_text(examples: ExampleSet, report: ExampleAblation) -> str:
    """The curated examples, what was left out, and the ablation's table."""
    left_out = ", ".join(f"{reason} {count}" for reason, count in examples.excluded.items())
    shown = [f"  {example.label}: {example.text}" for example in examples.examples]
    rows = [
        f"  {row.name:<18} {row.accuracy:6.1%} [{row.lower:.1%}, {row.upper:.1%}]"
        f"  gain {100 * row.gain:+5.1f} [{100 * row.gain_lower:+.1f}, {100 * row.gain_upper:+.1f}]"
        f"  p {row.p_value:.2g}"
        f"  {row.prompt_tokens} prompt tokens  {row.rows_per_cpu_s:.1f} rows/CPU s"
        for row in report.table
    ]
    return "\n".join(
        [
            f"{len(examples.examples)} examples of {examples.considered} rows ({examples.digest})",
            *shown,
            f"left out: {left_out or 'none'}; searched for leaks: {examples.held_out} held-out rows",
            f"on {report.rows} validation rows:",
            *rows,
            report.finding,
        ]
    )
