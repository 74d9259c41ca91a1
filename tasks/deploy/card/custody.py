"""The chain of custody: from data to signatures, each link by the digest of what it holds.

links = custody(candidate, report, facts)
html = custody_html(links)
"""

from infra.pages.words import shown
from tasks.deploy.card.facts import CardFacts
from tasks.records import Candidate, GateReport, Record


class Link(Record):
    """One link; `digests` by name; `binds` says what ties it to the link before."""

    name: str
    binds: str
    digests: dict[str, str]


def custody(candidate: Candidate, report: GateReport, facts: CardFacts) -> tuple[Link, ...]:
    """Data → base → adapter → served unit → evidence → gates → signatures."""
    data, base, adapter = candidate.dataset, candidate.base, candidate.adapter
    made = candidate.provenance
    proof = (
        {"provenance": made.statement, "environment": made.environment, "ML-BOM": made.mlbom} if made else {}
    )
    read = {"read from": data.source_bytes} if data.source_bytes else {}
    said = (
        "its signed SLSA provenance names data, base, prompt and code"
        if made
        else "no provenance: nobody can say how it was made"
    )
    return (
        Link(name="Data", binds=f"{data.name}, {data.source}", digests={"data set": data.digest, **read}),
        Link(name="Base model", binds=f"{base.name}, {base.source}", digests={"files": base.digest}),
        Link(name="Adapter", binds=said, digests={"files": adapter.digest, "code": adapter.code, **proof}),
        Link(
            name="Served unit",
            binds="base, adapter, prompt, guard and access policy in one digest",
            digests={
                "unit": candidate.unit, "prompt": candidate.prompt.digest, "guard": candidate.guard,
                "access": candidate.access,
            },
        ),
        Link(
            name="Evidence",
            binds="every measurement names this unit and what it was measured on",
            digests={"evidence": report.evidence},
        ),
        Link(
            name="Gates",
            binds="the report names evidence, rules and requirements",
            digests={"gate policy": report.policy, "requirements": report.requirements},
        ),
        _signatures(facts),
    )  # fmt: skip


def _signatures(facts: CardFacts) -> Link:
    if not facts.signer:
        return Link(name="Signatures", binds="none: only a candidate that passes is signed", digests={})
    return Link(
        name="Signatures",
        binds="adapter.sig over the weights; attestations of provenance, environment, gates and deploy's own"
        " verification; release.sigstore.json over the manifest, which names every file, this card too",
        digests={"signer": facts.signer},
    )


def custody_html(links: tuple[Link, ...]) -> str:
    """One step for each link."""
    return f'<ol class="chain">{"".join(map(_step, links))}</ol>'


def _step(link: Link) -> str:
    digests = "".join(f"<code>{shown(name)} {shown(digest)}</code>" for name, digest in link.digests.items())
    return f"<li><strong>{shown(link.name)}</strong><p>{shown(link.binds, most=400)}</p>{digests}</li>"
